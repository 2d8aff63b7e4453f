// Transactions at once, each on its snapshot, repeated where they collide. Authority on nothing of its own.

import { ParallelError } from '../errors.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { MvccStore } from './mvcc-store.ts'
import type { StateView } from './mvcc-transaction.ts'
import type {
  BatchResult,
  EngineTransaction,
  Executor,
  Scheduler,
  TransactionFunction,
  TransactionResult,
} from './scheduler.ts'
import { SchedulerCore } from './scheduler-core.ts'
import { resolveSchedulerOptions, type SchedulerOptions } from './scheduler-options.ts'

/**
 * Runs transactions in no particular order. With isolation `snapshot`, the default, no write is lost;
 * with `serializable`, all is as if they had run one after the other, in some order.
 */
export class MvccScheduler implements Scheduler {
  readonly name = 'mvcc'
  readonly #core: SchedulerCore
  #next = 0

  /** @throws ParallelError `INVALID_OPTION` */
  constructor(options: SchedulerOptions = {}) {
    this.#core = new SchedulerCore(resolveSchedulerOptions(options, 'snapshot'))
  }

  get store(): MvccStore {
    return this.#core.store
  }

  get stats(): ExecutionStats {
    return this.#core.stats
  }

  execute<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    return this.executeBatchParallel(transactions, executor)
  }

  /** Runs one function as a transaction, on this thread. */
  async executeTransaction<R>(
    run: (state: StateView) => R | Promise<R>,
  ): Promise<TransactionResult<R>> {
    const batch = await this.executeBatchParallel([{ id: `#${this.#next++}` }], run)
    return batch.results[0]
  }

  /** Runs transactions with one executor, or functions, which are numbered from 0. */
  executeBatchParallel<R>(
    functions: readonly TransactionFunction<unknown, R>[],
  ): Promise<BatchResult<R>>
  executeBatchParallel<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>>
  async executeBatchParallel<R>(
    transactions: readonly (EngineTransaction | TransactionFunction<unknown, R>)[],
    executor?: Executor<unknown, R>,
  ): Promise<BatchResult<R>> {
    if (executor === undefined) checkFunctions(transactions)
    const choice = { inOrder: false, why: 'each transaction has a snapshot of its own' }
    if (executor !== undefined) {
      return this.#core.run(transactions as readonly EngineTransaction[], executor, choice)
    }
    const functions = transactions as readonly TransactionFunction<unknown, R>[]
    return this.#core.run(
      functions.map((_, id) => ({ id, input: id })),
      (state, transaction) => functions[transaction.input as number](state, transaction),
      choice,
    )
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** @throws ParallelError `INVALID_ARGUMENT` for what is no list of functions. */
function checkFunctions(given: readonly unknown[]): void {
  if (Array.isArray(given) && given.every((it) => typeof it === 'function')) return
  throw new ParallelError(
    'INVALID_ARGUMENT',
    'Without an executor each transaction must be a function; give the executor of the transactions as the second argument',
  )
}
