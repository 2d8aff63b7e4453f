// Threads that take one task each at a time and live until they are closed. Authority on their life.
// Knows no tasks: what a thread does is its entry module's matter.

import { Piscina } from 'piscina'
import { internalError, ParallelError } from '../errors.ts'

/**
 * MiB of young generation per worker. Execution makes much short-lived garbage, and with the default
 * of 16 the collectors of two workers take time from each other; above 64 nothing more is gained.
 */
const YOUNG_GENERATION_MIB = 64
/** Threads that may die per worker without one task ending well; above it, something kills them all. */
const MOST_DEATHS = 4

/** What a pool is made of. */
export interface ThreadPoolSetup<Task> {
  readonly size: number
  /** URL of the module that a thread starts in; its default export takes a task. */
  readonly entry: string
  /** A task that changes nothing, for threads that replace others. */
  readonly idleTask: Task
}

export class ThreadPool<Task, Report> {
  readonly size: number
  readonly #pool: Piscina<Task, Report>
  readonly #idleTask: Task
  /** Since a task last ended well. */
  #deaths = 0
  #closing = false
  /** Rejects each task that has not ended. */
  readonly #waiting = new Set<(error: Error) => void>()

  constructor({ size, entry, idleTask }: ThreadPoolSetup<Task>) {
    this.size = size
    this.#idleTask = idleTask
    this.#pool = new Piscina<Task, Report>({
      filename: entry,
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

  /**
   * Starts one task; resolves with the worker's report, rejects if the worker dies. A task that is to
   * be ended by {@link end} needs a `stop` of its own.
   */
  async run(task: Task, stop?: AbortController): Promise<Report> {
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
      this.#pool.run(this.#idleTask).catch(() => {})
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
