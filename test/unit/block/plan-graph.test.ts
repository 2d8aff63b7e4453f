// Holds the plan of predicted accesses to what the options allow: who waits, what goes first, what bounds.
// The graph itself is graph/'s matter, and how a plan is followed is the scheduler's.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ACCESS } from '../../../src/access/access-flags.ts'
import { AccessLists } from '../../../src/access/access-lists.ts'
import { planGraph } from '../../../src/block/plan-graph.ts'

const unbounded = { workers: 2, maxParallelLevel: Infinity, maxLevelDepth: Infinity }

/** Transactions that each read and write the given locations. */
function rowsOf(...transactions: number[][]): AccessLists {
  const rows = new AccessLists()
  for (const locations of transactions) {
    for (const location of locations) rows.add(location, ACCESS.READ | ACCESS.WRITE)
    rows.endTransaction()
  }
  return rows
}

function planned(rows: AccessLists, gas: number[], options: Partial<typeof unbounded> = {}) {
  const { plan, outlook } = planGraph(rows, Float64Array.from(gas), { ...unbounded, ...options })
  const lists = Array.from({ length: rows.count }, (_, index) =>
    Array.from(plan.targets.subarray(plan.starts[index], plan.starts[index + 1])),
  )
  return { plan, outlook, lists }
}

/** 0, 1 and 3 are a chain over one location, 2 is alone. */
const chain = rowsOf([7], [7], [9], [7])

describe('the plan of a graph', () => {
  it('lets each transaction wait for the one that it reads from, and for no other', () => {
    expect(planned(chain, [1, 1, 1, 1]).lists).toEqual([[], [0], [], [1]])
  })

  it('foresees the longest chain in transactions, the heaviest in gas, and all gas', () => {
    const { outlook } = planned(chain, [10, 20, 70, 30])
    // The longest chain need not be the heaviest.
    expect(outlook).toEqual({ levels: 3, criticalGas: 70, totalGas: 130 })
  })

  it('of no transactions promises nothing', () => {
    const { plan, outlook } = planned(rowsOf(), [])
    expect(outlook).toEqual({ levels: 0, criticalGas: 0, totalGas: 0 })
    expect(plan).toMatchObject({ priority: [] })
  })
})

describe('what goes first', () => {
  it('is what more than half of a worker’s share of the gas leads on from, the heaviest first', () => {
    // Of 100 gas each of two workers has 50 to do: what leads on must be more than 25.
    const { plan } = planned(chain, [10, 10, 60, 20])
    expect(plan.priority).toEqual([2, 0, 1])
  })

  it('is nothing that is exactly half of a share', () => {
    const { plan } = planned(rowsOf([1], [2], [3], [4]), [25, 25, 25, 25])
    expect(plan.priority).toEqual([])
  })

  it('needs less weight the more workers share the block', () => {
    const { plan } = planned(rowsOf([1], [2], [3], [4]), [25, 25, 25, 25], { workers: 4 })
    expect(plan.priority).toEqual([0, 1, 2, 3])
  })

  it('keeps equal ones in block order, so that a chain starts with its beginning', () => {
    const { plan } = planned(rowsOf([1], [2], [1], [2]), [0, 0, 50, 50])
    expect(plan.priority).toEqual([0, 1, 2, 3])
  })
})

describe('a bound on depth', () => {
  it('lets nobody wait from that level on, and foresees the whole graph all the same', () => {
    const { lists, outlook } = planned(rowsOf([1], [1], [1], [1]), [1, 1, 1, 1], {
      maxLevelDepth: 2,
    })
    expect(lists).toEqual([[], [0], [], []])
    expect(outlook).toMatchObject({ levels: 4, criticalGas: 4 })
  })

  it('that is just as deep as the graph cuts nothing', () => {
    const { lists } = planned(rowsOf([1], [1], [1]), [1, 1, 1], { maxLevelDepth: 3 })
    expect(lists).toEqual([[], [0], [1]])
  })
})

describe('a bound on parallel levels', () => {
  it('gives the plan a window over the levels', () => {
    const { plan } = planned(chain, [1, 1, 1, 1], { maxParallelLevel: 2 })
    expect(plan.window).toEqual({ size: 2, levels: Int32Array.of(0, 1, 0, 2) })
  })

  it('that the graph does not reach gives none', () => {
    expect(planned(chain, [1, 1, 1, 1], { maxParallelLevel: 3 }).plan.window).toBeUndefined()
  })
})

describe('any plan', () => {
  it('names lower transactions only, whatever is predicted and bounded', () => {
    const transactions = fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }), {
      maxLength: 20,
    })
    const bound = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(Infinity))
    fc.assert(
      fc.property(transactions, bound, bound, (accesses, maxParallelLevel, maxLevelDepth) => {
        const rows = rowsOf(...accesses)
        const gas = accesses.map((locations) => locations.length)
        const { lists, plan } = planned(rows, gas, { maxParallelLevel, maxLevelDepth })
        for (const [index, list] of lists.entries()) {
          for (const target of list) expect(target).toBeLessThan(index)
        }
        const priority = plan.priority ?? []
        expect(new Set(priority).size).toBe(priority.length)
        for (const first of priority) expect(first).toBeLessThan(rows.count)
      }),
    )
  })
})
