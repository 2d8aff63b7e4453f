// The state manager of a worker's EVM: one transaction's changes, with checkpoints, over the state
// that it starts from. Authority on what the transaction has changed; publishes nothing (see
// publish-writes.ts). Behaves as stock's MerkleStateManager with caches does, byte for byte.

import type { AccountFields, StateManagerInterface } from '@ethereumjs/common'
import { Account, type Address, EthereumJSErrorWithoutCode, unpadBytes } from '@ethereumjs/util'
import type { ListedBalance } from '../access/listed-accesses.ts'
import { internalError } from '../errors.ts'
import type { RecordId, TxIndex } from '../ids.ts'
import type { LocationTable } from '../mvcc/location-table.ts'
import { AccountEntry, AccountUndo, SlotEntry, SlotUndo } from './account-entry.ts'
import { FeeAccount, LazyAccount } from './lazy-account.ts'
import type { StateView } from './state-view.ts'

const NO_BYTES = new Uint8Array(0)

export class OverlayStateManager implements StateManagerInterface {
  readonly #table: LocationTable
  readonly #view: StateView
  readonly #keccak256: (message: Uint8Array) => Uint8Array
  readonly #accounts = new Map<RecordId, AccountEntry>()
  readonly #slots = new Map<RecordId, SlotEntry>()
  readonly #originals = new Map<RecordId, Uint8Array>()
  readonly #undo: (AccountUndo | SlotUndo)[] = []
  readonly #checkpoints: number[] = []

  /** Values at the first look in the transaction, for SSTORE's gas (EIP-2200). */
  readonly originalStorageCache = {
    get: (address: Address, key: Uint8Array): Promise<Uint8Array> => this.#original(address, key),
    clear: (): void => this.#originals.clear(),
  }

  constructor(
    table: LocationTable,
    view: StateView,
    keccak256: (message: Uint8Array) => Uint8Array,
  ) {
    this.#table = table
    this.#view = view
    this.#keccak256 = keccak256
  }

  /** Forgets the previous incarnation. */
  begin(reader: TxIndex): void {
    this.#accounts.clear()
    this.#slots.clear()
    this.#originals.clear()
    this.#undo.length = 0
    this.#checkpoints.length = 0
    this.#view.begin(reader)
  }

  /** Everything that the transaction looked at, changed or not. */
  get accounts(): Iterable<AccountEntry> {
    return this.#accounts.values()
  }
  get slots(): Iterable<SlotEntry> {
    return this.#slots.values()
  }

  async getAccount(address: Address): Promise<Account | undefined> {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    return entry.exists ? new LazyAccount(entry, this.#view) : undefined
  }

  /** Like {@link getAccount}, with nonce, balance and code hash read at once, waiting where needed. */
  async getAccountWhole(address: Address): Promise<Account | undefined> {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    if (!entry.exists) return undefined
    await this.#view.readAll(entry)
    return new LazyAccount(entry, this.#view)
  }

  /** Whether the fee can be credited to `address` without reading its balance. */
  async mayCreditUnread(address: Address): Promise<boolean> {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExistsForCredit(entry)
    return entry.balance !== undefined || this.#view.mayAddUnread(entry)
  }

  /** The balance as a block access list records it, without reading it. */
  listedBalance(address: Address): ListedBalance {
    const { balance, added } = this.#entry(address)
    return balance ?? { added }
  }

  /** The balance at the start of an account that was looked at; read where it was not. @throws EstimateError */
  balanceBefore(address: Address): bigint {
    return this.#view.balance(this.#entry(address))
  }

  async putAccount(address: Address, account?: Account): Promise<void> {
    if (account === undefined) return this.deleteAccount(address)
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    this.#undo.push(new AccountUndo(entry))
    if (account instanceof FeeAccount) {
      if (entry.balance !== undefined) entry.balance += account.credit
      else entry.added += account.credit
      if (account.credit === 0n && entry.existsBlindly) {
        // A credit of nothing does not make the account exist (EIP-161): what it is must be read.
        entry.existsBlindly = false
        await this.#view.readExists(entry)
      }
    } else if (account instanceof LazyAccount) {
      // A field that the object never looked at holds the value at the start: also where somebody
      // else has put another value in the meantime.
      entry.nonce = account.nonceValue
      entry.balance = account.balanceValue
      entry.added = account.addedValue
      entry.codeHash = account.codeHashValue
    } else {
      entry.nonce = account.nonce
      entry.balance = account.balance
      entry.added = 0n
      entry.codeHash = account.codeHash
    }
    entry.exists = true
  }

  async deleteAccount(address: Address): Promise<void> {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    this.#undo.push(new AccountUndo(entry))
    entry.remove()
  }

  async modifyAccountFields(address: Address, fields: AccountFields): Promise<void> {
    const account = (await this.getAccount(address)) ?? new Account()
    if (fields.nonce !== undefined) account.nonce = fields.nonce
    if (fields.balance !== undefined) account.balance = fields.balance
    if (fields.storageRoot !== undefined) account.storageRoot = fields.storageRoot
    if (fields.codeHash !== undefined) account.codeHash = fields.codeHash
    if (fields.codeSize !== undefined) account.codeSize = fields.codeSize
    await this.putAccount(address, account)
  }

  async putCode(address: Address, value: Uint8Array): Promise<void> {
    const codeHash = this.#keccak256(value)
    if ((await this.getAccount(address)) === undefined)
      await this.putAccount(address, new Account())
    await this.modifyAccountFields(address, { codeHash })
    // The undo record of the put above also covers the code.
    this.#entry(address).code = value
  }

  async getCode(address: Address): Promise<Uint8Array> {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    if (!entry.exists) return NO_BYTES
    return entry.code ?? this.#view.code(entry)
  }

  async getCodeSize(address: Address): Promise<number> {
    return (await this.getCode(address)).length
  }

  async getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    if (key.length !== 32) throw EthereumJSErrorWithoutCode('Storage key must be 32 bytes long')
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    for (;;) {
      const value = this.storageNow(address, key)
      if (value !== undefined) return value
      await this.#view.slotWait(this.#table.slot(entry.record, key))
    }
  }

  /** {@link getStorage} without waiting; `undefined` where it would have to. `key` is 32 bytes. */
  storageNow(address: Address, key: Uint8Array): Uint8Array | undefined {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) return undefined
    const record = this.#table.slot(entry.record, key)
    const slot = this.#slots.get(record)
    if (slot !== undefined && slot.clears === entry.clears) return slot.value
    if (entry.clears > 0 || !entry.exists) return NO_BYTES
    const value = this.#view.slotNow(record)
    if (value !== undefined) this.#slots.set(record, new SlotEntry(record, entry, value, value))
    return value
  }

