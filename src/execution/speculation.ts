// Whether an execution under way is still worth going on with. What a transaction costs can depend on
// what it reads, so a stale read may burn all gas where the right one would burn little.
// Authority on when an execution is abandoned before its end. It must not decide what is right: what it
// abandons is repeated, and whoever reads what is final is never abandoned.

import { NOTHING, type TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { CONTROL, HALT } from '../memory/layout.ts'
import { type ReadSetRecorder, VALIDITY } from '../mvcc/read-set.ts'
import type { VersionStore } from '../mvcc/version-store.ts'
import { AbandonedError, HaltedError, type RunnerWaits } from './lane-waits.ts'

/** Time between two looks at an execution, in ms, at the least. Most transactions end before the first. */
const INTERVAL_MS = 1
/** A look takes at most this share of the time: after a long one the next is the later. */
const SHARE = 0.01
/** But not later than this, in ms: a look can take long only because the thread did not run. */
const LONGEST_INTERVAL_MS = 50
/**
 * After so many looks an execution gives way to the transaction at the commit head. What is repeated
 * then is lost, so most get to their end before; those that do not may burn gas that nobody pays, in
 * the way of the very transaction that would show it.
 */
const PATIENCE = 5

/** The executions of one lane. */
export class Speculation {
  /** The execution is void. Whoever runs the transaction must look here before using a result. */
  isAbandoned = false
  /** The transaction that is to be final before the execution begins anew, or NOTHING. */
  givesWayTo: TxIndex | typeof NOTHING = NOTHING
  readonly #control: Int32Array
  readonly #atomics: AtomicOperations
  readonly #store: VersionStore
  readonly #reads: ReadSetRecorder
  readonly #waits: Pick<RunnerWaits, 'waitingHead'>
  #reader = 0 as TxIndex
  #nextLook = 0
  #looks = 0

  constructor(
    control: Int32Array,
    atomics: AtomicOperations,
    store: VersionStore,
    reads: ReadSetRecorder,
    waits: Pick<RunnerWaits, 'waitingHead'>,
  ) {
    this.#control = control
    this.#atomics = atomics
    this.#store = store
    this.#reads = reads
    this.#waits = waits
  }

  /** An execution of `reader` begins. */
  begin(reader: TxIndex): void {
    this.#reader = reader
    this.isAbandoned = false
    this.givesWayTo = NOTHING
    this.#looks = 0
    this.#nextLook = performance.now() + INTERVAL_MS
  }

  /**
   * To be called now and then while the execution runs, between two of its reads. Costs a look at the
   * clock, unless it is time.
   * @throws HaltedError, AbandonedError
   */
  check(): void {
    const start = performance.now()
    if (start < this.#nextLook) return
    if (this.#atomics.load(this.#control, CONTROL.HALT) !== HALT.RUNNING) throw new HaltedError()
    // What is in doubt is awaited by validation; here it is left to it.
    if (this.#reads.validate(this.#store, this.#reader) === VALIDITY.INVALID) this.#abandon()
    if (++this.#looks >= PATIENCE) {
      this.givesWayTo = this.#waits.waitingHead()
      if (this.givesWayTo !== NOTHING) this.#abandon()
    }
    const end = performance.now()
    const interval = Math.min((end - start) / SHARE, LONGEST_INTERVAL_MS)
    this.#nextLook = end + Math.max(INTERVAL_MS, interval)
  }

  #abandon(): never {
    this.isAbandoned = true
    throw new AbandonedError()
  }
}

/** An EVM whose executions can be abandoned. */
export interface SpeculativeEvm {
  speculation?: Speculation | undefined
}

/** {@link Speculation.check} for whatever `evm` executes; stock's EVMs are not speculative. */
export function checkSpeculation(evm: SpeculativeEvm): void {
  evm.speculation?.check()
}
