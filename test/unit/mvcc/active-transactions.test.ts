// Holds the watermark against a transaction that stops anywhere while it starts, and slots used again.
import { describe, expect, it } from 'vitest'

import { type AtomicOperations, nativeAtomics } from '../../../src/memory/atomics.ts'
import { STORE, storeControlWords } from '../../../src/memory/engine-layout.ts'
import { ActiveTransactions } from '../../../src/mvcc/active-transactions.ts'
import { readClock, setClock } from '../../../src/mvcc/commit-clock.ts'
import { atomicsWith } from '../../support/atomics.ts'

const newControl = (slots: number) =>
  new Int32Array(new SharedArrayBuffer(storeControlWords(slots) * 4))

describe('the watermark', () => {
  it('is never above the time of a transaction that starts at the same time', () => {
    // Between any two atomic operations of the start, somebody commits and asks for the watermark.
    for (let at = 1; at <= 12; at++) {
      const control = newControl(4)
      setClock(nativeAtomics, control, 5)
      const other = new ActiveTransactions(nativeAtomics, control, 4, 1)
      const watermarks: number[] = []
      let operations = 0
      const interrupt = (): void => {
        if (++operations !== at) return
        setClock(nativeAtomics, control, readClock(nativeAtomics, control) + 10)
        watermarks.push(other.watermark())
      }
      const stepped: AtomicOperations = atomicsWith({
        load: (words, index) => {
          interrupt()
          return nativeAtomics.load(words, index)
        },
        store: (words, index, value) => {
          interrupt()
          return nativeAtomics.store(words, index, value)
        },
        compareExchange: (words, index, expected, replacement) => {
          interrupt()
          return nativeAtomics.compareExchange(words, index, expected, replacement)
        },
      })
      const open = new ActiveTransactions(stepped, control, 4, 2).enter()
      for (const watermark of watermarks) expect(watermark).toBeLessThanOrEqual(open.time)
      expect(other.watermark()).toBe(open.time)
      other.leave(open)
      expect(other.watermark()).toBe(readClock(nativeAtomics, control))
    }
  })

  it('counts times of more than 32 bits', () => {
    const control = newControl(4)
    const active = new ActiveTransactions(nativeAtomics, control, 4, 0)
    for (const time of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 45 + 12345]) {
      setClock(nativeAtomics, control, time)
      const open = active.enter()
      expect([open.time, active.smallestTime()]).toEqual([time, time])
      active.leave(open)
    }
  })
})

describe('a slot', () => {
  it('is left once, also if it is used again meanwhile', () => {
    const active = new ActiveTransactions(nativeAtomics, newControl(1), 1, 0)
    const first = active.enter()
    expect(active.leave(first)).toBe(true)
    const second = active.enter()
    expect(active.leave(first)).toBe(false)
    expect(active.count()).toBe(1)
    expect(active.leave(second)).toBe(true)
    expect(active.count()).toBe(0)
  })

  it('of a thread that is no more is left, and those of others stay', () => {
    const control = newControl(8)
    const [one, two] = [1, 2].map(
      (owner) => new ActiveTransactions(nativeAtomics, control, 8, owner),
    )
    one!.enter()
    const kept = two!.enter()
    one!.enter()
    two!.leaveAllOf(1)
    expect(two!.count()).toBe(1)
    expect(two!.leave(kept)).toBe(true)
    expect(nativeAtomics.load(control, STORE.SLOTS_USED)).toBe(3)
  })
})
