// The threads: a piscina pool whose workers each get one task per block. Authority on their life.
// Does not know blocks; it only starts tasks, warms, and closes.

import { Piscina } from 'piscina'
import { internalError } from '../errors.ts'
import type { WorkerReport, WorkerTask } from './protocol.ts'
import { deserializeError } from './serialized-error.ts'

/**
 * MiB of young generation per worker. Execution makes much short-lived garbage, and with the default
 * of 16 the collectors of two workers take time from each other; above 64 nothing more is gained.
 */
const YOUNG_GENERATION_MIB = 64

export class WorkerPool {
  readonly size: number
  readonly #pool: Piscina<WorkerTask, WorkerReport>
  readonly #workerSetup: string | undefined

  constructor(size: number, workerSetup: string | undefined) {
    this.size = size
    this.#workerSetup = workerSetup
    // The sources run as they are where Node strips types; the package holds compiled files.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#pool = new Piscina<WorkerTask, WorkerReport>({
      filename: new URL(`./worker-entry.${extension}`, import.meta.url).href,
      minThreads: size,
      maxThreads: size,
      // Between tasks a worker must be reachable by messages, not asleep on an atomic.
      atomics: 'disabled',
      concurrentTasksPerWorker: 1,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    })
    // A worker's death rejects its task; the event that piscina emits besides must not throw.
    this.#pool.on('error', () => {})
  }

  /** Resolves when every worker has loaded its modules. @throws ParallelError from the user's setup */
  async warm(): Promise<void> {
    const task: WorkerTask = { kind: 'warm', workerSetup: this.#workerSetup }
    const reports = await Promise.all(
      Array.from({ length: this.size }, () => this.#pool.run(task)),
    )
    for (const report of reports) {
      if (report.kind === 'failed') throw deserializeError(report.error)
    }
  }

  /** Starts one task; resolves with the worker's report, rejects if the worker dies. */
  run(task: WorkerTask): Promise<WorkerReport> {
    return this.#pool.run(task)
  }

  /** Threads that exist at the moment, dead ones not counted. */
  get threads(): number {
    return this.#pool.threads.length
  }

  /** Thread ids and their Worker objects, for fault tests. */
  get workerThreads(): readonly { terminate(): Promise<number> }[] {
    return this.#pool.threads
  }

  /** Ends all threads. Tasks must have ended; see the executor. */
  async close(): Promise<void> {
    await this.#pool.destroy()
    if (this.#pool.threads.length > 0) throw internalError('threads outlived their pool')
  }
}
