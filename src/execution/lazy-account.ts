// Accounts as the EVM gets them: fields are read, and thereby recorded, only when they are looked at.
// Authority on what a plain property access costs in recorded reads; stores nothing itself (the
// overlay takes over the fields when the account is put).
//
// Stock hands out copies: an account object keeps the values of the moment it was got, whatever is put
// later. So an object captures what is known at that moment, and a field that was not known then reads
// the value at the start of the incarnation, which cannot change.

import { Account, KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util'
import type { ListedBalance } from '../access/listed-accesses.ts'
import type { AccountEntry } from './account-entry.ts'
import type { StateView } from './state-view.ts'

const ZERO = 0n

export class LazyAccount extends Account {
  readonly entry: AccountEntry
  readonly #view: StateView
  /** Captured, read or assigned; undefined while it is the unread value at the start. */
  nonceValue: bigint | undefined
  balanceValue: bigint | undefined
  /** Added to an unread balance, including what the entry had gained when this object was made. */
  addedValue: bigint
  codeHashValue: Uint8Array | undefined
  readonly #clearsThen: number
  #assignedStorageRoot: Uint8Array | undefined
  /** The next look at the balance only asks whether it is negative: see {@link answerZeroOnce}. */
  #answerZero = false

  constructor(entry: AccountEntry, view: StateView) {
    super(null, null, null, null, null, null)
    this.entry = entry
    this.#view = view
    this.nonceValue = entry.nonce
    this.balanceValue = entry.balance
    this.addedValue = entry.added
    this.codeHashValue = entry.codeHash
    this.#clearsThen = entry.clears
    this._codeSize = 0
    this._version = 0
  }

  override get nonce(): bigint {
    if (this.nonceValue === undefined) this.nonceValue = this.#view.nonce(this.entry)
    return this.nonceValue
  }
  override set nonce(nonce: bigint) {
    this.nonceValue = nonce
  }

  override get balance(): bigint {
    if (this.#answerZero) {
      this.#answerZero = false
      return ZERO
    }
    if (this.balanceValue === undefined) {
      this.balanceValue = this.#view.balance(this.entry) + this.addedValue
      this.addedValue = ZERO
    }
    return this.balanceValue
  }
  override set balance(balance: bigint) {
    this.balanceValue = balance
    this.addedValue = ZERO
  }

  override get codeHash(): Uint8Array {
    if (this.codeHashValue === undefined) this.codeHashValue = this.#view.codeHash(this.entry)
    return this.codeHashValue
  }
  override set codeHash(codeHash: Uint8Array) {
    this.codeHashValue = codeHash
  }

  override get storageRoot(): Uint8Array {
    if (this.#assignedStorageRoot !== undefined) return this.#assignedStorageRoot
    if (this.#clearsThen > 0) return KECCAK256_RLP
    return this.#view.storageRoot(this.entry)
  }
  override set storageRoot(storageRoot: Uint8Array) {
    this.#assignedStorageRoot = storageRoot
  }

  /** Whether the balance can grow by a value without being read. */
  get canAddUnread(): boolean {
    return this.balanceValue === undefined && this.#view.mayAddUnread(this.entry)
  }

  /** Grows the unread balance by `value` wei. */
  addUnread(value: bigint): void {
    this.addedValue += value
  }

  /** The balance as a block access list records it, without reading it. */
  get listedBalance(): ListedBalance {
    return this.balanceValue ?? { added: this.addedValue }
  }

  /**
   * Makes the next look at the balance answer 0 without reading it. For the one place where stock
   * compares the balance with a value of zero, which every balance passes.
   */
  answerZeroOnce(): void {
    if (this.balanceValue === undefined) this.#answerZero = true
  }

  /** Takes {@link answerZeroOnce} back where the look did not happen. */
  answerTruly(): void {
    this.#answerZero = false
  }

  override isContract(): boolean {
    return !isNullHash(this.codeHash)
  }

  /** EIP-161, asked in the order that reads least: what is known, then code, nonce, balance. */
  override isEmpty(): boolean {
    if (this.addedValue > ZERO) return false
    if (this.balanceValue !== undefined && this.balanceValue !== ZERO) return false
    if (this.nonceValue !== undefined && this.nonceValue !== ZERO) return false
    if (!isNullHash(this.codeHash)) return false
    return this.nonce === ZERO && this.balance === ZERO
  }
}

/**
 * The coinbase's account while `runTx` credits the fee: it takes the addition and reads nothing.
 * Only handed out where nothing but the credit can happen to it.
 */
export class FeeAccount extends Account {
  /** Wei credited. */
  credit = ZERO

  constructor() {
    super(null, null, null, null, null, null)
  }

  override get balance(): bigint {
    return this.credit
  }
  override set balance(balance: bigint) {
    this.credit = balance
  }
}

function isNullHash(hash: Uint8Array): boolean {
  if (hash === KECCAK256_NULL) return true
  for (let i = 0; i < 32; i++) if (hash[i] !== KECCAK256_NULL[i]) return false
  return true
}
