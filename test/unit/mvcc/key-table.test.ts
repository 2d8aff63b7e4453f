// Holds that keys are told apart by all their bytes, also where their hashes cannot.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AtomicOperations, nativeAtomics } from '../../../src/memory/atomics.ts'
import { storeControlWords } from '../../../src/memory/engine-layout.ts'
import { FreeLists } from '../../../src/memory/free-lists.ts'
import { SharedRegion } from '../../../src/memory/shared-region.ts'
import { KeyTable } from '../../../src/mvcc/key-table.ts'
import { atomicsWith } from '../../support/atomics.ts'

function newTable(bucketCount: number): (atomics: AtomicOperations) => KeyTable {
  const control = new Int32Array(new SharedArrayBuffer(storeControlWords(1) * 4))
  const buckets = new Int32Array(new SharedArrayBuffer(bucketCount * 4))
  const region = SharedRegion.create(16 * 2 ** 20)
  return (atomics) => new KeyTable(buckets, 7, new FreeLists(atomics, control, region), atomics)
}

describe('a table of keys', () => {
  it('has one record for each key, whatever its length', () => {
    const keys = fc.uniqueArray(fc.uint8Array({ maxLength: 100 }), {
      selector: (key) => Buffer.from(key).toString('hex'),
      maxLength: 60,
    })
    fc.assert(
      fc.property(keys, fc.constantFrom(1, 64), (all, bucketCount) => {
        const table = newTable(bucketCount)(nativeAtomics)
        for (const key of all) expect(table.find(key)).toBe(0)
        const records = all.map((key) => table.intern(key))
        expect(new Set(records).size).toBe(all.length)
        expect(all.map((key) => table.intern(key))).toEqual(records)
        expect(all.map((key) => table.find(key))).toEqual(records)
        expect(records.map((record) => [...table.keyOf(record)])).toEqual(
          all.map((key) => [...key]),
        )
        const seen = new Set<number>()
        table.forEach((record) => {
          seen.add(record)
        })
        expect(seen).toEqual(new Set(records))
      }),
    )
  })

  it('gives two threads that intern a key at once the same record', () => {
    const open = newTable(1)
    const [key, other] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]
    const second = open(nativeAtomics)
    let theirs = 0
    const interrupted = atomicsWith({
      compareExchange: (words, index, expected, replacement) => {
        // Between the look and the entry, the other thread enters two keys.
        if (theirs === 0) {
          second.intern(other)
          theirs = second.intern(key)
        }
        return nativeAtomics.compareExchange(words, index, expected, replacement)
      },
    })
    expect(open(interrupted).intern(key)).toBe(theirs)
    expect(theirs).toBeGreaterThan(0)
  })
})
