// A worker's part in a block: recover senders until the block is planned, then commit, validate, resume,
// execute, or sleep, until the block is halted.
// Authority on the order in which a worker looks for work; the scheduler says what the work is.

import { HaltedError } from '../execution/lane-waits.ts'
import { NOTHING, type TxIndex } from '../ids.ts'
import { tellCommits } from '../memory/commit-notice.ts'
import { ringMain, ringSleepers, sleep } from '../memory/doorbell.ts'
import { bellIndex, CONTROL, HALT, pulseIndex } from '../memory/layout.ts'
import type { Lane } from './lane-pool.ts'
import { LaneBoard } from './lanes.ts'
import type { BlockWork } from './worker-environment.ts'

/** A sleeping worker looks again after this many ms, should a ring ever be lost. */
const SLEEP_MS = 50

export interface BlockLoopOptions {
  work: BlockWork
  worker: number
  workers: number
  /** Executions that may be under way at once, at least 2: the last one is kept for lower work. */
  lanes: number
}

/**
 * Works until the block is halted.
 * @returns the error for which this worker halted the block, if it did.
 */
export async function runBlockLoop(options: BlockLoopOptions): Promise<unknown> {
  const { work, worker, workers } = options
  const { context, scheduler, lanes } = work
  const { control, atomics } = context
  const { state } = context.store
  const board = new LaneBoard(control, state, scheduler, atomics, work.resumed, work.bases)
  lanes.begin(board)
  let failure: unknown

  const fail = (error: unknown): void => {
    failure ??= error
    scheduler.halt(HALT.WORKER_ERROR, scheduler.committedEnd())
  }

  const execute = async (lane: Lane): Promise<void> => {
    const { transaction } = lane
    try {
      const wroteElsewhere = await lane.runner.run(
        transaction,
        scheduler.incarnation(transaction),
        work.transaction(transaction),
      )
      atomics.add(control, CONTROL.EXECUTIONS, 1)
      scheduler.finish(transaction, wroteElsewhere)
    } catch (error) {
      if (!(error instanceof HaltedError)) fail(error)
    }
    lanes.giveBack(lane)
    board.finished()
  }

  const recover = (transaction: TxIndex): void => {
    try {
      work.recoverSender(transaction)
      if (scheduler.recovered()) ringMain(atomics, control)
    } catch (error) {
      fail(error)
    }
  }

  for (;;) {
    atomics.add(control, pulseIndex(worker), 1)
    if (scheduler.halted() !== HALT.RUNNING) {
      const abandon = board.takeHalted()
      if (abandon === undefined) break
      await board.run(abandon)
      continue
    }
    // Loaded before looking for work: a ring that comes while looking keeps the worker awake.
    const bell = atomics.load(control, bellIndex(worker))
    const unrecovered = scheduler.claimRecovery()
    if (unrecovered !== NOTHING) {
      recover(unrecovered)
      continue
    }
    if (!scheduler.isPlanned()) {
      // Looked at after the bell: the ring of a halt that came before it is not heard any more.
      if (scheduler.halted() === HALT.RUNNING) sleep(atomics, control, worker, bell, SLEEP_MS)
      continue
    }
    const before = scheduler.committedEnd()
    if (scheduler.commit()) {
      tellCommits(atomics, control, before)
      ringSleepers(atomics, control, workers, worker)
      continue
    }
    if (scheduler.halted() !== HALT.RUNNING) continue
    if (scheduler.validateNext()) {
      ringSleepers(atomics, control, workers, worker)
      continue
    }
    const resume = board.takeReady()
    if (resume !== undefined) {
      await board.run(resume)
      ringSleepers(atomics, control, workers, worker)
      continue
    }
    // The last lane is for a transaction below all that wait: what they wait for can always run.
    const spare = lanes.busy < options.lanes - 1
    const transaction = scheduler.claimExecution(
      spare ? Number.POSITIVE_INFINITY : board.lowestSuspended(),
    )
    if (transaction !== NOTHING) {
      const lane = lanes.take(transaction)
      await board.run(() => void execute(lane))
      ringSleepers(atomics, control, workers, worker)
      continue
    }
    board.tellRequests()
    sleep(atomics, control, worker, bell, SLEEP_MS)
  }
  ringSleepers(atomics, control, workers, worker)
  ringMain(atomics, control)
  return failure
}
