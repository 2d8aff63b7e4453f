// What an incarnation read, and whether it would read the same now.
// Authority on validation; it resolves with the same functions as reading does, so that reader and
// validator cannot disagree. Reads of absent accounts and of zero slots are recorded like any other.
//
// Nonces, code, resets and slots are compared by exact writer (transaction, incarnation). Balances and
// existence are compared by value: a balance is a sum over several writers, and a value that is equal
// is all that the transaction could see, because destruction writes both of them explicitly.

import type { Incarnation, LocationId, RecordId, TxIndex } from '../ids.ts'
import { BASE_WRITER } from '../ids.ts'
import { ACCOUNT, LOCATION, type LocationKind, PAYLOAD, SLOT } from '../memory/layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { equalsUint256, readUint256, WORDS_256, writeUint256 } from '../memory/word-codec.ts'
import { FOUND, type Found, type VersionStore } from './version-store.ts'

/** Entry: kind, location, highest writer, and the observation (incarnation, bit, or 8 words). */
const ENTRY = { KIND: 0, LOCATION: 1, WRITER: 2, OBSERVED: 3 } as const
const ENTRY_WORDS = 4
const BALANCE_ENTRY_WORDS = ENTRY.OBSERVED + WORDS_256

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

  recordVersion(
    kind: LocationKind,
    location: LocationId,
    writer: number,
    incarnation: Incarnation | number,
  ): void {
    const at = this.#extend(ENTRY_WORDS)
    this.#header(at, kind, location, writer)
    this.#words[at + ENTRY.OBSERVED] = incarnation
  }

  recordExists(location: LocationId, writer: number, exists: boolean): void {
    this.recordVersion(LOCATION.EXISTS, location, writer, exists ? 1 : 0)
  }

  recordBalance(location: LocationId, writer: number, balance: bigint): void {
    const at = this.#extend(BALANCE_ENTRY_WORDS)
    this.#header(at, LOCATION.BALANCE, location, writer)
    writeUint256(this.#words, at + ENTRY.OBSERVED, balance)
  }

  /** Writes the length in words, then the entries. Needs `words + 1` words at `at`. */
  copyTo(target: Int32Array, at: number): void {
    target[at] = this.#length
    for (let i = 0; i < this.#length; i++) target[at + 1 + i] = this.#words[i]
  }

  #header(at: number, kind: LocationKind, location: LocationId, writer: number): void {
    this.#words[at + ENTRY.KIND] = kind
    this.#words[at + ENTRY.LOCATION] = location
    this.#words[at + ENTRY.WRITER] = writer
  }

  #extend(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#words.length) {
      const larger = new Int32Array(Math.max(this.#words.length * 2, this.#length))
      larger.set(this.#words)
      this.#words = larger
    }
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
export function validateReadSet(store: VersionStore, at: number, reader: TxIndex): boolean {
  let words = store.block.reach(at)
  const end = at + 1 + words[at]
  words = store.block.reach(end)
  let entry = at + 1
  while (entry < end) {
    const kind = words[entry + ENTRY.KIND]
    const location = words[entry + ENTRY.LOCATION] as LocationId
    if (kind === LOCATION.BALANCE) {
      if (!balanceHolds(store, location, reader, words, entry + ENTRY.OBSERVED)) return false
      entry += BALANCE_ENTRY_WORDS
      continue
    }
    if (kind === LOCATION.EXISTS) {
      if (!existsHolds(store, location, reader, words[entry + ENTRY.OBSERVED] === 1)) return false
    } else {
      const found =
        kind === LOCATION.SLOT
          ? findSlot(store, (location - SLOT.HEAD) as RecordId, reader).found
          : store.find(location, reader)
      if (found === FOUND.ESTIMATE) return false
      if (found === FOUND.BASE) {
        if (words[entry + ENTRY.WRITER] !== BASE_WRITER) return false
      } else if (
        words[entry + ENTRY.WRITER] !== store.writer ||
        words[entry + ENTRY.OBSERVED] !== store.incarnation
      ) {
        return false
      }
    }
    entry += ENTRY_WORDS
  }
  return true
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
  let entry = at + 1
  while (entry < end) {
    const writer = words[entry + ENTRY.WRITER]
    if (writer !== BASE_WRITER) visit(writer as TxIndex)
    entry += words[entry + ENTRY.KIND] === LOCATION.BALANCE ? BALANCE_ENTRY_WORDS : ENTRY_WORDS
  }
}

function balanceHolds(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  words: Int32Array,
  observedAt: number,
): boolean {
  if (store.sumBalance(location, reader) === FOUND.ESTIMATE) return false
  let balance = store.sum
  if (store.needsBase) {
    const record = location - ACCOUNT.BALANCE_HEAD
    balance += readUint256(store.state.reach(record + ACCOUNT.WORDS), record + ACCOUNT.BALANCE)
  }
  return equalsUint256(words, observedAt, balance)
}

function existsHolds(
  store: VersionStore,
  location: LocationId,
  reader: TxIndex,
  observed: boolean,
): boolean {
  const found = store.find(location, reader)
  if (found === FOUND.ESTIMATE) return false
  if (found === FOUND.BASE) {
    const record = location - ACCOUNT.EXISTS_HEAD
    return (store.state.reach(location)[record + ACCOUNT.EXISTS] === 1) === observed
  }
  return (store.block.reach(store.payload + PAYLOAD.VALUE)[store.payload + PAYLOAD.VALUE] === 1) === observed
}
