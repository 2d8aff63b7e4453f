// Where a worker thread of the engine starts: takes a part of a batch, reports how it ended.
// Must not hold anything from one batch to the next but modules.

import { ParallelError } from '../errors.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { serializeError } from '../workers/serialized-error.ts'
import { runAnyOrder } from './any-order-loop.ts'
import { createWork, isThenable, stopAll } from './batch-work.ts'
import { WORKER, workerWord } from './board.ts'
import type { BatchTask, EngineReport, EngineTask, SentOutcome } from './engine-protocol.ts'
import { loadExecutor } from './executor-module.ts'
import { runInOrder } from './in-order-loop.ts'
import { coreOf, MvccStore } from './mvcc-store.ts'
import type { EngineTransaction, TransactionFunction } from './scheduler.ts'
import { WriteConflictError } from './write-conflict-error.ts'

export default async function runTask(task: EngineTask): Promise<EngineReport> {
  if (task.kind === 'idle') return { kind: 'idle' }
  try {
    return { kind: 'done', outcomes: await runPart(task) }
  } catch (error) {
    // The others must not wait for this worker.
    stopAll(nativeAtomics, new Int32Array(task.board))
    return { kind: 'failed', error: serializeError(error) }
  }
}

async function runPart(task: BatchTask): Promise<SentOutcome[]> {
  const loaded = await loadExecutor(task.module)
  const run: TransactionFunction = (state, transaction) => {
    const value = loaded(state, transaction)
    return isThenable(value)
      ? Promise.resolve(value).then((result) => sendable(result, transaction))
      : sendable(value, transaction)
  }
  const store = MvccStore.attach(task.store)
  const work = createWork({ ...task, store, run, ownsThread: true }, task.board)
  try {
    // So that the calling thread can keep this one from being ended at the wrong moment.
    const { owner, attachment } = coreOf(store).thread
    work.atomics.store(work.board, workerWord(task.worker, WORKER.OWNER), owner)
    work.atomics.store(work.board, workerWord(task.worker, WORKER.ATTACHMENT), attachment)
    await (task.inOrder ? runInOrder(work) : runAnyOrder(work))
  } finally {
    store.dispose()
  }
  return work.outcomes.map((outcome) => ({
    transaction: outcome.transaction,
    isSuccessful: outcome.isSuccessful,
    value: outcome.value,
    error: outcome.isSuccessful ? undefined : serializeError(outcome.error),
    conflict:
      outcome.error instanceof WriteConflictError
        ? { key: outcome.error.key, access: outcome.error.access }
        : undefined,
    attempts: outcome.attempts,
    conflicts: outcome.conflicts,
  }))
}

/**
 * The result, if it can be sent. Tried before the commit, so that a transaction whose result nobody can get
 * fails, and the results of others are not lost with it.
 */
function sendable(value: unknown, { id }: EngineTransaction): unknown {
  if (typeof value !== 'function' && typeof value !== 'symbol') {
    if (typeof value !== 'object' || value instanceof Uint8Array) return value
    try {
      structuredClone(value)
      return value
    } catch {
      // Said below.
    }
  }
  throw new ParallelError(
    'INVALID_ARGUMENT',
    `The result of transaction ${id} cannot be sent from a worker; return data that structuredClone can copy`,
  )
}
