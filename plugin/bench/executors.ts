// The executors a benchmark run uses: one for each contender, started when first needed and kept for
// all runs and rows, as a user would keep one: warm, and with what it learned. The authority on their
// options and their end.
// Must not outlive the run: whoever creates the pool closes it, whatever happened.
import type { ParallelExecutor, ParallelOptions } from '../../src/index.ts'
import { type Contender, contenderText } from './contender.ts'

export type ExecutorFactory = (options: ParallelOptions) => Promise<ParallelExecutor>

export interface Executors {
  get(contender: Contender, needsKzg: boolean): Promise<ParallelExecutor>
  close(): Promise<void>
}

export function createExecutors(create: ExecutorFactory): Executors {
  const started = new Map<string, Promise<ParallelExecutor>>()
  let isClosed = false
  return {
    async get(contender, needsKzg) {
      if (isClosed) throw new Error('the benchmark has closed its executors')
      const { workers, scheduler } = contender
      const key = `${contenderText(contender)} ${needsKzg}`
      let executor = started.get(key)
      if (executor === undefined) {
        executor = create({
          workers,
          scheduler,
          ...(needsKzg ? { workerSetup: kzgSetupModule() } : {}),
        })
        started.set(key, executor)
      }
      return await executor
    },
    async close() {
      isClosed = true
      // One that failed to start has nothing to close, and its failure was reported by get().
      const settled = await Promise.allSettled(started.values())
      started.clear()
      await Promise.all(
        settled.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)),
      )
    },
  }
}

/** The module's file has the ending of this one: .ts in the sources, .js in the built package. */
function kzgSetupModule(): URL {
  const ending = new URL(import.meta.url).pathname.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./worker-setup-kzg.${ending}`, import.meta.url)
}
