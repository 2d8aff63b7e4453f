// Holds the plan in shared memory to what was written into it, and the scheduler to following it.
import { describe, expect, it } from 'vitest'

import { type Incarnation, NOTHING } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { RegionAllocator, SharedRegion } from '../../../src/memory/shared-region.ts'
import {
  type Dependencies,
  type Plan,
  PlannedOrder,
  publishPlan,
} from '../../../src/scheduling/planned-order.ts'
import { packStatus, STATE } from '../../../src/scheduling/transaction-status.ts'
import { ALL, Block, tx } from './support/block.ts'

function plannedBlock(count: number, plan?: Plan) {
  const region = SharedRegion.create(1 << 20)
  const allocator = new RegionAllocator(region)
  const block = new Block(count)
  const order = new PlannedOrder(block.control, region, nativeAtomics)
  const publish = (dependencies: Plan): void =>
    publishPlan(block.control, region, allocator, nativeAtomics, dependencies)
  if (plan !== undefined) publish(plan)
  return { block, order, publish, scheduler: block.another(nativeAtomics, order) }
}

const first = 0 as Incarnation

/** Lists of lower transactions, one per transaction. */
function plan(...lists: number[][]): Dependencies {
  const starts = [0]
  for (const list of lists) starts.push((starts.at(-1) ?? 0) + list.length)
  return { starts: Int32Array.from(starts), targets: Int32Array.from(lists.flat()) }
}

describe('a plan', () => {
  it('is not ready before it is published', () => {
    const { order, publish } = plannedBlock(2)
    expect(order.isReady()).toBe(false)
    publish(plan([], [0]))
    expect(order.isReady()).toBe(true)
  })

  it('names the highest lower transaction that has not settled', () => {
    const { order } = plannedBlock(4, plan([], [], [], [0, 1, 2]))
    const settled = new Set<number>()
    const isSettled = (lower: number): boolean => settled.has(lower)
    expect(order.blocker(tx(3), first, isSettled)).toBe(2)
    settled.add(2).add(0)
    expect(order.blocker(tx(3), first, isSettled)).toBe(1)
    settled.add(1)
    expect(order.blocker(tx(3), first, isSettled)).toBe(NOTHING)
  })
})

describe('a scheduler with a plan', () => {
  it('says when executions may be claimed', () => {
    const { scheduler, publish } = plannedBlock(1)
    expect(scheduler.isPlanned()).toBe(false)
    publish(plan([]))
    expect(scheduler.isPlanned()).toBe(true)
  })

  it('puts a transaction aside until what it waits for has settled', () => {
    const { block, scheduler } = plannedBlock(3, plan([], [0], []))
    expect(scheduler.claimExecution(ALL)).toBe(0)
    expect(scheduler.claimExecution(ALL)).toBe(2)
    expect(block.status(1)).toBe('BLOCKED(0)')
    scheduler.finish(tx(0), true)
    expect(scheduler.claimExecution(ALL)).toBe(1)
  })

  it('asks again after each release, so that all of several have settled', () => {
    const { block, scheduler } = plannedBlock(3, plan([], [], [0, 1]))
    expect([scheduler.claimExecution(ALL), scheduler.claimExecution(ALL)]).toEqual([0, 1])
    expect(scheduler.claimExecution(ALL)).toBe(NOTHING)
    scheduler.finish(tx(1), true)
    expect(scheduler.claimExecution(ALL)).toBe(NOTHING)
    expect(block.status(2)).toBe('BLOCKED(0)')
    scheduler.finish(tx(0), true)
    expect(scheduler.claimExecution(ALL)).toBe(2)
  })
})

