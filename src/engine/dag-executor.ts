// Batches whose result is that of running them in order, run by what their transactions depend on.
// Authority on the graph of a batch; that a wrong graph does no harm is in-order-loop.ts'.

import { availableParallelism } from 'node:os'
import { ReadWriteSet } from '../access/read-write-set.ts'
import { ConflictDetector } from '../graph/conflict-detector.ts'
import { integerWithin, invalidOption, MAX_WORKERS } from '../options.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { MvccStore } from './mvcc-store.ts'
import { lastNeededOf } from './run-batch.ts'
import type { BatchResult, EngineTransaction, Executor, Scheduler } from './scheduler.ts'
import { type BatchChoice, SchedulerCore } from './scheduler-core.ts'
import { resolveSchedulerOptions, type SchedulerOptions } from './scheduler-options.ts'

export interface DagExecutorOptions extends Omit<SchedulerOptions, 'workers' | 'numWorkers'> {
  /**
   * Worker threads, or functions under way at once, up to 64. 0, the default: by `workload`, one for each
   * core for `cpu`; half as many again for `io`, from 2 to 32, because some are always waiting.
   */
  threadCount?: number
  /** What transactions spend their time with. Default `cpu`. */
  workload?: 'cpu' | 'io'
  /** Transactions that are planned and run together, from 1; more are cut into several. Default: all. */
  maxBatchSize?: number
  /** Batches with a longer chain of dependencies run one by one, from 1. Default: any length. */
  maxDependencyDepth?: number
  /** What runs transactions where a batch does not name it. Default: each batch must. */
  executor?: Executor<never>
}

const LARGEST = 2 ** 31 - 1
const NO_BOUND = Number.POSITIVE_INFINITY

/**
 * Runs a batch so that it leaves what running it in order would leave, and every result is the one that
 * it has there. Transactions with declared accesses begin when those that they depend on are final; the
 * others are guesses, which are checked in their turn and run again where they read what has changed. A
 * declaration that is wrong costs time, never the result.
 */
export class DagExecutor implements Scheduler {
  readonly name = 'dag'
  readonly #core: SchedulerCore
  readonly #maxBatchSize: number
  readonly #maxDependencyDepth: number
  readonly #executor: Executor | undefined

  /** @throws ParallelError `INVALID_OPTION` */
  constructor(options: DagExecutorOptions = {}) {
    const { threadCount, workload, maxBatchSize, maxDependencyDepth, executor, ...common } = options
    this.#executor = executor as Executor | undefined
    this.#maxBatchSize = integerWithin('maxBatchSize', maxBatchSize, 1, LARGEST, NO_BOUND)
    this.#maxDependencyDepth = integerWithin(
      'maxDependencyDepth',
      maxDependencyDepth,
      1,
      LARGEST,
      NO_BOUND,
    )
    const workers =
      integerWithin('threadCount', threadCount, 0, MAX_WORKERS, 0) || automaticThreads(workload)
    this.#core = new SchedulerCore(resolveSchedulerOptions({ ...common, workers }, 'serializable'))
  }

  get store(): MvccStore {
    return this.#core.store
  }

  get stats(): ExecutionStats {
    return this.#core.stats
  }

  /** Worker threads, or functions under way at once. */
  get threadCount(): number {
    return this.#core.options.workers
  }

  execute<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    return this.executeBatch(transactions, executor)
  }

  /**
   * Runs a batch with `executor`, by default that of the options.
   * @throws ParallelError see `Scheduler.execute`
   */
  async executeBatch<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R> = this.#executor as Executor<I, R>,
  ): Promise<BatchResult<R>> {
    this.#core.check(transactions, executor as Executor)
    return this.#core.track(() => this.#runAll(transactions, executor))
  }

  async #runAll<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    const size = this.#maxBatchSize
    if (transactions.length <= size) return this.#runOne(transactions, executor)
    const parts: BatchResult<R>[] = []
    for (let from = 0; from < transactions.length; from += size) {
      parts.push(await this.#runOne(transactions.slice(from, from + size), executor))
    }
    return joined(parts)
  }

  #runOne<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    return this.#core.runPart(transactions, executor, this.#plan(transactions))
  }

  #plan(transactions: readonly EngineTransaction[]): BatchChoice {
    const inOrder = true
    const uncertain = transactions.filter(({ accesses }) => accesses === undefined).length
    if (uncertain === transactions.length) {
      return { inOrder, why: 'no accesses are declared: all transactions are run ahead as guesses' }
    }
    const detector = new ConflictDetector()
    for (const { id, accesses } of transactions) detector.record(id, accesses ?? new ReadWriteSet())
    const graph = detector.buildDependencyGraph()
    const depth = graph.criticalPath().weight
    if (depth > this.#maxDependencyDepth) {
      const why = `the longest chain has ${depth} transactions, above maxDependencyDepth`
      return { inOrder, workers: 1, versions: 'snapshot', why }
    }
    const lastNeeded = lastNeededOf(transactions, graph)
    const why = `a graph of ${graph.edgeCount} dependencies, ${depth} deep; ${uncertain} transactions are guesses`
    return { inOrder, lastNeeded, why }
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** @throws ParallelError `INVALID_OPTION` for a workload that there is not. */
function automaticThreads(workload: 'cpu' | 'io' = 'cpu'): number {
  const cores = availableParallelism()
  if (workload === 'cpu') return Math.min(cores, MAX_WORKERS)
  if (workload === 'io') return Math.min(32, Math.max(2, Math.ceil(1.5 * cores)))
  throw invalidOption('workload', workload, '"cpu" or "io"')
}

function joined<R>(parts: readonly BatchResult<R>[]): BatchResult<R> {
  const sum = (field: 'successful' | 'failed' | 'conflicts' | 'retries' | 'elapsedMs'): number =>
    parts.reduce((total, part) => total + part[field], 0)
  return {
    results: parts.flatMap(({ results }) => results),
    successful: sum('successful'),
    failed: sum('failed'),
    conflicts: sum('conflicts'),
    retries: sum('retries'),
    elapsedMs: sum('elapsedMs'),
    picked: { ...parts[0].picked, why: `${parts.length} parts; first: ${parts[0].picked.why}` },
  }
}
