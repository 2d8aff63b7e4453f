// Runs transactions of a batch whose order does not matter, each until it commits or has failed.
// Authority on repetition. Which transaction comes next is the queues' matter.

import {
  type BatchWork,
  isConflict,
  isStopped,
  isThenable,
  type Outcome,
  pause,
} from './batch-work.ts'
import { BOARD } from './board.ts'
import { StealingQueues } from './stealing-queues.ts'

/** A transaction that has lost this often makes all others go one at a time. */
const TOO_OFTEN = 8

/** One worker's share: takes transactions until none is left. */
export async function runAnyOrder(work: BatchWork): Promise<void> {
  const queues = new StealingQueues(work.atomics, work.board, work.shape)
  while (!isStopped(work)) {
    const transaction = queues.next(work.worker)
    if (transaction === -1) return
    const outcome = await runUntilItEnds(work, transaction)
    if (outcome === undefined) return
    work.outcomes.push(outcome)
    work.atomics.add(work.board, BOARD.DONE, 1)
  }
}

async function runUntilItEnds(work: BatchWork, index: number): Promise<Outcome | undefined> {
  const { store, admission, isolation, maxRetries } = work
  const transaction = work.transactions[index]
  let conflicts = 0
  for (let attempts = 1; ; attempts++) {
    while (!admission.tryEnter()) {
      if (isStopped(work)) return undefined
      await pause(work, BOARD.RUNNING, admission.running)
    }
    let hadConflict = false
    try {
      const open = store.begin({ isolation })
      try {
        // Awaited only where there is something to await: that costs as much as a short transaction.
        let value: unknown = work.run(open, transaction)
        if (isThenable(value)) value = await value
        // The batch was given up meanwhile: nobody would know of a commit.
        if (isStopped(work)) {
          open.abort()
          return undefined
        }
        open.commit()
        return { transaction: index, isSuccessful: true, value, attempts, conflicts }
      } catch (error) {
        open.abort()
        hadConflict = isConflict(error)
        if (hadConflict) conflicts++
        const isRetriable = work.isRetriable ?? isConflict
        if (attempts > maxRetries || !isRetriable(error)) {
          return { transaction: index, isSuccessful: false, error, attempts, conflicts }
        }
        if (conflicts >= TOO_OFTEN) admission.calm()
      }
    } finally {
      admission.leave()
      admission.count(hadConflict)
    }
  }
}
