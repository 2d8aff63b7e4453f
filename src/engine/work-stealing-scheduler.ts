// Tasks by priority, spread over workers that take from each other. Authority on what is submitted.
// How queues are taken from is stealing-queues.ts'.

import { ParallelError } from '../errors.ts'
import type { TransactionId } from '../graph/transaction-id.ts'
import { checkPriority } from './check-transactions.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { MvccStore } from './mvcc-store.ts'
import type { BatchResult, EngineTransaction, Executor, Scheduler } from './scheduler.ts'
import { SchedulerCore } from './scheduler-core.ts'
import {
  checkExecutor,
  resolveSchedulerOptions,
  type SchedulerOptions,
} from './scheduler-options.ts'

export interface StealableTask<I = unknown> {
  readonly txId: TransactionId
  /** 0..255, higher first. Default 0. */
  readonly priority?: number
  readonly input?: I
}

/**
 * Each worker has a queue. When it is empty, it takes a few tasks from the global one, and when that is
 * empty, half of what another worker has left. A task of higher priority is taken before one of lower;
 * with several workers it may end later.
 */
export class WorkStealingScheduler implements Scheduler {
  readonly name = 'work-stealing'
  readonly #core: SchedulerCore
  #submitted: EngineTransaction[] = []
  readonly #ids = new Set<TransactionId>()

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

  /** Tasks that wait for {@link executeAll}. */
  get pendingCount(): number {
    return this.#submitted.length
  }

  /** @throws ParallelError `INVALID_ARGUMENT` for a wrong priority, or an id that waits already. */
  submitTask({ txId, priority, input }: StealableTask): void {
    this.#core.mustBeOpen()
    checkPriority(txId, priority)
    if (this.#ids.has(txId)) {
      throw new ParallelError('INVALID_ARGUMENT', `Task ${txId} was submitted already`)
    }
    this.#ids.add(txId)
    this.#submitted.push({ id: txId, priority: priority ?? 0, input })
  }

  /** All or none. @throws ParallelError as {@link submitTask} */
  submitTasks(tasks: Iterable<StealableTask>): void {
    const before = this.#submitted.length
    try {
      for (const task of tasks) this.submitTask(task)
    } catch (error) {
      for (const { id } of this.#submitted.splice(before)) this.#ids.delete(id)
      throw error
    }
  }

  /**
   * Runs everything that was submitted; results come in the order of submission. Where the executor is
   * refused, all still wait.
   */
  async executeAll<R>(executor: Executor<never, R>): Promise<BatchResult<R>> {
    this.#core.mustBeOpen()
    checkExecutor(executor as Executor, this.#core.options.threadsOnly)
    const transactions = this.#submitted
    this.#submitted = []
    this.#ids.clear()
    return this.#run(transactions, executor as Executor<unknown, R>)
  }

  execute<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    return this.#run(transactions, executor)
  }

  #run<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    return this.#core.run(transactions, executor, {
      inOrder: false,
      why: 'tasks by priority, taken by whoever has nothing to do',
    })
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
