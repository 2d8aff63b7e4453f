// What all schedulers share: a store, threads, counts, and an end. Authority on closing.
// Must not choose how a batch is run.

import { AsyncLocalStorage } from 'node:async_hooks'
import { ParallelError } from '../errors.ts'
import { checkTransactions } from './check-transactions.ts'
import { EngineThreads } from './engine-threads.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { MvccStore } from './mvcc-store.ts'
import { type BatchPlan, runBatch } from './run-batch.ts'
import type { BatchResult, EngineTransaction, Executor } from './scheduler.ts'
import { checkExecutor, type ResolvedSchedulerOptions } from './scheduler-options.ts'

/** What a scheduler decides for each batch. */
export type BatchChoice = Pick<BatchPlan, 'inOrder' | 'why'> & Partial<BatchPlan>

/** Something that a scheduler runs. */
export interface Call {
  isOver: boolean
}

export class SchedulerCore implements AsyncDisposable {
  readonly options: ResolvedSchedulerOptions
  readonly #threads: EngineThreads
  readonly #running = new Set<Promise<unknown>>()
  readonly #calls = new AsyncLocalStorage<Call>()
  #closing: Promise<void> | undefined

  constructor(options: ResolvedSchedulerOptions) {
    this.options = options
    this.#threads = new EngineThreads(options.workers)
  }

  get store(): MvccStore {
    return this.options.store
  }

  get stats(): ExecutionStats {
    return this.options.stats
  }

  /** Runs a batch as `choice` says, by the scheduler's options otherwise. */
  async run<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
    choice: BatchChoice,
  ): Promise<BatchResult<R>> {
    this.check(transactions, executor as Executor)
    return this.track(() => this.runPart(transactions, executor, choice))
  }

  /** The same for a part of what was checked and is tracked as a whole: also while this closes. */
  async runPart<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
    choice: BatchChoice,
  ): Promise<BatchResult<R>> {
    const { isRetriable, ...rest } = this.options
    const batch = await runBatch({
      ...rest,
      ...(isRetriable === undefined ? {} : { isRetriable }),
      transactions,
      executor: executor as Executor,
      threads: this.#threads,
      ...choice,
    })
    return batch as BatchResult<R>
  }

  /** @throws ParallelError for a batch that cannot be run, before anything of it is. */
  check(transactions: readonly EngineTransaction[], executor: Executor): void {
    this.mustBeOpen()
    checkTransactions(transactions)
    checkExecutor(executor, this.options.threadsOnly)
  }

  /** Makes `close` wait for `work`. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    const call: Call = { isOver: false }
    const running = this.within(call, work)
    this.#running.add(running)
    try {
      return await running
    } finally {
      call.isOver = true
      this.#running.delete(running)
    }
  }

  /** Does `work`, and knows by {@link isWithin} what is called from there. */
  within<T>(call: Call, work: () => T): T {
    return this.#calls.run(call, work)
  }

  /** Whether the caller is itself run by this scheduler: then to wait for that would be for ever. */
  get isWithin(): boolean {
    return this.#calls.getStore()?.isOver === false
  }

  /** @throws ParallelError `DISPOSED` */
  mustBeOpen(): void {
    if (this.#closing === undefined) return
    throw new ParallelError('DISPOSED', 'The scheduler is closed; make a new one')
  }

  /** Called again, it waits for the same end. @throws ParallelError `INVALID_ARGUMENT` in a transaction. */
  async close(): Promise<void> {
    if (this.isWithin) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        'A transaction cannot close the scheduler that runs it: close() waits for its end',
      )
    }
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running)
    await this.#threads.close()
    if (this.options.ownsStore) this.store.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
