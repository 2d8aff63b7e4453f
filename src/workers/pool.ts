// The threads of an executor: one task per worker and block. Authority on what they load before the first.
// Does not know blocks; it only starts tasks, warms, and closes.

import { ParallelError } from '../errors.ts'
import type { WarmTask, WorkerReport, WorkerTask } from './protocol.ts'
import { deserializeError } from './serialized-error.ts'
import { ThreadPool } from './thread-pool.ts'

export class WorkerPool extends ThreadPool<WorkerTask, WorkerReport> {
  /** What the workers have of the user's module; nothing before they are warm. */
  setupParts: ReadonlySet<string> = new Set()
  readonly #warmTask: WarmTask

  constructor(size: number, workerSetup: string | undefined) {
    const warmTask: WarmTask = { kind: 'warm', workerSetup }
    // The sources run as they are where Node strips types; the package holds compiled files.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const entry = new URL(`./worker-entry.${extension}`, import.meta.url).href
    super({ size, entry, idleTask: warmTask })
    this.#warmTask = warmTask
  }

  /**
   * Resolves when every worker has loaded its modules.
   * @throws ParallelError from the user's setup, and where that takes more than `limitMs`; the pool is
   * then to be closed
   */
  async warm(limitMs: number): Promise<void> {
    const { promise: isLate, reject } = Promise.withResolvers<never>()
    const clock = setTimeout(() => reject(lateStart(this.#warmTask.workerSetup, limitMs)), limitMs)
    const loading = Promise.all(
      Array.from({ length: this.size }, () => this.run(this.#warmTask)),
    ).catch((error: unknown) => {
      throw failedStart(this.#warmTask.workerSetup, error)
    })
    const reports = await Promise.race([loading, isLate]).finally(() => clearTimeout(clock))
    for (const report of reports) {
      if (report.kind === 'failed') throw deserializeError(report.error)
      if (report.kind === 'done') this.setupParts = new Set(report.parts)
    }
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

/** A module that never ends would keep the caller waiting for ever. */
function lateStart(workerSetup: string | undefined, limitMs: number): ParallelError {
  const allowed = `more than startTimeoutMs, ${limitMs} ms`
  return workerSetup === undefined
    ? new ParallelError('WORKER_FAILED', `The workers took ${allowed}, to start`)
    : new ParallelError(
        'WORKER_SETUP_FAILED',
        `The workers took ${allowed}, to load the workerSetup module ${workerSetup}: does it end?`,
      )
}
