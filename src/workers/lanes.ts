// The lanes of a worker: executions that can be suspended while others go on.
// Authority on what a suspended lane waits for. A lane waits for the main thread or for a lower
// transaction, never for a higher one, so that waits form no cycle.
//
// One lane runs at a time. It gives control back by finishing or by suspending; an await on anything
// else (a user's asynchronous precompile) keeps control with the lane, and the event loop runs on.

import { HaltedError, type RunnerWaits } from '../execution/lane-waits.ts'
import { NOTHING, type RecordId, type TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { ringMain } from '../memory/doorbell.ts'
import {
  ACCOUNT,
  BASE,
  blockHashIndex,
  CONTROL,
  REQUEST,
  REQUEST_KIND_BITS,
  ringIndex,
  SLOT,
} from '../memory/layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import type { BlockStmScheduler } from '../scheduling/block-stm-scheduler.ts'
import type { FlatBases } from './flat-bases.ts'

/**
 * Requests that a worker gathers before it rings. Waking the main thread costs 50 us on both sides,
 * and while a lane waits the worker has others to run; before it would sleep it rings in any case.
 */
const REQUEST_BATCH = 4

/**
 * Looks at a value that another worker is copying from a flat state: some 10 us, many times what that takes.
 * If the other was interrupted just then, the lane is suspended and looked at with the next work or wake-up.
 */
const FILL_LOOKS = 1000

const DONE = Promise.resolve()

/** A suspended lane: `ready` is the predicate that decides, whatever woke the worker. */
interface Suspended {
  transaction: TxIndex
  ready: () => boolean
  resume: () => void
  fail: (error: Error) => void
}

/** What the lanes of one worker share. */
export class LaneBoard {
  readonly #control: Int32Array
  readonly #state: SharedRegion
  readonly #scheduler: BlockStmScheduler
  readonly #atomics: AtomicOperations
  readonly #resumed: (transaction: TxIndex) => void
  readonly #bases: FlatBases | undefined
  readonly #suspended: Suspended[] = []
  /** Requests in the ring of which the main thread was not told. */
  #untold = 0
  #handBack: (() => void) | undefined

  constructor(
    control: Int32Array,
    state: SharedRegion,
    scheduler: BlockStmScheduler,
    atomics: AtomicOperations,
    resumed: (transaction: TxIndex) => void = () => {},
    bases?: FlatBases,
  ) {
    this.#control = control
    this.#state = state
    this.#scheduler = scheduler
    this.#atomics = atomics
    this.#resumed = resumed
    this.#bases = bases
  }

  get suspendedCount(): number {
    return this.#suspended.length
  }

  /** The lowest transaction that a suspended lane holds, or Infinity. */
  lowestSuspended(): number {
    let lowest = Number.POSITIVE_INFINITY
    for (const lane of this.#suspended) lowest = Math.min(lowest, lane.transaction)
    return lowest
  }

  /** Lets a lane run by `start`, until it gives control back. */
  run(start: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#handBack = resolve
      start()
    })
  }

  /** The running lane has finished. */
  finished(): void {
    const handBack = this.#handBack
    this.#handBack = undefined
    handBack?.()
  }

  /** Resumes the suspended lane with the lowest transaction that can go on, if there is one. */
  takeReady(): (() => void) | undefined {
    let best = -1
    for (let i = 0; i < this.#suspended.length; i++) {
      const lane = this.#suspended[i]
      if (best >= 0 && this.#suspended[best].transaction < lane.transaction) continue
      if (lane.ready()) best = i
    }
    if (best < 0) return undefined
    const [lane] = this.#suspended.splice(best, 1)
    return () => {
      this.#resumed(lane.transaction)
      lane.resume()
    }
  }

  /** Fails every suspended lane: the block was halted. */
  takeHalted(): (() => void) | undefined {
    const lane = this.#suspended.pop()
    return lane === undefined ? undefined : () => lane.fail(new HaltedError())
  }

  /**
   * The transaction at the commit head, where it is below `transaction` and could run on this worker;
   * otherwise NOTHING.
   */
  waitingHead(transaction: TxIndex): TxIndex | typeof NOTHING {
    const head = this.#scheduler.committedEnd() as TxIndex
    if (head >= transaction) return NOTHING
    if (this.#scheduler.isReady(head)) return head
    const isMine = this.#suspended.some((lane) => lane.transaction === head && lane.ready())
    return isMine ? head : NOTHING
  }

  /** The waits of a lane that executes `transaction`. */
  waits(transaction: TxIndex): RunnerWaits {
    const suspend = (ready: () => boolean): Promise<void> => {
      if (ready()) return Promise.resolve()
      return new Promise((resume, fail) => {
        this.#suspended.push({ transaction, ready, resume, fail })
        this.finished()
      })
    }
    const bases = this.#bases
    const base = (index: number, request: number, fill?: () => boolean): Promise<void> => {
      const isPresent = (): boolean => this.#atomics.load(this.#state.words, index) === BASE.PRESENT
      const words = this.#state.words
      if (
        this.#atomics.compareExchange(words, index, BASE.UNKNOWN, BASE.REQUESTED) === BASE.UNKNOWN
      ) {
        if (fill?.() === true) {
          this.#atomics.store(this.#state.words, index, BASE.PRESENT)
          return DONE
        }
        this.#request(request)
      } else if (fill !== undefined) {
        // Another worker is filling it in, and will not ring.
        for (let look = 0; look < FILL_LOOKS; look++) if (isPresent()) return DONE
      }
      this.#atomics.add(this.#control, CONTROL.BASE_WAITS, 1)
      return suspend(isPresent)
    }
    return {
      account: (record: RecordId) =>
        base(
          record + ACCOUNT.STATUS,
          (record << REQUEST_KIND_BITS) | REQUEST.ACCOUNT,
          bases && (() => bases.account(record)),
        ),
      slot: (record: RecordId) =>
        base(
          record + SLOT.STATUS,
          (record << REQUEST_KIND_BITS) | REQUEST.SLOT,
          bases && (() => bases.slot(record)),
        ),
      code: (record: RecordId) =>
        base(
          record + ACCOUNT.CODE_STATUS,
          (record << REQUEST_KIND_BITS) | REQUEST.CODE,
          bases && (() => bases.code(record)),
        ),
      blockHash: (distance: number) => {
        const index = blockHashIndex(distance)
        const seen = this.#atomics.compareExchange(
          this.#control,
          index,
          BASE.UNKNOWN,
          BASE.REQUESTED,
        )
        if (seen === BASE.UNKNOWN) {
          this.#request((distance << REQUEST_KIND_BITS) | REQUEST.BLOCK_HASH)
        }
        return suspend(() => this.#atomics.load(this.#control, index) >= BASE.PRESENT)
      },
      transaction: (lower: number) => {
        this.#atomics.add(this.#control, CONTROL.ESTIMATE_WAITS, 1)
        return suspend(() => this.#scheduler.isSettled(lower))
      },
      waitingHead: () => this.waitingHead(transaction),
      committed: (lower) => suspend(() => this.#scheduler.committedEnd() > lower),
    }
  }

  /** Puts a request into the ring. The main thread reads a slot once it is not 0. */
  #request(request: number): void {
    const position = this.#atomics.add(this.#control, CONTROL.REQUEST_TAIL, 1)
    this.#atomics.store(this.#control, ringIndex(position), request + 1)
    this.#untold++
    if (this.#untold >= REQUEST_BATCH) this.tellRequests()
  }

  /** Rings the main thread if it was not told of requests. To be called before the worker sleeps. */
  tellRequests(): void {
    if (this.#untold === 0) return
    this.#untold = 0
    ringMain(this.#atomics, this.#control)
  }
}