describe('priorities', () => {
  it('are claimed before everything else, in their order', () => {
    const { scheduler } = plannedBlock(4, { ...plan([], [], [], []), priority: [3, 1] })
    const claimed = [1, 2, 3, 4, 5].map(() => scheduler.claimExecution(ALL))
    expect(claimed).toEqual([3, 1, 0, 2, NOTHING])
  })

  it('that wait are claimed as soon as they are ready again', () => {
    const { scheduler } = plannedBlock(5, { ...plan([], [], [0], [2], []), priority: [0, 2, 3] })
    expect([scheduler.claimExecution(ALL), scheduler.claimExecution(ALL)]).toEqual([0, 1])
    scheduler.finish(tx(0), true)
    expect(scheduler.claimExecution(ALL)).toBe(2)
    scheduler.finish(tx(2), true)
    expect(scheduler.claimExecution(ALL)).toBe(3)
  })

  it('respect the limit of a lane that may only take lower ones', () => {
    const { scheduler } = plannedBlock(3, { ...plan([], [], []), priority: [2] })
    expect(scheduler.claimExecution(1)).toBe(0)
    expect(scheduler.claimExecution(1)).toBe(NOTHING)
    expect(scheduler.claimExecution(ALL)).toBe(2)
  })
})

describe('a window of levels', () => {
  const levels = Int32Array.of(0, 1, 0, 2)
  const lists = plan([], [0], [], [1])

  it('of one lets a level wait for the whole level before', () => {
    const { block, scheduler } = plannedBlock(4, { ...lists, window: { size: 1, levels } })
    expect([scheduler.claimExecution(ALL), scheduler.claimExecution(ALL)]).toEqual([0, 2])
    scheduler.finish(tx(0), true)
    expect(scheduler.claimExecution(ALL)).toBe(NOTHING)
    expect(block.status(1)).toBe('BLOCKED(0)')
    scheduler.finish(tx(2), true)
    expect(scheduler.claimExecution(ALL)).toBe(1)
  })

  it('of two lets neighbouring levels overlap', () => {
    const { scheduler } = plannedBlock(4, { ...lists, window: { size: 2, levels } })
    scheduler.claimExecution(ALL)
    scheduler.claimExecution(ALL)
    scheduler.finish(tx(0), true)
    expect(scheduler.claimExecution(ALL)).toBe(1)
  })

  it('does not hold back a repetition', () => {
    const { block, scheduler } = plannedBlock(4, { ...lists, window: { size: 1, levels } })
    block.set(1, 'STATUS', packStatus(1, STATE.READY))
    scheduler.claimExecution(ALL)
    scheduler.finish(tx(0), true)
    expect(scheduler.claimExecution(ALL)).toBe(1)
  })

  it('does not wait for what a batch size keeps from starting', () => {
    const { block, order } = plannedBlock(4, { ...lists, window: { size: 1, levels } })
    block.batchSize(2)
    const scheduler = block.another(nativeAtomics, order)
    scheduler.claimExecution(ALL)
    scheduler.finish(tx(0), true)
    // Transaction 2 is of the level before, and waits until 0 and then 1 are final.
    expect(scheduler.claimExecution(ALL)).toBe(1)
    scheduler.commit()
    expect(scheduler.claimExecution(ALL)).toBe(2)
    scheduler.finish(tx(1), true)
    scheduler.commit()
    // By now it may start, so what is above its level waits for it.
    expect(scheduler.claimExecution(ALL)).toBe(NOTHING)
    expect(block.status(3)).toBe('BLOCKED(0)')
    scheduler.finish(tx(2), true)
    expect(scheduler.claimExecution(ALL)).toBe(3)
  })
})

describe('a batch size', () => {
  it('bounds how far above the commit head executions start', () => {
    const { block } = plannedBlock(4)
    block.batchSize(2)
    const scheduler = block.another()
    const claimed = [1, 2, 3].map(() => scheduler.claimExecution(ALL))
    expect(claimed).toEqual([0, 1, NOTHING])
    scheduler.finish(tx(0), true)
    scheduler.commit()
    expect(scheduler.claimExecution(ALL)).toBe(2)
  })
})

describe('recoveries', () => {
  it('are handed out in order, each once, and then no more', () => {
    const { scheduler } = plannedBlock(2)
    const claimed = [1, 2, 3].map(() => scheduler.claimRecovery())
    expect(claimed).toEqual([0, 1, NOTHING])
  })

  it('tell the main thread at its notice and at the end', () => {
    const { block, scheduler } = plannedBlock(3)
    block.notice(2)
    expect([1, 2, 3].map(() => scheduler.recovered())).toEqual([false, true, true])
  })
})
