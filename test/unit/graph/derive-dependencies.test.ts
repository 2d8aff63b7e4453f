// Holds derivation to its two definitions: conflicts by pairs, and reads from the writes they see.
// The authority is those definitions, spelled out over single accesses; must not know of groups.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ACCESS, flagsConflict } from '../../../src/access/access-flags.ts'
import { AccessLists } from '../../../src/access/access-lists.ts'
import { levelsOf } from '../../../src/graph/dependency-lists.ts'
import { type DependencyRule, deriveDependencies } from '../../../src/graph/derive-dependencies.ts'
import { closureOf, closureOfLists, rowsOf } from './support/reachability.ts'

/** Of each transaction, pairs of location and flags, as they come. */
type Block = readonly (readonly (readonly [location: number, flags: number])[])[]

function derive(block: Block, rule?: DependencyRule) {
  const lists = new AccessLists()
  for (const row of block) {
    for (const [location, flags] of row) lists.add(location, flags)
    lists.endTransaction()
  }
  return deriveDependencies(lists, rule)
}

const { READ, WRITE, DELTA } = ACCESS
/** A location as often as it comes, with its reads, writes and deltas in any combination. */
const blocks = fc.array(
  fc.array(
    fc.tuple(
      fc.constantFrom(0, 7, -1, 2 ** 31 - 1),
      fc.constantFrom(READ, READ, WRITE, DELTA, DELTA, READ | WRITE, READ | DELTA),
    ),
    { maxLength: 4 },
  ),
  { maxLength: 14 },
)

/** Later depends on earlier where any two of their accesses conflict. */
function dependsByConflict(block: Block, later: number, earlier: number): boolean {
  if (earlier >= later) return false
  return block[earlier].some(([location, flags]) =>
    block[later].some((other) => other[0] === location && flagsConflict(flags, other[1])),
  )
}

/** Later reads a location whose value earlier made, or had a part in. */
function dependsByReading(block: Block, later: number, earlier: number): boolean {
  if (earlier >= later) return false
  const does = (t: number, location: number, what: number): boolean =>
    block[t].some((access) => access[0] === location && (access[1] & what) !== 0)
  return block[earlier].some(([location]) => {
    if (!does(later, location, READ) || !does(earlier, location, WRITE | DELTA)) return false
    for (let t = earlier + 1; t < later; t++) if (does(t, location, WRITE)) return false
    return true
  })
}

/**
 * Accesses of a transaction to one location are one for the rule `reads-from`: a transaction that
 * writes and then reads its own value reads nothing of others, which the definition does not know.
 */
function merged(block: Block): Block {
  return block.map((row) => {
    const flags = new Map<number, number>()
    for (const [location, more] of row) flags.set(location, (flags.get(location) ?? 0) | more)
    return [...flags]
  })
}

