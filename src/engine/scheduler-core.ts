// What all schedulers share: a store, threads, counts, and an end. Authority on closing.
// Must not choose how a batch is run.

import { ParallelError } from '../errors.ts'
import { EngineThreads } from './engine-threads.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { MvccStore } from './mvcc-store.ts'
import { type BatchPlan, runBatch } from './run-batch.ts'
import type { BatchResult, EngineTransaction, Executor } from './scheduler.ts'
import { checkExecutor, type ResolvedSchedulerOptions } from './scheduler-options.ts'

/** What a scheduler decides for each batch. */
export type BatchChoice = Pick<BatchPlan, 'inOrder' | 'why'> & Partial<BatchPlan>

export class SchedulerCore implements AsyncDisposable {
  readonly options: ResolvedSchedulerOptions
  readonly #threads: EngineThreads
  readonly #running = new Set<Promise<unknown>>()
  #isClosed = false

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
    this.mustBeOpen()
    checkExecutor(executor as Executor, this.options.threadsOnly)
    const { isRetriable, ...rest } = this.options
    const batch = runBatch({
      ...rest,
      ...(isRetriable === undefined ? {} : { isRetriable }),
      transactions,
      executor: executor as Executor,
      threads: this.#threads,
      ...choice,
    })
    return (await this.track(batch)) as BatchResult<R>
  }

  /** Makes `close` wait for `work`. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
    }
  }

  /** @throws ParallelError `DISPOSED` */
  mustBeOpen(): void {
    if (!this.#isClosed) return
    throw new ParallelError('DISPOSED', 'The scheduler is closed; make a new one')
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.allSettled(this.#running)
    await this.#threads.close()
    if (this.options.ownsStore) this.store.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
