// Waiting and waking: estimates, wake-ups that come too late or too often, and chains longer than all lanes.
// Authority on pitfalls 11, 12 and 22. It must not wait for a time to pass: what wakes whom is asked for.
import { describe, expect, it } from 'vitest'
import { BASE_WRITER, type LocationId, NOTHING } from '../../src/ids.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import { LOCATION, SLOT } from '../../src/memory/layout.ts'
import { ReadSetRecorder } from '../../src/mvcc/read-set.ts'
import { FOUND } from '../../src/mvcc/version-store.ts'
import { LaneBoard } from '../../src/workers/lanes.ts'
import { actors } from '../support/random-world.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { strictSuite } from '../support/strict-suite.ts'
import { LayersInMemory, transactionAt } from './layers-in-memory.ts'
import { cells, expectEqualEveryTime, readSlot, relayed, writeSlot } from './pitfall-blocks.ts'
import { chain, slowStage } from './slow-counter.ts'

const [alice, bob, carol, dave] = actors

const suite = strictSuite({ accounts: slowStage })

describe('waiting and waking', () => {
  it('11. writes of a failed validation stay estimates until re-executed: readers wait and do not guess', () => {
    const layers = new LayersInMemory(3)
    const { scheduler, store } = layers
    const slot = layers.slot(layers.account(1), 1)
    const other = layers.slot(layers.account(1), 2)
    const [head, otherHead] = [slot + SLOT.HEAD, other + SLOT.HEAD] as [LocationId, LocationId]
    for (let index = 0; index < 3; index++) scheduler.claimExecution(3)

    // Transaction 1 ran on the base and wrote; then transaction 0 wrote what it had read.
    const reads = new ReadSetRecorder()
    reads.recordSlot(otherHead, BASE_WRITER, 0, undefined, 0)
    const write = layers.publish(1, 0, LOCATION.SLOT, head, 5n)
    layers.leave(1, reads, [write])
    scheduler.finish(transactionAt(1), true)
    const cause = layers.publish(0, 0, LOCATION.SLOT, otherHead, 1n)
    layers.leave(0, new ReadSetRecorder(), [cause])
    scheduler.finish(transactionAt(0), true)
    while (scheduler.validateNext());
    scheduler.commit()

    const seen = (): number => store.find(head, transactionAt(2))
    expect(scheduler.incarnation(transactionAt(1))).toBe(1)
    expect([seen(), store.writer]).toEqual([FOUND.ESTIMATE, 1])
    // Neither other work nor the claim of the repetition changes that.
    expect(scheduler.commit()).toBe(false)
    expect(scheduler.claimExecution(3)).toBe(1)
    while (scheduler.validateNext());
    expect([seen(), store.writer]).toEqual([FOUND.ESTIMATE, 1])
    layers.publish(1, 1, LOCATION.SLOT, head, 6n)
    expect([seen(), store.incarnation]).toEqual([FOUND.VERSION, 1])
    store.markEstimate(write.node)
    store.withdraw(write.node)
    expect(seen()).toBe(FOUND.BASE)
  })

  it('11. writes of a failed validation stay estimates until re-executed: a block that aborts a lot', async () => {
    await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        relayed(alice, cells, turns(3000), writeSlot(1, 2)),
        ...chain(6, turns).transactions.map((one) => ({ ...one, from: bob })),
        relayed(carol, cells, 0, readSlot(1)),
        ...chain(6, turns).transactions.map((one) => ({ ...one, from: dave })),
        relayed(carol, cells, turns(), writeSlot(1, 3)),
        relayed(dave, cells, 0, readSlot(1)),
      ],
    }))
  })

  it('12. stale wake-ups: a verdict on one incarnation does not abort the next', () => {
    let validating = false
    const layers: LayersInMemory = new LayersInMemory(2, {
      refutes: (transaction, isFinal) => {
        if (transaction !== 0 || isFinal || validating) return true
        // While this verdict is being formed, another worker aborts and repeats the transaction.
        validating = true
        layers.scheduler.commit()
        expect(layers.scheduler.claimExecution(2)).toBe(0)
        layers.scheduler.finish(transactionAt(0), false)
        return true
      },
      markEstimates: (transaction) => aborted.push(layers.scheduler.incarnation(transaction)),
      committed: () => {},
    })
    const aborted: number[] = []
    layers.scheduler.claimExecution(2)
    layers.scheduler.finish(transactionAt(0), true)
    layers.scheduler.validateNext()
    expect(aborted).toEqual([0])
    expect(layers.scheduler.incarnation(transactionAt(0))).toBe(1)
    expect(layers.scheduler.isSettled(0)).toBe(true)
  })

  it('12. stale wake-ups: who is woken looks again, and sleeps on if what it waits for was undone', async () => {
    let refuted = false
    const layers = new LayersInMemory(3, {
      refutes: (transaction) => transaction === 1 && refuted,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler, control, state } = layers
    const board = new LaneBoard(control, state, scheduler, nativeAtomics)
    for (let index = 0; index < 3; index++) scheduler.claimExecution(3)
    let resumed = 0
    await board.run(() => {
      void board
        .waits(transactionAt(2))
        .transaction(1)
        .then(() => resumed++)
    })
    scheduler.finish(transactionAt(0), false)
    expect(board.takeReady()).toBeUndefined()
    scheduler.finish(transactionAt(1), false)
    refuted = true
    while (scheduler.validateNext());
    expect(scheduler.isSettled(1)).toBe(false)
    expect(board.takeReady()).toBeUndefined()
    refuted = false
    expect(scheduler.claimExecution(3)).toBe(1)
    expect(board.takeReady()).toBeUndefined()
    scheduler.finish(transactionAt(1), false)
    board.takeReady()?.()
    await Promise.resolve()
    expect(resumed).toBe(1)
    expect(board.takeReady()).toBeUndefined()
  })

  it('12. stale wake-ups: a transaction deferred to one that has just settled is not forgotten', () => {
    const layers = new LayersInMemory(2, {
      refutes: () => false,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler } = layers
    expect([scheduler.claimExecution(2), scheduler.claimExecution(2)]).toEqual([0, 1])
    scheduler.finish(transactionAt(0), true)
    scheduler.defer(transactionAt(1), transactionAt(0))
    expect(scheduler.claimExecution(2)).toBe(1)
    // Its wait is over: nothing that happens to the blocker later makes it ready a second time.
    scheduler.commit()
    expect(scheduler.claimExecution(2)).toBe(NOTHING)
  })

  it('22. no deadlock: a worker with suspended lanes only takes what is below all of them', async () => {
    let refuted = -1
    const layers = new LayersInMemory(6, {
      refutes: (transaction) => transaction === refuted,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler, control, state } = layers
    const board = new LaneBoard(control, state, scheduler, nativeAtomics)
    for (let index = 0; index < 5; index++) scheduler.claimExecution(6)
    for (const [waiting, lower] of [
      [4, 3],
      [3, 1],
    ] as const) {
      await board.run(() => void board.waits(transactionAt(waiting)).transaction(lower))
    }
    expect(board.lowestSuspended()).toBe(3)
    expect(scheduler.claimExecution(board.lowestSuspended())).toBe(NOTHING)
    // The last lane stays free for what they wait for, when it has to run again.
    for (const done of [0, 1, 2]) scheduler.finish(transactionAt(done), false)
    refuted = 1
    while (scheduler.validateNext());
    expect(scheduler.isSettled(1)).toBe(false)
    expect(scheduler.claimExecution(board.lowestSuspended())).toBe(1)
    refuted = -1
    scheduler.finish(transactionAt(1), false)
    board.takeReady()?.()
    expect(board.lowestSuspended()).toBe(4)
  })

  it('22. no deadlock: chains longer than all lanes together end, with one worker and with two', async () => {
    const one = await strictExecutor({ workers: 1 })
    try {
      for (const executor of [one, suite.executor]) {
        const run = await expectEqualEveryTime(
          { executor, world: suite.world },
          (turns) => ({
            transactions: [
              relayed(alice, cells, turns(3000), writeSlot(1, 2)),
              ...chain(48, (most) => turns(most && most / 3), 8).transactions,
            ],
          }),
          4,
        )
        expect(run.report.levels).toBeGreaterThanOrEqual(48)
      }
    } finally {
      await one.close()
    }
  })
})
