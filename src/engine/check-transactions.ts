// Whether a batch is one: checked where it is given, before anything of it runs.
// Authority on what a transaction must have. Must not look at what it does.

import { ParallelError } from '../errors.ts'
import type { TransactionId } from '../graph/transaction-id.ts'
import type { EngineTransaction } from './scheduler.ts'

/** @throws ParallelError `INVALID_ARGUMENT` that says which one is wrong, and what it must be. */
export function checkTransactions(given: readonly EngineTransaction[]): void {
  if (!Array.isArray(given)) {
    throw invalid(`The transactions of a batch are an array, not ${typeof given}`)
  }
  const ids = new Set<TransactionId>()
  for (const [i, transaction] of given.entries()) {
    if (typeof transaction !== 'object' || transaction === null) {
      throw invalid(`Transaction ${i} of the batch is no object { id, input }`)
    }
    const { id, priority } = transaction
    if (typeof id !== 'string' && typeof id !== 'number') {
      throw invalid(`Transaction ${i} of the batch has no id; it must be text or a number`)
    }
    if (ids.has(id)) throw invalid(`Transaction ${id} is listed twice`)
    ids.add(id)
    checkPriority(id, priority)
  }
}

/** @throws ParallelError `INVALID_ARGUMENT` for what is no integer in 0..255. */
export function checkPriority(id: TransactionId, priority: number | undefined): void {
  if (priority === undefined) return
  if (Number.isInteger(priority) && priority >= 0 && priority <= 255) return
  throw invalid(`The priority of ${id} is ${priority}; it must be an integer from 0 to 255`)
}

function invalid(message: string): ParallelError {
  return new ParallelError('INVALID_ARGUMENT', message)
}
