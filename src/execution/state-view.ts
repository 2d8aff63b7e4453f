// Reads the state that one incarnation starts from: versions of lower transactions over base values,
// with every read recorded. Authority on what is recorded; never writes, never sees the transaction's
// own changes (those are the overlay's).

import { KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util'
import type { LocationId, RecordId, TxIndex } from '../ids.ts'
import { BASE_WRITER } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { ACCOUNT, BASE, PAYLOAD, SLOT } from '../memory/layout.ts'
import {
  readBytes,
  readStripped32,
  readUint64,
  readUint256,
  WORDS_256,
} from '../memory/word-codec.ts'
import { findSlot, type ReadSetRecorder } from '../mvcc/read-set.ts'
import { FOUND, type VersionStore } from '../mvcc/version-store.ts'
import type { AccountEntry } from './account-entry.ts'
import type { CodeCache } from './code-cache.ts'
import { EstimateError, type LaneWaits } from './lane-waits.ts'

/** Balances from here on are read, not added to, so that sums of additions cannot overflow. */
const COMMUTATIVE_BALANCE_LIMIT = 1n << 255n
const NO_BYTES = new Uint8Array(0)

export class StateView {
  readonly #store: VersionStore
  readonly #reads: ReadSetRecorder
  readonly #waits: LaneWaits
  readonly #codes: CodeCache
  readonly #atomics: AtomicOperations
  #reader = 0 as TxIndex
  /**
   * The transaction whose estimate a synchronous read met. Stock code may swallow the error that the
   * read threw, so whoever runs the transaction must look here before using a result.
   */
  blockedBy: number = BASE_WRITER

  constructor(
    store: VersionStore,
    reads: ReadSetRecorder,
    waits: LaneWaits,
    codes: CodeCache,
    atomics: AtomicOperations,
  ) {
    this.#store = store
    this.#reads = reads
    this.#waits = waits
    this.#codes = codes
    this.#atomics = atomics
  }

  begin(reader: TxIndex): void {
    this.#reader = reader
    this.#reads.clear()
    this.blockedBy = BASE_WRITER
  }

  /** Reads whether the account exists; to be awaited before any other read of the entry. */
  async readExists(entry: AccountEntry): Promise<void> {
    const peeked = await this.#peekExists(entry)
    this.#reads.recordExists(existsHead(entry), peeked.writer, peeked.exists)
    entry.begin(peeked.exists)
  }

  /**
   * Reads existence for somebody who will make the account exist: nothing is recorded where it does
   * not exist yet, since the outcome is the same either way, and then the writer publishes it blindly.
   */
  async readExistsForCredit(entry: AccountEntry): Promise<void> {
    const peeked = await this.#peekExists(entry)
    if (peeked.exists) this.#reads.recordExists(existsHead(entry), peeked.writer, true)
    else entry.existsBlindly = true
    entry.startExists = peeked.exists
    entry.exists = peeked.exists
  }

  async #peekExists(entry: AccountEntry): Promise<{ exists: boolean; writer: number }> {
    const record = entry.record
    const state = this.#store.state
    const status = record + ACCOUNT.STATUS
    if (this.#atomics.load(state.reach(record + ACCOUNT.WORDS), status) !== BASE.PRESENT) {
      await this.#waits.account(record)
    }
    for (;;) {
      const found = this.#store.find(existsHead(entry), this.#reader)
      const writer = this.#store.writer
      if (found === FOUND.BASE) {
        return { exists: state.reach(status)[record + ACCOUNT.EXISTS] === 1, writer }
      }
      if (found === FOUND.VERSION) {
        const at = this.#store.payload + PAYLOAD.VALUE
        return { exists: this.#store.block.reach(at)[at] === 1, writer }
      }
      await this.#waits.transaction(writer)
    }
  }

  /** Waits until none of the fields that a sender needs is an estimate, then reads them. */
  async readAll(entry: AccountEntry): Promise<void> {
    for (;;) {
      const blocking = this.#estimateAmong(entry)
      if (blocking === BASE_WRITER) break
      await this.#waits.transaction(blocking)
    }
    if (entry.startNonce === undefined) this.nonce(entry)
    if (entry.startBalance === undefined) this.balance(entry)
    if (entry.startCodeHash === undefined) this.codeHash(entry)
  }

  #estimateAmong(entry: AccountEntry): number {
    const store = this.#store
    const record = entry.record
    if (
      entry.startNonce === undefined &&
      store.find(nonceHead(record), this.#reader) === FOUND.ESTIMATE
    ) {
      return store.writer
    }
    if (
      entry.startBalance === undefined &&
      store.sumBalance(balanceHead(record), this.#reader) === FOUND.ESTIMATE
    ) {
      return store.writer
    }
    if (
      entry.startCodeHash === undefined &&
      store.find(codeHead(record), this.#reader) === FOUND.ESTIMATE
    ) {
      return store.writer
    }
    return BASE_WRITER
  }

  /** The nonce at the start. @throws EstimateError */
  nonce(entry: AccountEntry): bigint {
    if (entry.startNonce !== undefined) return entry.startNonce
    const store = this.#store
    const location = nonceHead(entry.record)
    const found = store.find(location, this.#reader)
    if (found === FOUND.ESTIMATE) this.#blocked(store.writer)
    const nonce =
      found === FOUND.BASE
        ? readUint64(store.state.words, entry.record + ACCOUNT.NONCE)
        : readUint64(
            store.block.reach(store.payload + PAYLOAD.VALUE + 2),
            store.payload + PAYLOAD.VALUE,
          )
    this.#reads.recordNonce(location, store.writer, store.incarnation, nonce)
    entry.startNonce = nonce
    return nonce
  }

  /** The balance at the start, in wei. @throws EstimateError */
  balance(entry: AccountEntry): bigint {
    if (entry.startBalance !== undefined) return entry.startBalance
    const store = this.#store
    const location = balanceHead(entry.record)
    if (store.sumBalance(location, this.#reader) === FOUND.ESTIMATE) this.#blocked(store.writer)
    let balance = store.sum
    if (store.needsBase) balance += readUint256(store.state.words, entry.record + ACCOUNT.BALANCE)
    this.#reads.recordBalance(location, store.writer, balance)
    entry.startBalance = balance
    return balance
  }

  /** Whether additions to the balance may go unread. Needs the base values to be present. */
  mayAddUnread(entry: AccountEntry): boolean {
    const words = this.#store.state.words
    // The highest limb alone decides; it is negative as an Int32 exactly from 2^255 on.
    return words[entry.record + ACCOUNT.BALANCE + WORDS_256 - 1] >= 0
  }

  /** The code hash at the start, 32 bytes. @throws EstimateError */
  codeHash(entry: AccountEntry): Uint8Array {
    if (entry.startCodeHash !== undefined) return entry.startCodeHash
    const store = this.#store
    const location = codeHead(entry.record)
    const found = store.find(location, this.#reader)
    if (found === FOUND.ESTIMATE) this.#blocked(store.writer)
    const isBase = found === FOUND.BASE
    const region = isBase ? store.state : store.block
    const at = isBase ? entry.record + ACCOUNT.CODE_HASH : store.payload + PAYLOAD.VALUE
    const words = region.reach(at + WORDS_256)
    const hash = readBytes(region.bytes, at, 32)
    if (!isBase) entry.startCodePlace = words[at + WORDS_256]
    this.#reads.recordCode(location, store.writer, words, at)
    entry.startCodeHash = equalHashes(hash, KECCAK256_NULL) ? KECCAK256_NULL : hash
    return entry.startCodeHash
  }

  /** The code at the start. Shared between transactions: nobody may change it. */
  async code(entry: AccountEntry): Promise<Uint8Array> {
    const store = this.#store
    while (entry.startCodeHash === undefined) {
      if (store.find(codeHead(entry.record), this.#reader) === FOUND.ESTIMATE) {
        await this.#waits.transaction(store.writer)
      } else {
        this.codeHash(entry)
      }
    }
    if (entry.startCodeHash === KECCAK256_NULL) return NO_BYTES
    // Code and hash come from one read: the place was noted when the hash was read.
    if (entry.startCodePlace !== 0) return this.#codes.ofBlock(store.block, entry.startCodePlace)
    for (;;) {
      const words = store.state.words
      if (this.#atomics.load(words, entry.record + ACCOUNT.CODE_STATUS) === BASE.PRESENT) {
        return this.#codes.ofState(store.state, words[entry.record + ACCOUNT.CODE])
      }
      await this.#waits.code(entry.record)
    }
  }

  /**
   * The root of the account's storage at the block's start, or the empty root where a lower
   * transaction reset the storage. Roots are not maintained within a block; stock's caches do not
   * either, and the EVM only compares them with the empty root (EIP-7610).
   */
  storageRoot(entry: AccountEntry): Uint8Array {
    if (entry.startStorageRoot !== undefined) return entry.startStorageRoot
    const store = this.#store
    const location = (entry.record + ACCOUNT.RESET_HEAD) as LocationId
    const found = store.find(location, this.#reader)
    if (found === FOUND.ESTIMATE) this.#blocked(store.writer)
    this.#reads.recordReset(location, store.writer, store.incarnation)
    const absent = store.state.words[entry.record + ACCOUNT.EXISTS] === 0
    entry.startStorageRoot =
      found === FOUND.VERSION || absent
        ? KECCAK256_RLP
        : readBytes(store.state.bytes, entry.record + ACCOUNT.STORAGE_ROOT, 32)
    return entry.startStorageRoot
  }

  /** The value of a slot at the start, without leading zeros; `undefined` where it must be awaited. */
  slotNow(record: RecordId): Uint8Array | undefined {
    const store = this.#store
    const location = (record + SLOT.HEAD) as LocationId
    const { found, resetWins } = findSlot(store, record, this.#reader)
    if (found === FOUND.ESTIMATE) return undefined
    const { writer, incarnation, payload } = store
    if (found === FOUND.BASE) {
      const words = store.state.reach(record + SLOT.WORDS)
      // An account that the block found absent has no storage to ask for.
      const absent = words[words[record + SLOT.ACCOUNT] + ACCOUNT.EXISTS] === 0
      if (!absent && this.#atomics.load(words, record + SLOT.STATUS) !== BASE.PRESENT) {
        return undefined
      }
      const source = absent ? undefined : words
      this.#reads.recordSlot(location, BASE_WRITER, 0, source, record + SLOT.VALUE)
      return absent ? NO_BYTES : readStripped32(store.state.bytes, record + SLOT.VALUE)
    }
    const at = payload + PAYLOAD.VALUE
    const source = resetWins ? undefined : store.block.reach(at + WORDS_256)
    this.#reads.recordSlot(location, writer, incarnation, source, at)
    return resetWins ? NO_BYTES : readStripped32(store.block.bytes, at)
  }

  /** Waits for what {@link slotNow} could not do without. */
  slotWait(record: RecordId): Promise<void> {
    const { found } = findSlot(this.#store, record, this.#reader)
    if (found === FOUND.ESTIMATE) return this.#waits.transaction(this.#store.writer)
    if (found === FOUND.BASE) return this.#waits.slot(record)
    return Promise.resolve()
  }

  #blocked(transaction: number): never {
    this.blockedBy = transaction
    throw new EstimateError(transaction)
  }
}

/** Additions from here on are not left unread either. */
export const LARGEST_UNREAD_ADDITION = COMMUTATIVE_BALANCE_LIMIT >> 64n

function existsHead(entry: AccountEntry): LocationId {
  return (entry.record + ACCOUNT.EXISTS_HEAD) as LocationId
}
function balanceHead(record: RecordId): LocationId {
  return (record + ACCOUNT.BALANCE_HEAD) as LocationId
}
function nonceHead(record: RecordId): LocationId {
  return (record + ACCOUNT.NONCE_HEAD) as LocationId
}
function codeHead(record: RecordId): LocationId {
  return (record + ACCOUNT.CODE_HEAD) as LocationId
}

function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (a[i] !== b[i]) return false
  return true
}