describe('derived dependencies', () => {
  it('reach what the conflicts of pairs reach, and nothing else', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const byPairs = closureOf(block.length, (a, b) => dependsByConflict(block, a, b))
        expect(closureOfLists(derive(block))).toEqual(byPairs)
      }),
      { numRuns: 2000 },
    )
  })

  it('are the same reach, whether a location is named once or several times', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        expect(closureOfLists(derive(block))).toEqual(closureOfLists(derive(merged(block))))
      }),
    )
  })

  it('by the rule reads-from reach the writes that made up what is read, and nothing else', () => {
    fc.assert(
      fc.property(blocks.map(merged), (block) => {
        const byReading = closureOf(block.length, (a, b) => dependsByReading(block, a, b))
        expect(closureOfLists(derive(block, 'reads-from'))).toEqual(byReading)
      }),
      { numRuns: 2000 },
    )
  })

  it('lead to lower transactions, each named once', () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom('conflicts', 'reads-from'), (block, rule) => {
        const rows = rowsOf(derive(block, rule))
        expect(rows).toHaveLength(block.length)
        for (const [t, row] of rows.entries()) {
          expect(new Set(row).size).toBe(row.length)
          expect(row.every((on) => on >= 0 && on < t)).toBe(true)
        }
      }),
    )
  })

  it('leave out what a chain on one location implies', () => {
    const writes = derive(Array.from({ length: 100 }, () => [[5, WRITE]]))
    expect(rowsOf(writes)).toEqual(Array.from({ length: 100 }, (_, t) => (t === 0 ? [] : [t - 1])))
  })

  it('put reads of one value beside each other, and the next write after all of them', () => {
    const rows = derive([[[1, WRITE]], [[1, READ]], [[1, READ]], [[1, WRITE]], [[1, READ]]])
    expect(rowsOf(rows)).toEqual([[], [0], [0], [1, 2], [3]])
  })

  it('put additions beside each other, and who looks at the sum after all of them', () => {
    const block: Block = [[[1, DELTA]], [[1, DELTA]], [[1, READ]], [[1, READ]], [[1, DELTA]]]
    expect(rowsOf(derive(block))).toEqual([[], [], [0, 1], [0, 1], [2, 3]])
    expect(rowsOf(derive(block, 'reads-from'))).toEqual([[], [], [0, 1], [0, 1], []])
  })

  it('by the rule reads-from let writes pass each other and their readers', () => {
    const block: Block = [[[1, READ]], [[1, WRITE]], [[1, WRITE]], [[1, READ]]]
    expect(levelsOf(derive(block)).levelCount).toBe(4)
    expect(rowsOf(derive(block, 'reads-from'))).toEqual([[], [], [], [2]])
  })

  it('by the rule reads-from take a read sum for all that it is made of', () => {
    const block: Block = [
      [[1, DELTA]],
      [[1, DELTA]],
      [[1, READ | DELTA]],
      [[1, DELTA]],
      [[1, READ]],
    ]
    expect(rowsOf(derive(block, 'reads-from'))).toEqual([[], [], [0, 1], [], [2, 3]])
  })

  it('are as many as accesses where a thousand transactions share little', () => {
    const block: Block = Array.from({ length: 1000 }, (_, t) => [
      [10 * t, WRITE],
      [10 * t + 1, READ],
      [3, DELTA],
      [-1 - (t % 50), READ | WRITE],
    ])
    const { targets } = derive(block)
    expect(targets).toHaveLength(950)
  })

  it('of no transactions and of transactions without accesses are none', () => {
    expect(derive([]).count).toBe(0)
    expect(rowsOf(derive([[], []]))).toEqual([[], []])
  })
})

describe('bounded derivation', () => {
  const bounded = (block: Block): number[][] => {
    const lists = new AccessLists()
    for (const row of block) {
      for (const [location, flags] of row) lists.add(location, flags)
      lists.endTransaction()
    }
    const { count, starts, targets } = deriveDependencies(lists, 'reads-from', true)
    return Array.from({ length: count }, (_, t) => [...targets.subarray(starts[t], starts[t + 1])])
  }
  const listsOf = ({ count, starts, targets }: ReturnType<typeof derive>): number[][] =>
    Array.from({ length: count }, (_, t) => [...targets.subarray(starts[t], starts[t + 1])])

  it('leaves nothing out of small graphs', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        expect(bounded(block)).toEqual(listsOf(derive(block, 'reads-from')))
      }),
    )
  })

  it('names the newest sources where there are too many', () => {
    const count = 1_000
    const block: Block = Array.from({ length: 2 * count }, (_, t) => [
      [7, t < count ? DELTA : READ] as const,
    ])
    const lists = bounded(block)
    const edges = lists.reduce((sum, list) => sum + list.length, 0)
    expect(edges).toBeLessThan(30 * 2 * count)
    const newest = Array.from({ length: 4 }, (_, back) => count - 1 - back)
    for (const list of lists.slice(count)) expect(list).toEqual(expect.arrayContaining(newest))
  })
})
