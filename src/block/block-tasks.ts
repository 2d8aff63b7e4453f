// The tasks of one block, one per worker, from their start to their end, however they end.
// Authority on workers that die, fail, or do not come back: all of them have ended when `ended` resolves,
// so that nobody else touches the block's memory any more. Knows nothing of transactions.

import type { CryptoName } from '../crypto/secp256k1.ts'
import { ParallelError } from '../errors.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { ringAll } from '../memory/doorbell.ts'
import { CONTROL, HALT, pulseIndex, userCallsIndex } from '../memory/layout.ts'
import type { WorkerPool } from '../workers/pool.ts'
import type { BlockTask } from '../workers/protocol.ts'
import { deserializeError } from '../workers/serialized-error.ts'

/**
 * How long a worker may go on with a transaction when the block is over for another reason. Longer
 * than most transactions take, since ending a thread costs the time of starting another.
 */
const GRACE_MS = 1_000
/**
 * How long one call of the user's own code (a custom precompile, a custom opcode) may take: everything
 * else that a worker does is bounded by gas. Above it the worker is taken for lost.
 */
const USER_CODE_MS = 1_500

export class BlockTasks {
  /** The first thing that went wrong, if something did. */
  failure: unknown
  /** What the workers recover senders with, as far as they have ended well; the slowest. */
  crypto: CryptoName | undefined
  /** ms that the garbage collector of each worker has stopped it; a hole for who has not ended well. */
  readonly collectorMs: number[] = []
  readonly #pool: WorkerPool
  readonly #control: Int32Array
  readonly #stops: AbortController[] = []
  readonly #pulses: { pulse: number; since: number }[] = []
  readonly #ending: Promise<void>[] = []
  #running = 0
  #grace: NodeJS.Timeout | undefined

  constructor(pool: WorkerPool, control: Int32Array) {
    this.#pool = pool
    this.#control = control
  }

  /** Whether no worker works on the block. */
  get haveEnded(): boolean {
    return this.#running === 0
  }

  /** Whether the workers were told to stop, whoever told them. */
  get areHalted(): boolean {
    return nativeAtomics.load(this.#control, CONTROL.HALT) !== HALT.RUNNING
  }

  /** Starts one task per worker; resolves when all have ended, and never rejects. */
  async start(common: Omit<BlockTask, 'worker'>): Promise<void> {
    await Promise.all(
      Array.from({ length: this.#pool.size }, (_, worker) => this.#run(common, worker)),
    )
    clearTimeout(this.#grace)
    await Promise.all(this.#ending)
  }

  async #run(common: Omit<BlockTask, 'worker'>, worker: number): Promise<void> {
    const stop = new AbortController()
    this.#stops[worker] = stop
    this.#running++
    try {
      const report = await this.#pool.run({ ...common, worker }, stop)
      if (report.kind === 'failed') this.fail(deserializeError(report.error))
      else if (report.kind === 'done') {
        this.crypto = slower(this.crypto, report.crypto)
        this.collectorMs[worker] = report.collectorMs
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.fail(new ParallelError('WORKER_FAILED', `A worker died: ${reason}`, { cause: error }))
    } finally {
      this.#running--
    }
  }

  /** Halts the block because of `error`. */
  fail(error: unknown): void {
    this.failure ??= error
    this.halt()
  }

  /** Halts the block. Workers that do not notice within the grace period are ended. */
  halt(): void {
    nativeAtomics.compareExchange(this.#control, CONTROL.HALT, HALT.RUNNING, HALT.ABORTED)
    ringAll(nativeAtomics, this.#control, this.#pool.size)
    if (this.#running === 0) return
    this.#grace ??= setTimeout(() => {
      for (const stop of this.#stops) this.#end(stop)
    }, GRACE_MS)
  }

  /**
   * Looks for workers that are lost in the user's code, and ends them; where a worker halted the block,
   * gives the others the grace period, as {@link halt} does. To be called now and then.
   */
  watch(): void {
    const reason = nativeAtomics.load(this.#control, CONTROL.HALT)
    if (reason !== HALT.RUNNING && reason !== HALT.DONE) this.halt()
    const now = performance.now()
    for (let worker = 0; worker < this.#pool.size; worker++) {
      const pulse = nativeAtomics.load(this.#control, pulseIndex(worker))
      const known = this.#pulses[worker]
      if (known?.pulse !== pulse) {
        this.#pulses[worker] = { pulse, since: now }
      } else if (
        now - known.since > USER_CODE_MS &&
        nativeAtomics.load(this.#control, userCallsIndex(worker)) > 0
      ) {
        this.fail(new ParallelError('WORKER_FAILED', LOST))
        this.#end(this.#stops[worker])
      }
    }
  }

  #end(stop: AbortController): void {
    if (!stop.signal.aborted) this.#ending.push(this.#pool.end(stop))
  }
}

const BY_SPEED: readonly CryptoName[] = ['native', 'wasm', 'javascript', 'custom']

function slower(one: CryptoName | undefined, other: CryptoName): CryptoName {
  return one !== undefined && BY_SPEED.indexOf(one) > BY_SPEED.indexOf(other) ? one : other
}

const LOST = `A worker was ended: a function of the workerSetup module took more than ${USER_CODE_MS} ms`
