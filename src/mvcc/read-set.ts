// What an incarnation read, and whether it would read the same now.
// Authority on validation; it resolves with the same functions as reading does, so that reader and
// validator cannot disagree. Reads of absent accounts and of zero slots are recorded like any other.
//
// Resets are compared by exact writer (transaction, incarnation), code by writer and value, nonces by
// writer or value, balances, existence and slots by value: a sum and a slot can change while their writer
// stays.
// Comparing values is sound because a transaction is a function of what it observed, so that an equal
// observation gives an equal result; also across destruction, because nothing hides behind a value: a
// destruction writes existence, balance, nonce and code explicitly, and a slot is resolved together
// with the resets of its account.

import type { Incarnation, LocationId, RecordId, TxIndex } from '../ids.ts'
import { BASE_WRITER } from '../ids.ts'
import { ACCOUNT, BASE, LOCATION, type LocationKind, PAYLOAD, SLOT } from '../memory/layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import {
  equalsUint256,
  readUint256,
  WORDS_256,
  writeUint64,
  writeUint256,
} from '../memory/word-codec.ts'
import { FOUND, type Found, type VersionStore } from './version-store.ts'

/** What validation can say. */
export const VALIDITY = {
  VALID: 0,
  INVALID: 1,
  /**
   * Nothing but existence or nonces of a lower transaction that is about to run again was read. These
   * hardly ever change by repetition, so its end is awaited. Anything else that is an estimate is
   * INVALID at once: the repetition then waits for the writer, instead of chasing each of its values.
   */
  IN_DOUBT: 2,
} as const
export type Validity = (typeof VALIDITY)[keyof typeof VALIDITY]

/** Entry: kind, location, highest writer, its incarnation (existence: a bit), the value or code hash. */
const ENTRY = { KIND: 0, LOCATION: 1, WRITER: 2, OBSERVED: 3, VALUE: 4 } as const
/** Words of an entry by kind of location. */
const ENTRY_WORDS: Readonly<Record<number, number>> = {
  [LOCATION.EXISTS]: ENTRY.VALUE,
  [LOCATION.BALANCE]: ENTRY.VALUE + WORDS_256,
  [LOCATION.NONCE]: ENTRY.VALUE + 2,
  [LOCATION.CODE]: ENTRY.VALUE + WORDS_256,
  [LOCATION.RESET]: ENTRY.VALUE,
  [LOCATION.SLOT]: ENTRY.VALUE + WORDS_256,
}

/** Collects reads in private memory; copied to the block region when the incarnation ends. */
export class ReadSetRecorder {
  #words = new Int32Array(512)
  #length = 0

  clear(): void {
    this.#length = 0
  }

  /** Words that {@link copyTo} writes. */
  get words(): number {
    return this.#length
  }

  recordReset(location: LocationId, writer: number, incarnation: Incarnation | number): void {
    this.#entry(LOCATION.RESET, location, writer, incarnation)
  }

  /** The hash of the code stands in the eight words at `hashAt` of `source`. */
  recordCode(location: LocationId, writer: number, source: Int32Array, hashAt: number): void {
    const at = this.#entry(LOCATION.CODE, location, writer, 0) + ENTRY.VALUE
    for (let i = 0; i < WORDS_256; i++) this.#words[at + i] = source[hashAt + i]
  }

  recordExists(location: LocationId, writer: number, exists: boolean): void {
    this.#entry(LOCATION.EXISTS, location, writer, exists ? 1 : 0)
  }

