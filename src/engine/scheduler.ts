// What every scheduler of the engine takes and gives. Authority on the meaning of a batch's result.
// Must not run anything.

import type { ReadWriteSet } from '../access/read-write-set.ts'
import type { TransactionId } from '../graph/transaction-id.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { StateView } from './mvcc-transaction.ts'

/** One transaction: what a function is called with. To go to a worker it must be cloneable data. */
export interface EngineTransaction<I = unknown> {
  readonly id: TransactionId
  readonly input?: I
  /** 0..255, higher first; 0 by default. Means nothing where transactions keep their order. */
  readonly priority?: number
  /** What it will read and write, where that is known before. It is not sent to workers. */
  readonly accesses?: ReadWriteSet
}

/**
 * What a transaction does. It is run again after a conflict, so it must depend on nothing but the state
 * and the transaction, and have no effects but on the state.
 */
export type TransactionFunction<I = unknown, R = unknown> = (
  state: StateView,
  transaction: EngineTransaction<I>,
) => R | PromiseLike<R>

/**
 * A function, which runs on the calling thread; or the path or URL of a module whose default export is
 * one, which runs on worker threads: functions cannot be sent to threads. A module's result must be
 * cloneable.
 */
export type Executor<I = unknown, R = unknown> = TransactionFunction<I, R> | string | URL

/** How one transaction ended. */
export interface TransactionResult<R = unknown> {
  readonly id: TransactionId
  readonly isSuccessful: boolean
  /** What the function returned, if it is successful. */
  readonly value?: R
  /** Why it is not. */
  readonly error?: Error
  /** Times that it was run, and how many of these lost against another transaction. */
  readonly attempts: number
  readonly conflicts: number
}

export interface BatchResult<R = unknown> {
  /** One for each transaction, in the order in which they were given. */
  readonly results: readonly TransactionResult<R>[]
  readonly successful: number
  readonly failed: number
  /** Sums over the transactions. */
  readonly conflicts: number
  readonly retries: number
  readonly elapsedMs: number
  readonly picked: Picked
}

/** How a batch was run. */
export interface Picked {
  /** `snapshot`: one transaction after the other; `mvcc`: at once, on snapshots of their own. */
  readonly versions: 'snapshot' | 'mvcc'
  /** `inline`: on the calling thread; `parallel`: on worker threads. */
  readonly where: 'inline' | 'parallel'
  /** Worker threads, or functions under way at once. */
  readonly workers: number
  readonly why: string
}

/** What all schedulers have in common. */
export interface Scheduler extends AsyncDisposable {
  readonly name: SchedulerKind
  /** Counts over all that it has run. */
  readonly stats: ExecutionStats
  /**
   * Runs all of them; resolves when each has committed or failed. That one fails is a result and no
   * error.
   * @throws ParallelError `DISPOSED`, `INVALID_ARGUMENT`, `MODULE_REQUIRED`, `WORKER_FAILED`,
   * `WORKER_SETUP_FAILED` for a module that cannot be used, `EXECUTION_TIMEOUT`.
   */
  execute<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>>
  /** Waits for what is under way and ends its threads. Nothing can be run afterwards. */
  close(): Promise<void>
}

export const ENGINE_SCHEDULERS = ['auto', 'parallel', 'mvcc', 'work-stealing', 'dag'] as const
export type SchedulerKind = (typeof ENGINE_SCHEDULERS)[number]
