// Holds the plan to the options that bound its graph, seen through what a scheduler reads of it.
// Authority on who waits for whom under those bounds; which edges a graph has is test/unit/graph's.
import { describe, expect, it } from 'vitest'
import { ACCESS } from '../../../src/access/access-flags.ts'
import { AccessLists } from '../../../src/access/access-lists.ts'
import { type GraphOptions, planGraph } from '../../../src/block/plan-graph.ts'
import { type Incarnation, NOTHING, type TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { CONTROL, controlWords } from '../../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../../src/memory/shared-region.ts'
import { PlannedOrder, publishPlan } from '../../../src/scheduling/planned-order.ts'

const free: GraphOptions = { workers: 2, maxParallelLevel: Infinity, maxLevelDepth: Infinity }
const chainLength = 5

/** Each transaction reads and writes what the one before did. */
function chain(): AccessLists {
  const rows = new AccessLists()
  for (let index = 0; index < chainLength; index++) {
    rows.add(1000, ACCESS.READ | ACCESS.WRITE)
    rows.endTransaction()
  }
  return rows
}

/** Of each transaction of the chain, one that it waits for while none has run. */
function blockersOf(options: Partial<GraphOptions>): number[] {
  const { plan } = planGraph(chain(), new Float64Array(chainLength).fill(1), {
    ...free,
    ...options,
  })
  const control = new Int32Array(new SharedArrayBuffer(controlWords(chainLength) * 4))
  control[CONTROL.TRANSACTION_COUNT] = chainLength
  const region = SharedRegion.create(1 << 16)
  publishPlan(control, region, new RegionAllocator(region), nativeAtomics, plan)
  const order = new PlannedOrder(control, region, nativeAtomics)
  return Array.from({ length: chainLength }, (_, index) =>
    order.blocker(index as TxIndex, 0 as Incarnation, () => false),
  )
}

describe('the plan of a chain', () => {
  it('lets each wait for the one before', () => {
    expect(blockersOf({})).toEqual([NOTHING, 0, 1, 2, 3])
  })

  it.each([Infinity, 1, 2, 10])(
    'holds nothing back beyond the depth, with at most %d levels under way',
    (maxParallelLevel) => {
      const blockers = blockersOf({ maxLevelDepth: 2, maxParallelLevel })
      expect(blockers).toEqual([NOTHING, 0, NOTHING, NOTHING, NOTHING])
    },
  )
})

describe('the plan of payments and of those who read their sum', () => {
  it('grows with the accesses, not with their square', () => {
    const half = 3_000
    const locations = 4
    const rows = new AccessLists()
    for (let index = 0; index < 2 * half; index++) {
      for (let location = 0; location < locations; location++) {
        rows.add(1000 + location, index < half ? ACCESS.DELTA : ACCESS.READ)
      }
      rows.endTransaction()
    }
    const { plan, outlook } = planGraph(rows, new Float64Array(2 * half).fill(1), free)
    const accesses = 2 * half * locations
    expect(plan.targets.length).toBeLessThan(50 * accesses)
    // Those who read wait all the same.
    expect(outlook.levels).toBe(2)
    expect(plan.starts[2 * half]! - plan.starts[2 * half - 1]!).toBeGreaterThan(0)
  })
})
