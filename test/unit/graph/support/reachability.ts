// Which transaction a transaction depends on, itself or through others, in graphs small enough to try.
// The authority that graphs and their sweeps are compared with: a matrix, closed by brute force.
import type { TransactionLists } from '../../../../src/graph/dependency-lists.ts'

/** `closure[a][b]`: a depends on b. */
export type Closure = boolean[][]

/** The transitive closure of `dependsOn` over the integers below `count`. */
export function closureOf(count: number, dependsOn: (a: number, b: number) => boolean): Closure {
  const closure = Array.from({ length: count }, (_, a) =>
    Array.from({ length: count }, (_, b) => dependsOn(a, b)),
  )
  for (let via = 0; via < count; via++) {
    for (let a = 0; a < count; a++) {
      if (!closure[a][via]) continue
      for (let b = 0; b < count; b++) closure[a][b] ||= closure[via][b]
    }
  }
  return closure
}

export function closureOfLists(lists: TransactionLists): Closure {
  const rows = rowsOf(lists)
  return closureOf(lists.count, (a, b) => rows[a].includes(b))
}

/** The list of each transaction, sorted. */
export function rowsOf({ count, starts, targets }: TransactionLists): number[][] {
  return Array.from({ length: count }, (_, t) =>
    [...targets.subarray(starts[t], starts[t + 1])].sort((a, b) => a - b),
  )
}
