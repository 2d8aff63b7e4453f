// Chooses how to run each batch by what the ones before it were like. Authority on that choice alone.

import type { ExecutionStats } from './execution-stats.ts'
import type { MvccStore } from './mvcc-store.ts'
import type { BatchResult, EngineTransaction, Executor, Picked, Scheduler } from './scheduler.ts'
import { SchedulerCore } from './scheduler-core.ts'
import { resolveSchedulerOptions, type SchedulerOptions } from './scheduler-options.ts'

/** What is known of the batches so far. */
export interface Observed {
  /** Conflicts per execution, of batches that ran at once; the newest counts half. */
  readonly conflictRate: number
  /** Milliseconds that one execution takes, in the same way; 0: nothing has run yet. */
  readonly transactionMs: number
}

/** Above it, running at once repeats more than it gains. */
const TOO_MANY_CONFLICTS = 0.5
/** What starting a batch on threads costs, about, with the messages. */
const THREADS_MS = 2
/** Batches for which a decision for one after the other holds before it is tried again. */
const PATIENCE = 8

/** What to do with `count` transactions; `isModule`: threads can run them. */
export function choose(
  { conflictRate, transactionMs }: Observed,
  count: number,
  isModule: boolean,
  workers: number,
): Omit<Picked, 'workers'> {
  const where =
    isModule && workers > 1 && (transactionMs === 0 || transactionMs * count > 2 * THREADS_MS)
      ? 'parallel'
      : 'inline'
  const percent = `${(100 * conflictRate).toFixed(0)} % of executions conflicted`
  if (conflictRate > TOO_MANY_CONFLICTS) {
    return { versions: 'snapshot', where: 'inline', why: `${percent}: one after the other` }
  }
  if (where === 'parallel') return { versions: 'mvcc', where, why: `${percent}: on threads` }
  const reason = isModule ? 'too little work for threads' : 'a function stays on its thread'
  return { versions: 'mvcc', where, why: `${percent}; ${reason}` }
}

/** Snapshot or MVCC, on this thread or on workers: by conflicts and by the time that transactions take. */
export class AutoScheduler implements Scheduler {
  readonly name = 'auto'
  readonly #core: SchedulerCore
  #observed: Observed = { conflictRate: 0, transactionMs: 0 }
  #batchesOneByOne = 0

  /** @throws ParallelError `INVALID_OPTION` */
  constructor(options: SchedulerOptions = {}) {
    this.#core = new SchedulerCore(resolveSchedulerOptions(options, 'serializable'))
  }

  get store(): MvccStore {
    return this.#core.store
  }

  get stats(): ExecutionStats {
    return this.#core.stats
  }

  /** The result's `picked` says how it was run, and why. */
  async execute<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    this.#core.check(transactions, executor as Executor)
    const { workers, threadsOnly } = this.#core.options
    const isModule = typeof executor !== 'function'
    const picked = choose(this.#observed, transactions.length, isModule, workers)
    const isAtOnce = picked.versions === 'mvcc'
    const batch = await this.#core.run(transactions, executor, {
      inOrder: false,
      versions: picked.versions,
      inline: picked.where === 'inline' && !threadsOnly,
      workers: isAtOnce ? workers : 1,
      why: picked.why,
    })
    this.#learn(batch)
    return batch
  }

  #learn({ results, conflicts, retries, elapsedMs, picked }: BatchResult): void {
    const executions = results.length + retries
    if (executions === 0) return
    const side = (1 + (picked.where === 'parallel' ? picked.workers : 1)) / 2
    const before = this.#observed
    const mix = (old: number, now: number): number => (old === 0 ? now : (old + now) / 2)
    const transactionMs = mix(before.transactionMs, (elapsedMs * side) / executions)
    if (picked.versions === 'mvcc') {
      this.#batchesOneByOne = 0
      this.#observed = {
        transactionMs,
        conflictRate: mix(before.conflictRate, conflicts / executions),
      }
      return
    }
    // Nothing conflicts one after the other, so only trying tells whether things have changed.
    this.#batchesOneByOne++
    const isOver = this.#batchesOneByOne >= PATIENCE
    this.#observed = { transactionMs, conflictRate: isOver ? 0 : before.conflictRate }
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
