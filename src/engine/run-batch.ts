// Runs one batch: makes its board, starts its loops on this thread or on workers, puts the results together.
// Authority on what is in a batch's result. Must not choose how a batch is run: schedulers do.

import { ParallelError } from '../errors.ts'
import type { DependencyGraph } from '../graph/dependency-graph.ts'
import { Admission } from './admission.ts'
import { runAnyOrder } from './any-order-loop.ts'
import { createWork, type Outcome, type RetryRule, stopAll } from './batch-work.ts'
import { type BoardShape, createBoard, lastNeededWord } from './board.ts'
import type { BatchTask } from './engine-protocol.ts'
import type { EngineThreads } from './engine-threads.ts'
import type { ExecutionStats } from './execution-stats.ts'
import { executorUrl, loadExecutor } from './executor-module.ts'
import { runInOrder } from './in-order-loop.ts'
import type { MvccStore } from './mvcc-store.ts'
import type {
  BatchResult,
  EngineTransaction,
  Executor,
  Picked,
  TransactionFunction,
  TransactionResult,
} from './scheduler.ts'
import { StealingQueues } from './stealing-queues.ts'

export interface BatchPlan extends RetryRule {
  readonly store: MvccStore
  readonly transactions: readonly EngineTransaction[]
  readonly executor: Executor
  /** Worker threads for a module, functions under way at once for a function. */
  readonly workers: number
  /** As if one after the other in the order given; else in any order, by priority. */
  readonly inOrder: boolean
  /** Of each transaction, the last one that must be final before it may begin, or -1. */
  readonly lastNeeded?: ArrayLike<number>
  /** A module's function is called on this thread, like any function. */
  readonly inline?: boolean
  readonly timeoutMs: number
  readonly threads: EngineThreads
  readonly stats: ExecutionStats
  readonly versions?: Picked['versions']
  readonly why: string
}

/** @throws ParallelError see `Scheduler.execute` */
export async function runBatch(plan: BatchPlan): Promise<BatchResult> {
  const start = performance.now()
  const url = executorUrl(plan.executor)
  const onThreads = url !== undefined && plan.inline !== true
  if (onThreads && plan.isRetriable !== undefined) {
    throw new ParallelError(
      'MODULE_REQUIRED',
      'isRetriable is a function and cannot be sent to worker threads; catch the error in the module instead',
    )
  }
  const { transactions } = plan
  const count = transactions.length
  const shape: BoardShape = {
    workers: Math.max(1, Math.min(plan.workers, count)),
    transactions: count,
  }
  const board = createBoard(shape)
  const words = new Int32Array(board)
  Admission.start(words, shape.workers)
  if (!plan.inOrder) StealingQueues.order(words, shape, (i) => transactions[i].priority ?? 0)
  for (let i = 0; i < count; i++) words[lastNeededWord(shape, i)] = plan.lastNeeded?.[i] ?? -1
  let outcomes: readonly Outcome[] = []
  if (count > 0) {
    outcomes = onThreads
      ? await plan.threads.run(tasksOf(plan, shape, board, url), plan.store, words, plan.timeoutMs)
      : await runHere(plan, shape, board, await functionOf(plan.executor, url))
  }
  const result = resultOf(transactions, outcomes, performance.now() - start, {
    versions: plan.versions ?? 'mvcc',
    where: onThreads ? 'parallel' : 'inline',
    workers: shape.workers,
    why: plan.why,
  })
  const { successful, failed, retries, conflicts, elapsedMs } = result
  plan.stats.add({ successful, failed, retries, conflicts, elapsedMs, rollbacks: failed + retries })
  return result
}

/**
 * Of each transaction, the last one that it depends on, or -1: transactions become final in order, so that
 * one stands for all of them.
 */
export function lastNeededOf(
  transactions: readonly EngineTransaction[],
  graph: DependencyGraph,
): Int32Array {
  const positions = new Map(transactions.map(({ id }, position) => [id, position]))
  return Int32Array.from(transactions, ({ id }) => {
    let last = -1
    for (const on of graph.getDependencies(id)) last = Math.max(last, positions.get(on) as number)
    return last
  })
}

async function runHere(
  plan: BatchPlan,
  shape: BoardShape,
  board: SharedArrayBuffer,
  run: TransactionFunction,
): Promise<readonly Outcome[]> {
  const works = Array.from({ length: shape.workers }, (_, worker) =>
    createWork({ ...plan, run, worker, shape, ownsThread: false }, board),
  )
  const loop = plan.inOrder ? runInOrder : runAnyOrder
  const stop = (): void => stopAll(works[0].atomics, works[0].board)
  const all = Promise.all(
    works.map((work) =>
      loop(work).catch((error: unknown) => {
        stop()
        throw error
      }),
    ),
  )
  await within(plan.timeoutMs, all, stop)
  return works.flatMap(({ outcomes }) => outcomes)
}

function functionOf(
  executor: Executor,
  url: string | undefined,
): TransactionFunction | Promise<TransactionFunction> {
  return url === undefined ? (executor as TransactionFunction) : loadExecutor(url)
}

/** @throws ParallelError `EXECUTION_TIMEOUT` if `work` takes longer. */
async function within(ms: number, work: Promise<unknown>, stop: () => void): Promise<void> {
  if (ms === Number.POSITIVE_INFINITY) {
    await work
    return
  }
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<'over'>((resolve) => {
    timer = setTimeout(() => resolve('over'), ms)
  })
  const first = await Promise.race([work, over]).finally(() => clearTimeout(timer))
  if (first !== 'over') return
  stop()
  throw new ParallelError(
    'EXECUTION_TIMEOUT',
    `The batch took longer than ${ms} ms; nothing of it commits any more, but a function that runs cannot be ended: use a module`,
  )
}

function tasksOf(
  plan: BatchPlan,
  shape: BoardShape,
  board: SharedArrayBuffer,
  module: string,
): BatchTask[] {
  const transactions = plan.transactions.map(({ id, input, priority }) => ({ id, input, priority }))
  return Array.from({ length: shape.workers }, (_, worker) => ({
    kind: 'batch',
    worker,
    shape,
    board,
    store: plan.store.handle,
    module,
    inOrder: plan.inOrder,
    isolation: plan.isolation,
    maxRetries: plan.maxRetries,
    transactions,
  }))
}

function resultOf(
  transactions: readonly EngineTransaction[],
  outcomes: readonly Outcome[],
  elapsedMs: number,
  picked: Picked,
): BatchResult {
  const results = new Array<TransactionResult>(transactions.length)
  const sums = { successful: 0, failed: 0, conflicts: 0, retries: 0 }
  for (const { transaction, isSuccessful, value, error, attempts, conflicts } of outcomes) {
    const id = transactions[transaction].id
    const counts = { attempts, conflicts }
    results[transaction] = isSuccessful
      ? { id, isSuccessful, value, ...counts }
      : { id, isSuccessful, error: asError(error), ...counts }
    if (isSuccessful) sums.successful++
    else sums.failed++
    sums.conflicts += conflicts
    sums.retries += attempts - 1
  }
  return { results, ...sums, elapsedMs, picked }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
