// Random dependency lists, and lists written out by hand.
// The authority on nothing: it only makes what the tests of the flat form are about.
import fc from 'fast-check'

import {
  type DependencyLists,
  DependencyListsBuilder,
} from '../../../../src/graph/dependency-lists.ts'

/** Each row is what the transaction of its index depends on: lower indexes. */
export function listsOf(rows: readonly (readonly number[])[]): DependencyLists {
  const builder = new DependencyListsBuilder(rows.length)
  for (const row of rows) {
    for (const on of row) builder.add(on)
    builder.endTransaction()
  }
  return builder.finish()
}

/** Rows of up to 12 transactions. */
export const dependencyRows: fc.Arbitrary<number[][]> = fc
  .array(fc.array(fc.nat(11), { maxLength: 4 }), { maxLength: 12 })
  .map((rows) => rows.map((row, t) => row.filter((on) => on < t)))
