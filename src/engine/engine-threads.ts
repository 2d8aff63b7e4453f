// The worker threads of a scheduler, made when they are first needed, and a batch's run on them.
// Authority on ending a thread: never while it is at work in the store.

import { ParallelError } from '../errors.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { deserializeError, type SerializedError } from '../workers/serialized-error.ts'
import { ThreadPool } from '../workers/thread-pool.ts'
import { type Outcome, stopAll } from './batch-work.ts'
import { WORKER, workerWord } from './board.ts'
import type { BatchTask, EngineReport, EngineTask, SentOutcome } from './engine-protocol.ts'
import { coreOf, type MvccStore } from './mvcc-store.ts'
import type { EngineTransaction } from './scheduler.ts'
import { type AttachedThread, forgetThread, holdThread } from './store-core.ts'
import { WriteConflictError } from './write-conflict-error.ts'

/** Time that workers get to stop by themselves once they are told to. */
const GRACE_MS = 100

export class EngineThreads {
  readonly #size: number
  #pool: Promise<ThreadPool<EngineTask, EngineReport>> | undefined

  constructor(size: number) {
    this.#size = size
  }

  /**
   * Runs a batch, each of `tasks` on a thread of its own.
   * @throws ParallelError `WORKER_FAILED`, `WORKER_SETUP_FAILED`, `EXECUTION_TIMEOUT`
   */
  async run(
    tasks: readonly BatchTask[],
    store: MvccStore,
    board: Int32Array,
    timeoutMs: number,
  ): Promise<Outcome[]> {
    this.#pool ??= startPool(this.#size)
    const pool = await this.#pool
    const stops = tasks.map(() => new AbortController())
    const running = tasks.map(async (task, worker) => {
      try {
        return await pool.run(task, stops[worker])
      } catch (error) {
        // The thread is no more: the others must not wait for it, nor the collector for its snapshots.
        stopAll(nativeAtomics, board)
        forget(store, board, worker)
        throw error
      }
    })
    const timer = new Timeout(timeoutMs)
    const settled = Promise.allSettled(running)
    const inTime = await Promise.race([settled, timer.over])
    timer.cancel()
    if (inTime === undefined) {
      stopAll(nativeAtomics, board)
      await Promise.race([settled, new Timeout(GRACE_MS).over])
      // Those that are in a transaction's function do not look at the board.
      await Promise.all(stops.map((stop, worker) => end(pool, stop, store, board, worker)))
      throw new ParallelError(
        'EXECUTION_TIMEOUT',
        `The batch took longer than ${timeoutMs} ms; transactions that had not committed left nothing behind`,
      )
    }
    return collectReports(await settled, tasks[0].transactions)
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    // Threads that could not start are not there to be ended; their batch has told of it.
    await (await pool?.catch(() => undefined))?.close()
  }
}

/** Resolves when all threads have started, so that a batch's time does not begin before. */
async function startPool(size: number): Promise<ThreadPool<EngineTask, EngineReport>> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const entry = new URL(`./engine-worker.${extension}`, import.meta.url).href
  const idleTask: EngineTask = { kind: 'idle' }
  const pool = new ThreadPool<EngineTask, EngineReport>({ size, entry, idleTask })
  await Promise.all(Array.from({ length: size }, () => pool.run(idleTask)))
  return pool
}

async function end(
  pool: ThreadPool<EngineTask, EngineReport>,
  stop: AbortController,
  store: MvccStore,
  board: Int32Array,
  worker: number,
): Promise<void> {
  const thread = threadOf(board, worker)
  if (thread !== undefined) holdThread(coreOf(store), thread)
  await pool.end(stop)
  forget(store, board, worker)
}

function forget(store: MvccStore, board: Int32Array, worker: number): void {
  const thread = threadOf(board, worker)
  if (thread !== undefined) forgetThread(coreOf(store), thread)
}

/** `undefined` if the worker has not attached to the store. */
function threadOf(board: Int32Array, worker: number): AttachedThread | undefined {
  const attachment = Atomics.load(board, workerWord(worker, WORKER.ATTACHMENT))
  const owner = Atomics.load(board, workerWord(worker, WORKER.OWNER))
  return attachment === 0 ? undefined : { owner, attachment }
}

function collectReports(
  settled: readonly PromiseSettledResult<EngineReport>[],
  transactions: readonly EngineTransaction[],
): Outcome[] {
  const outcomes: Outcome[] = []
  for (const part of settled) {
    if (part.status === 'rejected') {
      if (part.reason?.name === 'DataCloneError') throw unsendable(transactions, part.reason)
      const reason = part.reason instanceof Error ? part.reason.message : String(part.reason)
      throw new ParallelError(
        'WORKER_FAILED',
        `A worker failed during the batch: ${reason}. Each transaction is committed whole or not at all; look into the store to see which`,
        { cause: part.reason },
      )
    }
    if (part.value.kind === 'failed') throw deserializeError(part.value.error)
    if (part.value.kind !== 'done') continue
    for (const { error, conflict, ...outcome } of part.value.outcomes) {
      outcomes.push(
        error === undefined ? outcome : { ...outcome, error: restored(error, conflict) },
      )
    }
  }
  return outcomes
}

/** The batch did not get as far as a thread: which input it was. */
function unsendable(transactions: readonly EngineTransaction[], cause: Error): ParallelError {
  const wrong = transactions.find(({ input }) => {
    try {
      structuredClone(input)
      return false
    } catch {
      return true
    }
  })
  return new ParallelError(
    'INVALID_ARGUMENT',
    `The input of transaction ${wrong?.id} cannot be sent to a worker: ${cause.message}; use data that structuredClone can copy`,
    { cause },
  )
}

/** What a transaction's function threw, as far as it can be sent. */
function restored(error: SerializedError, conflict: SentOutcome['conflict']): Error {
  if (conflict !== undefined) return new WriteConflictError(conflict.key, conflict.access)
  if (error.code !== undefined) return deserializeError(error)
  const restored = new Error(error.message)
  restored.name = error.name
  if (error.stack !== undefined) restored.stack = error.stack
  return restored
}

class Timeout {
  /** Resolves to nothing when the time is over; never, if it is cancelled or infinite. */
  readonly over: Promise<undefined>
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      if (ms !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => resolve(undefined), ms)
    })
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}
