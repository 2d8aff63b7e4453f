// Runs a batch on a state that is in the memory of one thread: one transaction after the other.
// Authority on what stays of a failed one: nothing.

import { executorUrl, loadExecutor } from './executor-module.ts'
import type {
  BatchResult,
  EngineTransaction,
  Executor,
  TransactionFunction,
  TransactionResult,
} from './scheduler.ts'
import type { ResolvedSchedulerOptions } from './scheduler-options.ts'
import type { StateManager } from './state-manager.ts'

/** No conflict is possible, so that only what `isRetriable` says yes to is repeated. */
export async function runOneByOne<I, R>(
  state: StateManager,
  transactions: readonly EngineTransaction<I>[],
  executor: Executor<I, R>,
  { stats, maxRetries, isRetriable = () => false }: ResolvedSchedulerOptions,
): Promise<BatchResult<R>> {
  const start = performance.now()
  const url = executorUrl(executor)
  const run = (url === undefined ? executor : await loadExecutor(url)) as TransactionFunction<I, R>
  const results: TransactionResult<R>[] = []
  for (const transaction of transactions) {
    for (let attempts = 1; ; attempts++) {
      const ended = await runOnce(state, run, transaction)
      if (!('error' in ended) || attempts > maxRetries || !isRetriable(ended.error)) {
        const isSuccessful = !('error' in ended)
        results.push({ id: transaction.id, isSuccessful, ...ended, attempts, conflicts: 0 })
        break
      }
    }
  }
  const successful = results.filter(({ isSuccessful }) => isSuccessful).length
  const failed = results.length - successful
  const retries = results.reduce((sum, { attempts }) => sum + attempts - 1, 0)
  const elapsedMs = performance.now() - start
  stats.add({ successful, failed, retries, rollbacks: failed + retries, elapsedMs })
  const why = 'a state in the memory of one thread'
  const picked = { versions: 'snapshot', where: 'inline', workers: 1, why } as const
  return { results, successful, failed, conflicts: 0, retries, elapsedMs, picked }
}

async function runOnce<I, R>(
  state: StateManager,
  run: TransactionFunction<I, R>,
  transaction: EngineTransaction<I>,
): Promise<{ value: R } | { error: Error }> {
  const id = state.createSnapshot()
  try {
    const value = await run(state, transaction)
    state.discard(id)
    return { value }
  } catch (error) {
    state.rollbackTo(id)
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}