  async putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    if (key.length !== 32) throw EthereumJSErrorWithoutCode('Storage key must be 32 bytes long')
    if (value.length > 32) {
      throw EthereumJSErrorWithoutCode('Storage value cannot be longer than 32 bytes')
    }
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    this.#store(entry, key, unpadBytes(value))
  }

  /**
   * {@link putStorage} and then {@link getAccount}, without waiting, where {@link storageNow} has found
   * a value. `value` has no leading zeros and is the callee's from now on.
   */
  storeNow(address: Address, key: Uint8Array, value: Uint8Array): Account {
    const entry = this.#entry(address)
    this.#store(entry, key, value)
    return new LazyAccount(entry, this.#view)
  }

  #store(entry: AccountEntry, key: Uint8Array, value: Uint8Array): void {
    if (!entry.exists) {
      throw EthereumJSErrorWithoutCode('putStorage() called on non-existing account')
    }
    const record = this.#table.slot(entry.record, key)
    let slot = this.#slots.get(record)
    if (slot === undefined) {
      // Undone, it must count as never written: with a count of clears that never matches.
      slot = new SlotEntry(record, entry, NO_BYTES, undefined)
      slot.clears = NEVER_WRITTEN
      this.#slots.set(record, slot)
    }
    this.#undo.push(new SlotUndo(slot))
    slot.value = value
    slot.clears = entry.clears
  }

  async clearStorage(address: Address): Promise<void> {
    const entry = this.#entry(address)
    if (entry.startExists === undefined) await this.#view.readExists(entry)
    this.#undo.push(new AccountUndo(entry))
    entry.exists = true
    entry.clears++
  }

  async checkpoint(): Promise<void> {
    this.#checkpoints.push(this.#undo.length)
  }

  async commit(): Promise<void> {
    this.#checkpoints.pop()
  }

  async revert(): Promise<void> {
    const mark = this.#checkpoints.pop() ?? 0
    for (let i = this.#undo.length - 1; i >= mark; i--) this.#undo[i].undo()
    this.#undo.length = mark
  }

  getAppliedKey(address: Uint8Array): Uint8Array {
    return this.#keccak256(address)
  }

  // A worker has no root and no history: whatever asks for one must run on the main thread.
  async getStateRoot(): Promise<Uint8Array> {
    throw internalError('a worker was asked for a state root')
  }
  async setStateRoot(): Promise<void> {
    throw internalError('a worker was asked to set a state root')
  }
  async hasStateRoot(): Promise<boolean> {
    return false
  }
  clearCaches(): void {}
  shallowCopy(): StateManagerInterface {
    throw internalError('a worker was asked to copy its state')
  }

  async #original(address: Address, key: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      const value = this.originalNow(address, key)
      if (value !== undefined) return value
      await this.getStorage(address, key)
    }
  }

  /** The slot's value at the first look in the transaction, without waiting; `undefined` if it must. */
  originalNow(address: Address, key: Uint8Array): Uint8Array | undefined {
    const record = this.#table.slot(this.#entry(address).record, key)
    const known = this.#originals.get(record)
    if (known !== undefined) return known
    const value = this.storageNow(address, key)
    if (value !== undefined) this.#originals.set(record, value)
    return value
  }

  #entry(address: Address): AccountEntry {
    const record = this.#table.account(address.bytes)
    let entry = this.#accounts.get(record)
    if (entry === undefined) {
      entry = new AccountEntry(record, address.bytes)
      this.#accounts.set(record, entry)
    }
    return entry
  }
}

/** A count of clears that no account reaches. */
export const NEVER_WRITTEN = -1
