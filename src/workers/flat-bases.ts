// Fills base values in from a flat state's memory, on whichever thread misses them.
// Authority on what a record gets there: what the calling thread would have answered from the same state.
// Must not be used for values that a flat state has not: it says so, and the calling thread is asked.

import { KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util'
import type { RecordId } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import {
  FLAT_ACCOUNT,
  FLAT_BITS,
  FLAT_CODE,
  FLAT_EPOCH,
  FLAT_NODE,
  FLAT_SLOT,
} from '../memory/flat-layout.ts'
import { ACCOUNT, SLOT } from '../memory/layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { writePadded32 } from '../memory/word-codec.ts'
import type { FlatReader } from '../state/flat-table.ts'

/** Nonce and balance have one form here and there. */
const NUMBER_WORDS = FLAT_ACCOUNT.CODE - FLAT_ACCOUNT.NONCE

export class FlatBases {
  readonly #reader: FlatReader
  readonly #state: SharedRegion
  readonly #atomics: AtomicOperations

  readonly #isOwner: boolean

  /** `isOwner`: this is the thread that writes the state, which reads it at any time. */
  constructor(reader: FlatReader, state: SharedRegion, atomics: AtomicOperations, isOwner = false) {
    this.#isOwner = isOwner
    this.#reader = reader
    this.#state = state
    this.#atomics = atomics
  }

  /** Writes an account's base values; the caller publishes. `false`: they are not to be had here. */
  account(record: RecordId): boolean {
    return this.#whileStill(() => {
      const words = this.#state.reach(record + ACCOUNT.WORDS)
      const bytes = this.#state.bytes
      const flat = this.#reader.account(words, record + ACCOUNT.ADDRESS)
      const from = this.#reader.region.words
      const fromBytes = this.#reader.region.bytes
      const exists = flat !== 0 && (from[flat] & FLAT_BITS.EXISTS) !== 0
      words[record + ACCOUNT.EXISTS] = exists ? 1 : 0
      for (let i = 0; i < NUMBER_WORDS; i++) {
        words[record + ACCOUNT.NONCE + i] = exists ? from[flat + FLAT_ACCOUNT.NONCE + i] : 0
      }
      const code = exists ? from[flat + FLAT_ACCOUNT.CODE] : 0
      if (code === 0) writePadded32(bytes, record + ACCOUNT.CODE_HASH, KECCAK256_NULL)
      else copyHash(fromBytes, code + FLAT_CODE.HASH, bytes, record + ACCOUNT.CODE_HASH)
      const storage =
        exists && from[flat + FLAT_ACCOUNT.SLOT_COUNT] !== 0 ? from[flat + FLAT_ACCOUNT.STORAGE] : 0
      // Threads may be hashing it; all that is asked of it is whether it is the empty one, which none is.
      if (storage === 0) writePadded32(bytes, record + ACCOUNT.STORAGE_ROOT, KECCAK256_RLP)
      else copyHash(fromBytes, storage + FLAT_NODE.REFERENCE, bytes, record + ACCOUNT.STORAGE_ROOT)
      return true
    })
  }

  /** The same for a slot. */
  slot(record: RecordId): boolean {
    return this.#whileStill(() => {
      const words = this.#state.reach(record + SLOT.WORDS)
      const account = words[record + SLOT.ACCOUNT]
      this.#state.reach(account + ACCOUNT.WORDS)
      const flat = this.#reader.account(this.#state.words, account + ACCOUNT.ADDRESS)
      const slot = flat === 0 ? 0 : this.#reader.slot(flat, words, record + SLOT.KEY)
      const from = this.#reader.region.words
      for (let i = 0; i < 8; i++) {
        words[record + SLOT.VALUE + i] = slot === 0 ? 0 : from[slot + FLAT_SLOT.VALUE + i]
      }
      return true
    })
  }

  /** The same for code, which stays where it is: a negative place is one in the flat state's memory. */
  code(record: RecordId): boolean {
    return this.#whileStill(() => {
      const words = this.#state.reach(record + ACCOUNT.WORDS)
      const flat = this.#reader.account(words, record + ACCOUNT.ADDRESS)
      const from = this.#reader.region.words
      const code = flat === 0 ? 0 : from[flat + FLAT_ACCOUNT.CODE]
      const place = code === 0 ? 0 : from[code + FLAT_CODE.PLACE]
      words[record + ACCOUNT.CODE] = -place
      return place !== 0
    })
  }

  /** Whether `copy` succeeds, and nobody wrote to the state meanwhile. */
  #whileStill(copy: () => boolean): boolean {
    if (this.#isOwner) return copy()
    const words = this.#reader.region.words
    const epoch = this.#atomics.load(words, FLAT_EPOCH)
    if ((epoch & 1) !== 0) return false
    return copy() && this.#atomics.load(words, FLAT_EPOCH) === epoch
  }
}

function copyHash(from: Uint8Array, fromWord: number, to: Uint8Array, toWord: number): void {
  for (let i = 0; i < 32; i++) to[toWord * 4 + i] = from[fromWord * 4 + i]
}
