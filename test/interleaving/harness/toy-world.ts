// What a toy transaction can do to the state, as an interface, and two states: a plain one, which is
// the oracle, and the overlay of src/ over shared versions.
// Authority on what each operation means; both states must mean the same by it.

import { Account, Address } from '@ethereumjs/util'
import { FeeAccount, LazyAccount } from '../../../src/execution/lazy-account.ts'
import type { OverlayStateManager } from '../../../src/execution/overlay-state-manager.ts'

/** Accounts and slots go by small numbers. */
export interface ToyWorld {
  exists(account: number): Promise<boolean>
  nonce(account: number): Promise<number>
  balance(account: number): Promise<number>
  slot(account: number, key: number): Promise<number>
  /** These make the account exist. */
  setNonce(account: number, nonce: number): Promise<void>
  setBalance(account: number, balance: number): Promise<void>
  add(account: number, amount: number): Promise<void>
  /** As `add`, without even asking whether the account exists. */
  credit(account: number, amount: number): Promise<void>
  clearStorage(account: number): Promise<void>
  /** Only where the account exists. */
  setSlot(account: number, key: number, value: number): Promise<void>
  destroy(account: number): Promise<void>
  checkpoint(): Promise<void>
  revert(): Promise<void>
}

export interface ToyAccount {
  nonce: number
  balance: number
  slots: Map<number, number>
}

/** Sequential truth. */
export class PlainWorld implements ToyWorld {
  #accounts: Map<number, ToyAccount>
  readonly #checkpoints: Map<number, ToyAccount>[] = []

  constructor(accounts: ReadonlyMap<number, ToyAccount>) {
    this.#accounts = copyAccounts(accounts)
  }

  get accounts(): ReadonlyMap<number, ToyAccount> {
    return this.#accounts
  }

  async exists(account: number): Promise<boolean> {
    return this.#accounts.has(account)
  }
  async nonce(account: number): Promise<number> {
    return this.#accounts.get(account)?.nonce ?? 0
  }
  async balance(account: number): Promise<number> {
    return this.#accounts.get(account)?.balance ?? 0
  }
  async slot(account: number, key: number): Promise<number> {
    return this.#accounts.get(account)?.slots.get(key) ?? 0
  }
  async setNonce(account: number, nonce: number): Promise<void> {
    this.#made(account).nonce = nonce
  }
  async setBalance(account: number, balance: number): Promise<void> {
    this.#made(account).balance = balance
  }
  async add(account: number, amount: number): Promise<void> {
    this.#made(account).balance += amount
  }
  async credit(account: number, amount: number): Promise<void> {
    await this.add(account, amount)
  }
  async clearStorage(account: number): Promise<void> {
    this.#made(account).slots.clear()
  }
  async setSlot(account: number, key: number, value: number): Promise<void> {
    this.#accounts.get(account)?.slots.set(key, value)
  }
  async destroy(account: number): Promise<void> {
    this.#accounts.delete(account)
  }
  async checkpoint(): Promise<void> {
    this.#checkpoints.push(copyAccounts(this.#accounts))
  }
  async revert(): Promise<void> {
    this.#accounts = this.#checkpoints.pop() ?? this.#accounts
  }

  #made(account: number): ToyAccount {
    let entry = this.#accounts.get(account)
    if (entry === undefined) {
      entry = { nonce: 0, balance: 0, slots: new Map() }
      this.#accounts.set(account, entry)
    }
    return entry
  }
}

export function copyAccounts(accounts: ReadonlyMap<number, ToyAccount>): Map<number, ToyAccount> {
  return new Map(
    [...accounts].map(([name, account]) => [name, { ...account, slots: new Map(account.slots) }]),
  )
}

/** The world of one incarnation over the multi-version store. */
export class OverlayWorld implements ToyWorld {
  readonly #overlay: OverlayStateManager
  readonly #addresses: readonly Address[]

  constructor(overlay: OverlayStateManager, addresses: readonly Uint8Array[]) {
    this.#overlay = overlay
    this.#addresses = addresses.map((bytes) => new Address(bytes))
  }

  async exists(account: number): Promise<boolean> {
    return (await this.#get(account)) !== undefined
  }
  async nonce(account: number): Promise<number> {
    // As a sender is looked at: all fields at once.
    const entry = await this.#overlay.getAccountWhole(this.#addresses[account])
    return Number(entry?.nonce ?? 0n)
  }
  async balance(account: number): Promise<number> {
    return Number((await this.#get(account))?.balance ?? 0n)
  }
  async slot(account: number, key: number): Promise<number> {
    const value = await this.#overlay.getStorage(this.#addresses[account], slotKey(key))
    return value.length === 0 ? 0 : value[0]
  }
  async setNonce(account: number, nonce: number): Promise<void> {
    const entry = await this.#getOrNew(account)
    entry.nonce = BigInt(nonce)
    await this.#overlay.putAccount(this.#addresses[account], entry)
  }
  async setBalance(account: number, balance: number): Promise<void> {
    const entry = await this.#getOrNew(account)
    entry.balance = BigInt(balance)
    await this.#overlay.putAccount(this.#addresses[account], entry)
  }
  async add(account: number, amount: number): Promise<void> {
    const entry = await this.#getOrNew(account)
    if (entry instanceof LazyAccount && entry.canAddUnread) entry.addUnread(BigInt(amount))
    else entry.balance += BigInt(amount)
    await this.#overlay.putAccount(this.#addresses[account], entry)
  }
  async credit(account: number, amount: number): Promise<void> {
    const address = this.#addresses[account]
    if (!(await this.#overlay.mayCreditUnread(address))) return this.add(account, amount)
    const fee = new FeeAccount()
    fee.balance += BigInt(amount)
    await this.#overlay.putAccount(address, fee)
  }
  async clearStorage(account: number): Promise<void> {
    await this.#overlay.clearStorage(this.#addresses[account])
  }
  async setSlot(account: number, key: number, value: number): Promise<void> {
    if (!(await this.exists(account))) return
    const bytes = value === 0 ? new Uint8Array(0) : Uint8Array.of(value)
    await this.#overlay.putStorage(this.#addresses[account], slotKey(key), bytes)
  }
  async destroy(account: number): Promise<void> {
    await this.#overlay.deleteAccount(this.#addresses[account])
  }
  async checkpoint(): Promise<void> {
    await this.#overlay.checkpoint()
  }
  async revert(): Promise<void> {
    await this.#overlay.revert()
  }

  #get(account: number): Promise<Account | undefined> {
    return this.#overlay.getAccount(this.#addresses[account])
  }

  async #getOrNew(account: number): Promise<Account> {
    return (await this.#get(account)) ?? new Account()
  }
}

/** The 32 bytes of a slot's key. */
export function slotKey(key: number): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes[31] = key
  return bytes
}