  recordNonce(location: LocationId, writer: number, incarnation: number, nonce: bigint): void {
    const at = this.#entry(LOCATION.NONCE, location, writer, incarnation)
    writeUint64(this.#words, at + ENTRY.VALUE, nonce)
  }

  recordBalance(location: LocationId, writer: number, balance: bigint): void {
    const at = this.#entry(LOCATION.BALANCE, location, writer, 0)
    writeUint256(this.#words, at + ENTRY.VALUE, balance)
  }

  /** The value stands in the eight words at `valueAt` of `source`; without a source it is zero. */
  recordSlot(
    location: LocationId,
    writer: number,
    incarnation: number,
    source: Int32Array | undefined,
    valueAt: number,
  ): void {
    const at = this.#entry(LOCATION.SLOT, location, writer, incarnation) + ENTRY.VALUE
    for (let i = 0; i < WORDS_256; i++) {
      this.#words[at + i] = source === undefined ? 0 : source[valueAt + i]
    }
  }

  /** Writes the length in words, then the entries. Needs `words + 1` words at `at`. */
  copyTo(target: Int32Array, at: number): void {
    target[at] = this.#length
    for (let i = 0; i < this.#length; i++) target[at + 1 + i] = this.#words[i]
  }

  /** Checks what was recorded so far against what a reader at `reader` finds now. */
  validate(store: VersionStore, reader: TxIndex): Validity {
    return validateEntries(store, this.#words, 0, this.#length, reader)
  }

  #entry(kind: LocationKind, location: LocationId, writer: number, observed: number): number {
    const at = this.#length
    this.#length += ENTRY_WORDS[kind]
    if (this.#length > this.#words.length) {
      const larger = new Int32Array(Math.max(this.#words.length * 2, this.#length))
      larger.set(this.#words)
      this.#words = larger
    }
    this.#words[at + ENTRY.KIND] = kind
    this.#words[at + ENTRY.LOCATION] = location
    this.#words[at + ENTRY.WRITER] = writer
    this.#words[at + ENTRY.OBSERVED] = observed
    return at
  }
}

/**
 * Finds the version of a storage slot, which a later reset of its account's storage hides.
 * After it `store.writer` and `store.incarnation` name the version, reset or not; `resetWins` is
 * true where the value is zero because of a reset.
 */
export function findSlot(
  store: VersionStore,
  slot: RecordId,
  reader: TxIndex,
): { found: Found; resetWins: boolean } {
  const account = store.state.reach(slot + SLOT.WORDS)[slot + SLOT.ACCOUNT]
  const resetFound = store.find((account + ACCOUNT.RESET_HEAD) as LocationId, reader)
  if (resetFound === FOUND.BASE) {
    slotFinding.found = store.find((slot + SLOT.HEAD) as LocationId, reader)
    slotFinding.resetWins = false
    return slotFinding
  }
  const resetWriter = store.writer
  const resetIncarnation = store.incarnation
  if (resetFound === FOUND.ESTIMATE) {
    slotFinding.found = FOUND.ESTIMATE
    slotFinding.resetWins = true
    return slotFinding
  }
  const slotFound = store.find((slot + SLOT.HEAD) as LocationId, reader)
  // A transaction that resets and then writes publishes both, and its write is the later of the two.
  if (slotFound === FOUND.BASE || store.writer < resetWriter) {
    store.writer = resetWriter
    store.incarnation = resetIncarnation
    slotFinding.found = FOUND.VERSION
    slotFinding.resetWins = true
  } else {
    slotFinding.found = slotFound
    slotFinding.resetWins = false
  }
  return slotFinding
}
/** Reused result: this runs once per storage read. */
const slotFinding: { found: Found; resetWins: boolean } = { found: FOUND.BASE, resetWins: false }

/** Checks the read set at block offset `at` against what a reader at `reader` finds now. */
export function validateReadSet(store: VersionStore, at: number, reader: TxIndex): Validity {
  let words = store.block.reach(at)
  const end = at + 1 + words[at]
  words = store.block.reach(end)
  return validateEntries(store, words, at + 1, end, reader)
}

function validateEntries(
  store: VersionStore,
  words: Int32Array,
  start: number,
  end: number,
  reader: TxIndex,
): Validity {
  let verdict: Validity = VALIDITY.VALID
  for (let entry = start; entry < end; entry += ENTRY_WORDS[words[entry + ENTRY.KIND]]) {
    const validity = validateEntry(store, words, entry, reader)
    if (validity === VALIDITY.INVALID) {
      store.refutedKind = words[entry + ENTRY.KIND] as LocationKind
      return VALIDITY.INVALID
    }
    if (validity === VALIDITY.IN_DOUBT) verdict = VALIDITY.IN_DOUBT
  }
  return verdict
}

/**
 * Calls `visit` for every entry of the read set at block offset `at`, in the order of reading. For kinds
 * that are compared by value, the value stands at `value` of the words that the block then has.
 */
export function forEachRead(
  block: SharedRegion,
  at: number,
  visit: (kind: LocationKind, location: LocationId, value: number) => void,
): void {
  if (at === 0) return
  let words = block.reach(at)
  const end = at + 1 + words[at]
  words = block.reach(end)
  for (let entry = at + 1; entry < end; entry += ENTRY_WORDS[words[entry + ENTRY.KIND]]) {
    const location = words[entry + ENTRY.LOCATION] as LocationId
    visit(words[entry + ENTRY.KIND] as LocationKind, location, entry + ENTRY.VALUE)
  }
}

/** Calls `visit` with the highest writer of each entry that was not read from the base. */
export function forEachWriter(
  block: SharedRegion,
  at: number,
  visit: (writer: TxIndex) => void,
): void {
  let words = block.reach(at)
  const end = at + 1 + words[at]
  words = block.reach(end)
  for (let entry = at + 1; entry < end; entry += ENTRY_WORDS[words[entry + ENTRY.KIND]]) {
    const writer = words[entry + ENTRY.WRITER]
    if (writer !== BASE_WRITER) visit(writer as TxIndex)
  }
}

function validateEntry(
  store: VersionStore,
  words: Int32Array,
  entry: number,
  reader: TxIndex,
): Validity {
  const location = words[entry + ENTRY.LOCATION] as LocationId
  switch (words[entry + ENTRY.KIND]) {
    case LOCATION.BALANCE:
      return validateBalance(store, location, reader, words, entry)
    case LOCATION.EXISTS:
      return validateExists(store, location, reader, words, entry)
    case LOCATION.SLOT:
      return validateSlot(store, location, reader, words, entry)
    case LOCATION.NONCE:
      return validateNonce(store, location, reader, words, entry)
    case LOCATION.CODE:
      return validateCode(store, location, reader, words, entry)
    default: {
      const found = store.find(location, reader)
      if (found === FOUND.ESTIMATE) return VALIDITY.INVALID
      return validIf(sameWriter(store, words, entry))
    }
  }
}

/** The writer that was observed is the one just found. */
function sameWriter(store: VersionStore, words: Int32Array, entry: number): boolean {
  const writer = words[entry + ENTRY.WRITER]
  if (writer !== store.writer) return false
  return writer === BASE_WRITER || words[entry + ENTRY.OBSERVED] === store.incarnation
}

function validateBalance(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  words: Int32Array,
  entry: number,
): Validity {
  if (store.sumBalance(location, reader) === FOUND.ESTIMATE) return VALIDITY.INVALID
  let balance = store.sum
  if (store.needsBase) {
    const record = location - ACCOUNT.BALANCE_HEAD
    balance += readUint256(store.state.reach(record + ACCOUNT.WORDS), record + ACCOUNT.BALANCE)
  }
  // Recorded modulo 2^256, which matters only to sums that are refused when they are published.
  return validIf(equalsUint256(words, entry + ENTRY.VALUE, BigInt.asUintN(256, balance)))
}

function validateExists(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  words: Int32Array,
  entry: number,
): Validity {
  const found = store.find(location, reader)
  if (found === FOUND.ESTIMATE) return VALIDITY.IN_DOUBT
  const at = store.payload + PAYLOAD.VALUE
  const exists =
    found === FOUND.BASE
      ? store.state.reach(location)[location - ACCOUNT.EXISTS_HEAD + ACCOUNT.EXISTS]
      : store.block.reach(at)[at]
  return validIf(exists === words[entry + ENTRY.OBSERVED])
}

function validateNonce(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  words: Int32Array,
  entry: number,
): Validity {
  const found = store.find(location, reader)
  if (found === FOUND.ESTIMATE) return VALIDITY.IN_DOUBT
  if (sameWriter(store, words, entry)) return VALIDITY.VALID
  const [source, at] =
    found === FOUND.BASE
      ? [store.state.reach(location), location - ACCOUNT.NONCE_HEAD + ACCOUNT.NONCE]
      : [store.block.reach(store.payload + PAYLOAD.VALUE + 2), store.payload + PAYLOAD.VALUE]
  return validIf(sameWords(words, entry + ENTRY.VALUE, source, at, 2))
}

/** By the same transaction, whichever incarnation of it: then the hash tells whether it is the same. */
function validateCode(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  words: Int32Array,
  entry: number,
): Validity {
  const found = store.find(location, reader)
  if (found === FOUND.ESTIMATE || store.writer !== words[entry + ENTRY.WRITER]) {
    return VALIDITY.INVALID
  }
  if (found === FOUND.BASE) return VALIDITY.VALID
  const at = store.payload + PAYLOAD.VALUE
  return validIf(
    sameWords(words, entry + ENTRY.VALUE, store.block.reach(at + WORDS_256), at, WORDS_256),
  )
}

function validateSlot(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  words: Int32Array,
  entry: number,
): Validity {
  const slot = (location - SLOT.HEAD) as RecordId
  const { found, resetWins } = findSlot(store, slot, reader)
  if (found === FOUND.ESTIMATE) return VALIDITY.INVALID
  // The writer alone says nothing: one incarnation may reset the storage and write the slot, and who
  // looked between the two saw zero.
  const observedAt = entry + ENTRY.VALUE
  if (resetWins) return validIf(isZero(words, observedAt))
  if (found === FOUND.VERSION) {
    const at = store.payload + PAYLOAD.VALUE
    return validIf(sameWords(words, observedAt, store.block.reach(at + WORDS_256), at, WORDS_256))
  }
  if (words[entry + ENTRY.WRITER] === BASE_WRITER) return VALIDITY.VALID
  // Nobody writes it any more. Its base value may never have been asked for: then it must be now.
  const state = store.state.reach(slot + SLOT.WORDS)
  if (state[slot + SLOT.STATUS] !== BASE.PRESENT) return VALIDITY.INVALID
  return validIf(sameWords(words, observedAt, state, slot + SLOT.VALUE, WORDS_256))
}

function validIf(holds: boolean): Validity {
  return holds ? VALIDITY.VALID : VALIDITY.INVALID
}

function sameWords(a: Int32Array, aAt: number, b: Int32Array, bAt: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

function isZero(words: Int32Array, at: number): boolean {
  for (let i = 0; i < WORDS_256; i++) if (words[at + i] !== 0) return false
  return true
}
