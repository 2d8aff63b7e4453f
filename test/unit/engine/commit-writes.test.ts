// Holds in which order a commit takes locks, and that it holds all of them when its writes become visible.
// That two commits never wait for each other, and never have one time, rests on it.
import { describe, expect, it } from 'vitest'

import { commitWrites } from '../../../src/engine/commit-writes.ts'
import { closeCore, createHandle, openCore } from '../../../src/engine/store-core.ts'
import { resolveStoreOptions } from '../../../src/engine/store-options.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { RECORD, STORE } from '../../../src/memory/engine-layout.ts'
import { bytes } from './support/values.ts'

describe('a commit', () => {
  it('locks its keys in one order, whatever the order in which they were written', () => {
    const locked: number[] = []
    const atomics = Object.assign(Object.create(nativeAtomics) as typeof nativeAtomics, {
      compareExchange(words: Int32Array, index: number, expected: number, value: number): number {
        if (records.includes(index - RECORD.LOCK) && value > expected) locked.push(index)
        return Atomics.compareExchange(words, index, expected, value)
      },
      store(words: Int32Array, index: number, value: number): number {
        if (words === core.control && index === STORE.CLOCK) {
          const { words: region } = core.blocks.region
          const locks = records.map((record) => region[record + RECORD.LOCK] !== 0)
          const versions = records.map((record) => core.chains.newestTime(record) === value)
          published.push([core.control[STORE.COMMIT_LOCK] !== 0, ...locks, ...versions])
        }
        return Atomics.store(words, index, value)
      },
    })
    const published: boolean[][] = []
    const records: number[] = []
    const core = openCore(createHandle(resolveStoreOptions({ maxMiB: 1 })), atomics)
    for (const key of ['a', 'b', 'c', 'd']) records.push(core.keys.intern(bytes(key)))
    const [a, b, c, d] = records as [number, number, number, number]
    const value = bytes('1')
    let time = 0
    for (const order of [
      [d, c, b, a],
      [b, d, a, c],
    ]) {
      locked.length = 0
      published.length = 0
      time = commitWrites(core, time, new Map(order.map((record) => [record, value])), undefined)
      expect(locked).toEqual([a, b, c, d].sort((x, y) => x - y).map((it) => it + RECORD.LOCK))
      // The clock moves once, when all versions are there, while nobody else can commit.
      expect(published).toEqual([Array.from({ length: 9 }, () => true)])
    }
    closeCore(core)
  })
})
