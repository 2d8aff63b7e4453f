// Holds the sweeps over flat lists: dependents, levels, remaining weights.
// The authority is each one's definition, tried out on small graphs.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { dependentsOf, levelsOf, remainingWeights } from '../../../src/graph/dependency-lists.ts'
import { dependencyRows, listsOf } from './support/lists.ts'
import { rowsOf } from './support/reachability.ts'

describe('dependency lists', () => {
  it('hold what was added, each once and never the transaction itself', () => {
    const rows = [[], [0, 0, 1], [1, 0, 1, 2], []]
    expect(rowsOf(listsOf(rows))).toEqual([[], [0], [0, 1], []])
  })

  it('hold more than they were made for', () => {
    const rows = Array.from({ length: 100 }, (_, t) => Array.from({ length: t }, (_, on) => on))
    expect(rowsOf(listsOf(rows))).toEqual(rows)
  })
})

describe('dependents', () => {
  it('are the same edges from the other end', () => {
    fc.assert(
      fc.property(dependencyRows, (rows) => {
        const edges = (lists: number[][], swap: boolean): string[] =>
          lists.flatMap((list, a) => list.map((b) => (swap ? `${b} ${a}` : `${a} ${b}`))).sort()
        const lists = listsOf(rows)
        expect(edges(rowsOf(dependentsOf(lists)), true)).toEqual(edges(rowsOf(lists), false))
      }),
    )
  })
})

describe('levels', () => {
  it('are minimal: 0 without dependencies, and else one above the highest dependency', () => {
    fc.assert(
      fc.property(dependencyRows, (rows) => {
        const { levels, levelCount } = levelsOf(listsOf(rows))
        for (const [t, row] of rows.entries()) {
          expect(levels[t]).toBe(Math.max(-1, ...row.map((on) => levels[on])) + 1)
        }
        expect(levelCount).toBe(Math.max(-1, ...levels) + 1)
      }),
    )
  })
})

describe('remaining weights', () => {
  const weighted = dependencyRows.chain((rows) =>
    fc.tuple(
      fc.constant(rows),
      fc.array(fc.nat(9), { minLength: rows.length, maxLength: rows.length }),
    ),
  )

  it('are those of the heaviest chain that begins with the transaction, which `next` leads along', () => {
    fc.assert(
      fc.property(weighted, ([rows, weights]) => {
        const lists = listsOf(rows)
        const { remaining, next } = remainingWeights(lists, Float64Array.from(weights))
        const dependents = rowsOf(dependentsOf(lists))
        const heaviest = (t: number): number =>
          weights[t] + Math.max(0, ...dependents[t].map(heaviest))
        for (const t of rows.keys()) {
          expect(remaining[t]).toBe(heaviest(t))
          let sum = 0
          let last = t
          for (let at = t; at !== -1; at = next[at]) {
            if (at !== t) expect(dependents[last]).toContain(at)
            sum += weights[at]
            last = at
          }
          expect(sum).toBe(remaining[t])
          expect(dependents[last]).toEqual([])
        }
      }),
    )
  })

  it('count transactions where none are given', () => {
    expect([...remainingWeights(listsOf([[], [0], [1], []])).remaining]).toEqual([3, 2, 1, 1])
  })

  it('hold more gas than 32 bits', () => {
    const weights = Float64Array.of(3e9, 3e9)
    expect(remainingWeights(listsOf([[], [0]]), weights).remaining[0]).toBe(6e9)
  })
})
