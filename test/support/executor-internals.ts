// What fault tests need of an executor and its users must not see: its threads.
// Authority on the one unchecked look into the executor; everything else goes through the public index.
// It must not change the executor.
import type { Worker } from 'node:worker_threads'
import type { ParallelExecutor } from '../../src/index.ts'

interface Internals {
  readonly pool: { readonly workerThreads: readonly Worker[]; readonly threads: number }
}

/** The executor's threads that live at the moment. */
export function threadsOf(executor: ParallelExecutor): readonly Worker[] {
  return (executor as unknown as Internals).pool.workerThreads
}
