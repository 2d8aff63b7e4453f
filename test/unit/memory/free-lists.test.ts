// Holds blocks of shared memory that are given back and taken again, by what stands for two threads.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { storeControlWords } from '../../../src/memory/engine-layout.ts'
import { FreeLists, SIZES, sizeClass } from '../../../src/memory/free-lists.ts'
import { SharedRegion } from '../../../src/memory/shared-region.ts'

const MIB = 2 ** 20

function twoThreads(mib = 64): FreeLists[] {
  const control = new Int32Array(new SharedArrayBuffer(storeControlWords(1) * 4))
  const { buffer } = SharedRegion.create(mib * MIB)
  return [0, 1].map(() => new FreeLists(nativeAtomics, control, new SharedRegion(buffer)))
}

describe('blocks', () => {
  it('are of the smallest size that is large enough', () => {
    for (let words = 1; words < 5000; words++) {
      const size = sizeClass(words)
      expect(SIZES[size]).toBeGreaterThanOrEqual(words)
      if (size > 0) expect(SIZES[size - 1]).toBeLessThan(words)
    }
  })

  it('never overlap, whoever takes and gives back', () => {
    const step = fc.record({
      thread: fc.nat(1),
      words: fc.integer({ min: 1, max: 3000 }),
      gives: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
        const threads = twoThreads()
        const taken: { at: number; words: number }[] = []
        for (const { thread, words, gives } of steps) {
          const lists = threads[thread]!
          if (gives && taken.length > 0) {
            const { at, words } = taken.splice(positionIn(taken.length, thread), 1)[0]!
            lists.give(at, words)
            lists.giveAll()
            continue
          }
          const at = lists.take(words)
          for (const other of taken) {
            expect(at + words <= other.at || other.at + other.words <= at).toBe(true)
          }
          taken.push({ at, words })
        }
      }),
      { numRuns: 50 },
    )
  })

  it('that one thread gave back are taken by another', () => {
    const [one, two] = twoThreads()
    const given = [one!.take(100), one!.take(100)]
    for (const block of given) one!.give(block, 100)
    expect(two!.freeWords()).toBe(0)
    one!.giveAll()
    expect(two!.freeWords()).toBe(2 * SIZES[sizeClass(100)]!)
    expect([two!.take(97), two!.take(128)].sort()).toEqual(given.sort())
    expect(two!.freeWords()).toBe(0)
  })

  it('are cut from what another thread left of its fresh memory, by one thread only', () => {
    const threads = twoThreads(1)
    const taken = new Uint8Array(MIB / 4)
    for (let i = 0; i < 2000; i++) {
      const lists = threads[i % 2]!
      for (const at of [lists.fresh(60), lists.fresh(40)]) {
        expect(taken.subarray(at, at + 40).includes(1)).toBe(false)
        taken.fill(1, at, at + 40)
      }
      lists.giveAll()
    }
    expect(threads[0]!.region.used()).toBeLessThan(2000 * 100 * 1.1)
  })

  it('of a large size leave the rest of the last piece to small ones', () => {
    const [one] = twoThreads(1)
    const first = one!.fresh(8)
    for (let i = 0; i < 20; i++) {
      one!.fresh(3000)
      expect(one!.fresh(8)).toBe(first + 8 * (i + 1))
    }
  })

  it('that do not fit are refused, again and again, and the others stay good', () => {
    const [one] = twoThreads(1)
    const small = one!.take(8)
    for (let i = 0; i < 3; i++) {
      expect(() => one!.take(MIB)).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
    }
    one!.give(small, 8)
    expect(one!.take(8)).toBe(small)
    expect(one!.take(8)).toBeGreaterThan(0)
  })
})

/** Some position, not always the same one. */
function positionIn(count: number, thread: number): number {
  return thread === 0 ? 0 : count - 1
}
