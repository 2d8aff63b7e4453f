// Holds the flat form of accesses: what was added to a transaction is found in its entries.
// Must not know what the accesses mean.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ACCESS } from '../../../src/access/access-flags.ts'
import { AccessLists, type AccessRows } from '../../../src/access/access-lists.ts'

function rowsOf({ count, starts, locations, flags }: AccessRows): [number, number][][] {
  return Array.from({ length: count }, (_, t) =>
    Array.from({ length: starts[t + 1] - starts[t] }, (_, i) => [
      locations[starts[t] + i],
      flags[starts[t] + i],
    ]),
  )
}

const rows = fc.array(
  fc.array(
    fc.tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 7 })),
  ),
)

describe('access lists', () => {
  it('give back what was added, however small they were made, and again after being cleared', () => {
    fc.assert(
      fc.property(rows, rows, fc.nat(3), fc.nat(3), (first, second, transactions, accesses) => {
        const lists = new AccessLists(transactions, accesses)
        for (const expected of [first, second]) {
          lists.clear()
          for (const row of expected) {
            for (const [location, flags] of row) lists.add(location, flags)
            lists.endTransaction()
          }
          expect(rowsOf(lists)).toEqual(expected)
        }
      }),
    )
  })

  it('name reads, writes and deltas', () => {
    const lists = new AccessLists()
    lists.addRead(5)
    lists.addWrite(6)
    lists.addDelta(7)
    lists.endTransaction()
    expect(rowsOf(lists)).toEqual([
      [
        [5, ACCESS.READ],
        [6, ACCESS.WRITE],
        [7, ACCESS.DELTA],
      ],
    ])
  })
})
