// One account as one incarnation sees it: values at its start, as far as read, and values now.
// Plain data with undo; authority on which fields exist. Neither reads nor publishes versions.

import { KECCAK256_NULL } from '@ethereumjs/util'
import type { RecordId } from '../ids.ts'

const ZERO = 0n
const NO_CODE = new Uint8Array(0)

/**
 * `undefined` means "not read": the value at the incarnation's start, whatever it is. A balance that
 * was not read can still have grown by `added`; that is how additions stay commutative.
 */
export class AccountEntry {
  readonly record: RecordId
  /** 20 bytes, private. */
  readonly address: Uint8Array

  /** Observed at the start. `startExists` is set before anything else is asked of the entry. */
  startExists: boolean | undefined = undefined
  startNonce: bigint | undefined = undefined
  startBalance: bigint | undefined = undefined
  startCodeHash: Uint8Array | undefined = undefined
  /** Where in the block region the code at the start lies; 0 = it is base code. */
  startCodePlace = 0
  /** Base storage root as it was at the block's start; see {@link StateView.storageRoot}. */
  startStorageRoot: Uint8Array | undefined = undefined

  exists = false
  nonce: bigint | undefined = undefined
  balance: bigint | undefined = undefined
  added = ZERO
  codeHash: Uint8Array | undefined = undefined
  /** Code that this incarnation put; otherwise the code hash says which code it is. */
  code: Uint8Array | undefined = undefined
  /** How often storage was cleared; slots remember the count at which they were written. */
  clears = 0
  /** Existence was not read because the fee makes the account exist in any case. */
  existsBlindly = false

  constructor(record: RecordId, address: Uint8Array) {
    this.record = record
    this.address = address
  }

  /** Called once, with the existence at the start. An absent account has known fields. */
  begin(exists: boolean): void {
    this.startExists = exists
    this.exists = exists
    if (exists) return
    this.startNonce = ZERO
    this.startBalance = ZERO
    this.startCodeHash = KECCAK256_NULL
    this.nonce = ZERO
    this.balance = ZERO
    this.codeHash = KECCAK256_NULL
  }

  /** Removes the account and its storage, as seen from now on. */
  remove(): void {
    this.exists = false
    this.nonce = ZERO
    this.balance = ZERO
    this.added = ZERO
    this.codeHash = KECCAK256_NULL
    this.code = NO_CODE
    this.clears++
  }
}

/** Restores one account entry to what it was when the record was made. */
export class AccountUndo {
  readonly #entry: AccountEntry
  readonly #exists: boolean
  readonly #nonce: bigint | undefined
  readonly #balance: bigint | undefined
  readonly #added: bigint
  readonly #codeHash: Uint8Array | undefined
  readonly #code: Uint8Array | undefined
  readonly #clears: number
  readonly #existsBlindly: boolean

  constructor(entry: AccountEntry) {
    this.#entry = entry
    this.#exists = entry.exists
    this.#nonce = entry.nonce
    this.#balance = entry.balance
    this.#added = entry.added
    this.#codeHash = entry.codeHash
    this.#code = entry.code
    this.#clears = entry.clears
    this.#existsBlindly = entry.existsBlindly
  }

  undo(): void {
    const entry = this.#entry
    entry.exists = this.#exists
    entry.nonce = this.#nonce
    entry.balance = this.#balance
    entry.added = this.#added
    entry.codeHash = this.#codeHash
    entry.code = this.#code
    entry.clears = this.#clears
    entry.existsBlindly = this.#existsBlindly
  }
}

/** One storage slot as one incarnation sees it. */
export class SlotEntry {
  readonly record: RecordId
  readonly account: AccountEntry
  /** Without leading zeros; empty is zero. */
  value: Uint8Array
  /** {@link AccountEntry.clears} at the time of the value: a lower count means cleared since. */
  clears: number
  /** The value read at the start, `undefined` where the slot was written without reading. */
  startValue: Uint8Array | undefined

  constructor(
    record: RecordId,
    account: AccountEntry,
    value: Uint8Array,
    startValue: Uint8Array | undefined,
  ) {
    this.record = record
    this.account = account
    this.value = value
    this.clears = account.clears
    this.startValue = startValue
  }
}

/** Restores one slot entry. */
export class SlotUndo {
  readonly #entry: SlotEntry
  readonly #value: Uint8Array
  readonly #clears: number

  constructor(entry: SlotEntry) {
    this.#entry = entry
    this.#value = entry.value
    this.#clears = entry.clears
  }

  undo(): void {
    this.#entry.value = this.#value
    this.#entry.clears = this.#clears
  }
}
