// The threads: a piscina pool whose workers each get one task per block. Authority on their life.
// Does not know blocks; it only starts tasks, warms, and closes.

import { Piscina } from 'piscina'
import { internalError, ParallelError } from '../errors.ts'
import type { WarmTask, WorkerReport, WorkerTask } from './protocol.ts'
import { deserializeError } from './serialized-error.ts'

/**
 * MiB of young generation per worker. Execution makes much short-lived garbage, and with the default
 * of 16 the collectors of two workers take time from each other; above 64 nothing more is gained.
 */
const YOUNG_GENERATION_MIB = 64
/** Threads that may die per worker without one task ending well; above it, something kills them all. */
const MOST_DEATHS = 4

export class WorkerPool {
  readonly size: number
  /** What the workers have of the user's module; nothing before they are warm. */
  setupParts: ReadonlySet<string> = new Set()
  readonly #pool: Piscina<WorkerTask, WorkerReport>
  readonly #warmTask: WarmTask
  /** Since a task last ended well. */
  #deaths = 0
  #closing = false
  /** Rejects each task that has not ended. */
  readonly #waiting = new Set<(error: Error) => void>()

  constructor(size: number, workerSetup: string | undefined) {
    this.size = size
    this.#warmTask = { kind: 'warm', workerSetup }
    // The sources run as they are where Node strips types; the package holds compiled files.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#pool = new Piscina<WorkerTask, WorkerReport>({
      filename: new URL(`./worker-entry.${extension}`, import.meta.url).href,
      minThreads: size,
      maxThreads: Math.max(1, size),
      // Between tasks a worker must be reachable by messages, not asleep on an atomic.
      atomics: 'disabled',
      concurrentTasksPerWorker: 1,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    })
    // A worker's death rejects its task; the event that piscina emits besides must not throw.
    this.#pool.on('error', () => {})
    this.#pool.on('workerDestroy', () => setImmediate(() => this.#died()))
  }

  /** Resolves when every worker has loaded its modules. @throws ParallelError from the user's setup */
  async warm(): Promise<void> {
    const reports = await Promise.all(
      Array.from({ length: this.size }, () => this.run(this.#warmTask)),
    ).catch((error: unknown) => {
      throw failedStart(this.#warmTask.workerSetup, error)
    })
    for (const report of reports) {
      if (report.kind === 'failed') throw deserializeError(report.error)
      if (report.kind === 'done') this.setupParts = new Set(report.parts)
    }
  }

  /**
   * Starts one task; resolves with the worker's report, rejects if the worker dies. A task that is to
   * be ended by {@link end} needs a `stop` of its own.
   */
  async run(task: WorkerTask, stop?: AbortController): Promise<WorkerReport> {
    if (this.#waiting.size === 0) this.#deaths = 0
    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    this.#waiting.add(reject)
    this.#refill()
    try {
      const report = await Promise.race([
        this.#pool.run(task, stop === undefined ? {} : { signal: stop.signal }),
        givenUp,
      ])
      this.#deaths = 0
      return report
    } finally {
      this.#waiting.delete(reject)
    }
  }

  /** Ends the thread that has the task of `stop`; resolves when it does nothing any more. */
  async end(stop: AbortController): Promise<void> {
    const before = this.#pool.threads
    stop.abort()
    const after = new Set(this.#pool.threads)
    await Promise.all(before.filter((it) => !after.has(it)).map((it) => it.terminate()))
  }

  /**
   * Replaces threads that died. Piscina does so by itself until one dies while it starts, and then
   * never again; but it adds a thread for a task that finds all others busy.
   */
  #refill(): void {
    for (let i = 0; i < this.size && this.#pool.threads.length < this.size; i++) {
      this.#pool.run(this.#warmTask).catch(() => {})
    }
  }

  #died(): void {
    if (this.#closing || this.#waiting.size === 0) return
    this.#deaths++
    if (this.#deaths <= MOST_DEATHS * this.size) {
      this.#refill()
      return
    }
    const error = new ParallelError('WORKER_FAILED', 'Worker threads die faster than they start')
    for (const reject of this.#waiting) reject(error)
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
    this.#closing = true
    await this.#pool.destroy()
    if (this.#pool.threads.length > 0) throw internalError('threads outlived their pool')
  }
}

/** A thread died while it loaded its modules: those of a user can do that. */
function failedStart(workerSetup: string | undefined, error: unknown): ParallelError {
  const reason = error instanceof Error ? error.message : String(error)
  return workerSetup === undefined
    ? new ParallelError('WORKER_FAILED', `A worker died while it started: ${reason}`, {
        cause: error,
      })
    : new ParallelError(
        'WORKER_SETUP_FAILED',
        `A worker died while it loaded the workerSetup module ${workerSetup}: ${reason}`,
        { cause: error },
      )
}
