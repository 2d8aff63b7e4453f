// What still fits into a block that is being built: gas and blobs, counted at the commit head.
// Authority on the terms' form in shared memory, and on whether a transaction fits, which depends on
// nothing but what was committed before it. It must not look at results: what is valid is stock's matter.

import type { TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { CONTROL, OUTCOME, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import type { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'
import type { VersionStore } from '../mvcc/version-store.ts'
import { forEachWrite } from '../mvcc/write-set.ts'

/** Gas is counted in doubles here: a block with more must be built otherwise. */
export const MOST_BLOCK_GAS = BigInt(Number.MAX_SAFE_INTEGER) - 1n

/** What a block that is being built has room for, and what its transactions ask for. */
export interface TermsOfAdmission {
  /** At most {@link MOST_BLOCK_GAS}. */
  readonly gasLeft: bigint
  readonly blobsLeft: number
  /** Stops after the first transaction that is invalid or does not fit. */
  readonly stopsAtInvalid: boolean
  /** Stops after the first transaction whose gas limit is more than what is left. */
  readonly stopsWhenFull: boolean
  /** Of each transaction. */
  readonly gasLimits: readonly bigint[]
  readonly blobs: readonly number[]
}

/** The terms in the block region. What is left is changed under the commit lock only. */
const TERMS = { GAS_LEFT: 0, BLOBS_LEFT: 2, STOPS: 3, WORDS: 4 } as const
/** After them, of each transaction. */
const ASKED = { GAS_LIMIT: 0, BLOBS: 2, WORDS: 3 } as const
const STOPS = { AT_INVALID: 1, WHEN_FULL: 2 } as const
const WORD = 2 ** 32

/** Writes the terms for the workers. Main thread, before they start. @throws ParallelError `STORE_FULL` */
export function writeTerms(
  control: Int32Array,
  block: SharedRegion,
  allocator: RegionAllocator,
  terms: TermsOfAdmission,
): void {
  const { gasLimits, blobs } = terms
  const at = allocator.allocate(TERMS.WORDS + gasLimits.length * ASKED.WORDS)
  const words = block.reach(at + TERMS.WORDS + gasLimits.length * ASKED.WORDS)
  writeNumber(words, at + TERMS.GAS_LEFT, Number(terms.gasLeft))
  words[at + TERMS.BLOBS_LEFT] = terms.blobsLeft
  words[at + TERMS.STOPS] =
    (terms.stopsAtInvalid ? STOPS.AT_INVALID : 0) | (terms.stopsWhenFull ? STOPS.WHEN_FULL : 0)
  for (let index = 0; index < gasLimits.length; index++) {
    const asked = at + TERMS.WORDS + index * ASKED.WORDS
    const most = MOST_BLOCK_GAS + 1n
    const gasLimit = gasLimits[index] > most ? most : gasLimits[index]
    writeNumber(words, asked + ASKED.GAS_LIMIT, Number(gasLimit))
    words[asked + ASKED.BLOBS] = blobs[index]
  }
  control[CONTROL.ADMISSION] = at
}

/** What the scheduler asks at the commit head of a block that is being built. */
export interface Admission {
  /**
   * Whether `transaction`, the next to be committed, fits. Without the commit lock the answer is a hint,
   * which becomes true when the lock is let go.
   */
  admits(transaction: TxIndex): boolean
  /** `transaction` is in the block. Under the commit lock, in canonical order. */
  admitted(transaction: TxIndex): void
  /**
   * `transaction` does not fit and will not be executed again: takes back all that it wrote, estimates
   * too. Under the commit lock, with the transaction's status held.
   */
  refused(transaction: TxIndex): void
  /** Whether nothing is to be committed after `transaction`, which ended with `outcome`. */
  stopsAfter(transaction: TxIndex, outcome: number): boolean
}

/** The gate over the terms in shared memory. */
export class AdmissionGate implements Admission {
  readonly #control: Int32Array
  readonly #store: VersionStore
  readonly #words: Int32Array
  readonly #atomics: AtomicOperations
  readonly #at: number

  constructor(control: Int32Array, store: VersionStore, atomics: AtomicOperations) {
    this.#control = control
    this.#store = store
    this.#atomics = atomics
    this.#at = control[CONTROL.ADMISSION]
    const count = control[CONTROL.TRANSACTION_COUNT]
    this.#words = store.block.reach(this.#at + TERMS.WORDS + count * ASKED.WORDS)
  }

  /** The gate of a block that is being built; `undefined` where the block is given. */
  static of(
    control: Int32Array,
    store: VersionStore,
    atomics: AtomicOperations,
  ): AdmissionGate | undefined {
    return control[CONTROL.ADMISSION] === 0 ? undefined : new AdmissionGate(control, store, atomics)
  }

  admits(transaction: TxIndex): boolean {
    return this.#fitsGas(transaction) && this.#fitsBlobs(transaction)
  }

  /** Takes what `transaction` used off what is left. */
  admitted(transaction: TxIndex): void {
    const gas = this.#number(this.#control, transactionIndex(transaction, TRANSACTION.BLOCK_GAS))
    const left = this.#number(this.#words, this.#at + TERMS.GAS_LEFT) - gas
    this.#atomics.store(this.#words, this.#at + TERMS.GAS_LEFT, (left % WORD) | 0)
    this.#atomics.store(this.#words, this.#at + TERMS.GAS_LEFT + 1, Math.floor(left / WORD))
    const blobs = this.#words[this.#asked(transaction) + ASKED.BLOBS]
    if (blobs > 0) this.#atomics.sub(this.#words, this.#at + TERMS.BLOBS_LEFT, blobs)
  }

  refused(transaction: TxIndex): void {
    const { block } = this.#store
    const writeSet = transactionIndex(transaction, TRANSACTION.WRITE_SET)
    forEachWrite(block, this.#atomics.load(this.#control, writeSet), (_kind, _location, node) =>
      this.#store.withdraw(node),
    )
    const outcome = transactionIndex(transaction, TRANSACTION.OUTCOME)
    this.#atomics.store(this.#control, outcome, OUTCOME.REFUSED)
  }

  stopsAfter(transaction: TxIndex, outcome: number): boolean {
    if (outcome === OUTCOME.RESULT) return false
    const stops = this.#words[this.#at + TERMS.STOPS]
    if ((stops & STOPS.AT_INVALID) !== 0) return true
    if ((stops & STOPS.WHEN_FULL) === 0) return false
    return outcome === OUTCOME.REFUSED && !this.#fitsGas(transaction)
  }

  #fitsGas(transaction: TxIndex): boolean {
    const gasLimit = this.#number(this.#words, this.#asked(transaction) + ASKED.GAS_LIMIT)
    return gasLimit <= this.#number(this.#words, this.#at + TERMS.GAS_LEFT)
  }

  #fitsBlobs(transaction: TxIndex): boolean {
    const blobs = this.#words[this.#asked(transaction) + ASKED.BLOBS]
    return blobs === 0 || blobs <= this.#atomics.load(this.#words, this.#at + TERMS.BLOBS_LEFT)
  }

  #asked(transaction: TxIndex): number {
    return this.#at + TERMS.WORDS + transaction * ASKED.WORDS
  }

  #number(words: Int32Array, at: number): number {
    const low = this.#atomics.load(words, at) >>> 0
    return low + this.#atomics.load(words, at + 1) * WORD
  }
}

function writeNumber(words: Int32Array, at: number, value: number): void {
  words[at] = (value % WORD) | 0
  words[at + 1] = Math.floor(value / WORD)
}
