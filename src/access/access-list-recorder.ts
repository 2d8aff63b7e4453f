// Records what one transaction adds to an EIP-7928 block access list, in place of stock's own list.
// Authority on the calls that stock's EVM and `runTx` make while they run a transaction; what the part
// means for the list of a block is merge-access-list.ts's matter. Knows no state.
//
// Stock copies the whole list of the block for every call of a contract, to have it back where the call
// fails. Here a transaction lists for itself alone, and a failed call is undone entry by entry.

import { bytesToHex, equalsBytes, type PrefixedHexString } from '@ethereumjs/util'
import type { ListedAccesses, ListedAccount, ListedBalance, ListedSlot } from './listed-accesses.ts'

/** The numbers tell in which order things were listed, which a revert must bring back. */
interface Change {
  readonly value: Uint8Array
  readonly order: number
}

interface Notes {
  readonly address: PrefixedHexString
  nonce: bigint | undefined
  balance: ListedBalance | undefined
  code: Uint8Array | undefined
  readonly changes: Map<ListedSlot, Change>
  readonly reads: Map<ListedSlot, number>
  readonly written: Set<ListedSlot>
  destroyed: boolean
  voidsBalances: boolean
}

/** What was there before; applied backwards. */
type Undo =
  | { readonly notes: Notes; readonly field: 'nonce'; readonly old: bigint | undefined }
  | { readonly notes: Notes; readonly field: 'balance'; readonly old: ListedBalance | undefined }
  | { readonly notes: Notes; readonly field: 'code'; readonly old: Uint8Array | undefined }
  | SlotUndo
interface SlotUndo {
  readonly notes: Notes
  readonly field: 'change' | 'read' | 'written'
  readonly slot: ListedSlot
  readonly old: Change | number | undefined
}

export class AccessListRecorder {
  /** Stock hands it back with every change; a transaction knows no other. */
  blockAccessIndex = 0
  readonly #balanceBefore: (address: PrefixedHexString) => bigint
  readonly #accounts = new Map<PrefixedHexString, Notes>()
  readonly #balancesBefore = new Map<PrefixedHexString, ListedBalance>()
  readonly #codesBefore = new Map<PrefixedHexString, Uint8Array>()
  readonly #undo: Undo[] = []
  readonly #checkpoints: { undo: number; order: number }[] = []
  #credit: { address: PrefixedHexString; before: ListedBalance } | undefined
  #order = 0

  /** `balanceBefore` reads an account's balance before the transaction, where it must be known after all. */
  constructor(balanceBefore: (address: PrefixedHexString) => bigint) {
    this.#balanceBefore = balanceBefore
  }

  /** Forgets the incarnation before. */
  begin(): void {
    this.#accounts.clear()
    this.#balancesBefore.clear()
    this.#codesBefore.clear()
    this.#undo.length = 0
    this.#checkpoints.length = 0
    this.#credit = undefined
    this.#order = 0
  }

  /** What the transaction listed. */
  finish(): ListedAccesses {
    return {
      accounts: Array.from(this.#accounts.values(), listedAccount),
      codesBefore: [...this.#codesBefore],
    }
  }

  /**
   * The next balance of `address` is an amount that is credited to it: what it had, `before`, must not
   * be looked at.
   */
  expectCredit(address: PrefixedHexString, before: ListedBalance): void {
    this.#credit = { address, before }
  }

  /** Like {@link addBalanceChange}, for a balance that may be unread. */
  addListedBalance(
    address: PrefixedHexString,
    balance: ListedBalance,
    before: ListedBalance,
  ): void {
    const notes = this.#notes(address)
    if (!this.#balancesBefore.has(address)) this.#balancesBefore.set(address, before)
    this.#remember({ notes, field: 'balance', old: notes.balance })
    notes.balance = balance
  }

  // The rest has stock's names and meanings.

  checkpoint(): void {
    this.#checkpoints.push({ undo: this.#undo.length, order: this.#order })
  }

  commit(): void {
    this.#checkpoints.pop()
    if (this.#checkpoints.length === 0) this.#undo.length = 0
  }

  /** Undoes changes. Accounts stay, reads stay, and a slot that was written stays as one that was read. */
  revert(): void {
    const checkpoint = this.#checkpoints.pop()
    if (checkpoint === undefined) return
    const mark = checkpoint.undo
    const changed: { notes: Notes; slot: ListedSlot; order: number }[] = []
    for (let i = mark; i < this.#undo.length; i++) {
      const undo = this.#undo[i]
      if (undo.field !== 'change') continue
      const { notes, slot } = undo
      const change = notes.changes.get(slot)
      if (change !== undefined) changed.push({ notes, slot, order: change.order })
    }
    for (let i = this.#undo.length - 1; i >= mark; i--) apply(this.#undo[i], checkpoint.order)
    this.#undo.length = mark
    changed.sort((a, b) => a.order - b.order)
    for (const { notes, slot } of changed) this.#read(notes, slot)
  }

  addAddress(address: PrefixedHexString): void {
    if (this.#credit?.address === address) this.#credit = undefined
    this.#notes(address)
  }

  addStorageRead(address: PrefixedHexString, key: Uint8Array): void {
    this.#read(this.#notes(address), listedSlot(key))
  }

  /** `before` is the slot's value before the transaction. */
  addStorageWrite(
    address: PrefixedHexString,
    key: Uint8Array,
    value: Uint8Array,
    _index: number,
    before?: Uint8Array,
  ): void {
    const notes = this.#notes(address)
    const slot = listedSlot(key)
    const stripped = withoutLeadingZeros(value)
    const leavesItAsItWas =
      before === undefined
        ? stripped.length === 0
        : equalsBytes(stripped, withoutLeadingZeros(before))
    const known = notes.changes.get(slot)
    if (leavesItAsItWas) {
      if (known !== undefined) {
        this.#remember({ notes, field: 'change', slot, old: known })
        notes.changes.delete(slot)
      }
      this.#read(notes, slot)
      return
    }
    this.#remember({ notes, field: 'change', slot, old: known })
    notes.changes.set(slot, { value: stripped, order: known?.order ?? this.#order++ })
    const read = notes.reads.get(slot)
    if (read !== undefined) {
      this.#remember({ notes, field: 'read', slot, old: read })
      notes.reads.delete(slot)
    }
    if (!notes.written.has(slot)) {
      this.#remember({ notes, field: 'written', slot, old: undefined })
      notes.written.add(slot)
    }
  }

  addBalanceChange(
    address: PrefixedHexString,
    balance: bigint,
    _index: number,
    before?: bigint,
  ): void {
    const credit = this.#credit
    if (credit?.address === address) {
      this.#credit = undefined
      this.addListedBalance(address, plus(credit.before, balance), credit.before)
    } else if (before === undefined) {
      const notes = this.#notes(address)
      this.#remember({ notes, field: 'balance', old: notes.balance })
      notes.balance = balance
    } else {
      this.addListedBalance(address, balance, before)
    }
  }

  addNonceChange(address: PrefixedHexString, nonce: bigint): void {
    const notes = this.#notes(address)
    this.#remember({ notes, field: 'nonce', old: notes.nonce })
    notes.nonce = nonce
  }

  addCodeChange(
    address: PrefixedHexString,
    code: Uint8Array,
    _index: number,
    before?: Uint8Array,
  ): void {
    const notes = this.#notes(address)
    if (before !== undefined && !this.#codesBefore.has(address)) {
      this.#codesBefore.set(address, before)
    }
    const first = notes.code === undefined ? before : this.#codesBefore.get(address)
    const leavesItAsItWas = first !== undefined && equalsBytes(code, first)
    this.#remember({ notes, field: 'code', old: notes.code })
    notes.code = leavesItAsItWas ? undefined : code
  }

  /** `balances` are those that the destroyed accounts keep (EIP-8246). */
  cleanupSelfdestructed(
    addresses: readonly PrefixedHexString[],
    balances?: ReadonlyMap<string, bigint>,
  ): void {
    for (const address of addresses) {
      const notes = this.#accounts.get(address)
      if (notes === undefined) continue
      notes.destroyed = true
      notes.nonce = undefined
      notes.code = undefined
      const before = this.#resolve(address, this.#balancesBefore.get(address) ?? 0n)
      const after = balances === undefined ? 0n : (balances.get(address) ?? 0n)
      if (before === after) {
        notes.voidsBalances = true
        notes.balance = undefined
      }
    }
  }

  cleanupNetZeroBalanceChanges(): void {
    for (const [address, before] of this.#balancesBefore) {
      const notes = this.#notes(address)
      const { balance } = notes
      if (balance === undefined) continue
      const isSame =
        typeof balance === 'object' && typeof before === 'object'
          ? balance.added === before.added
          : this.#resolve(address, balance) === this.#resolve(address, before)
      if (isSame) notes.balance = undefined
    }
    this.#balancesBefore.clear()
  }

  #resolve(address: PrefixedHexString, balance: ListedBalance): bigint {
    return typeof balance === 'bigint' ? balance : this.#balanceBefore(address) + balance.added
  }

  /** A slot that is changed is not listed as read. */
  #read(notes: Notes, slot: ListedSlot): void {
    if (notes.changes.has(slot) || notes.reads.has(slot)) return
    notes.reads.set(slot, this.#order++)
  }

  #notes(address: PrefixedHexString): Notes {
    let notes = this.#accounts.get(address)
    if (notes === undefined) {
      notes = {
        address,
        nonce: undefined,
        balance: undefined,
        code: undefined,
        changes: new Map(),
        reads: new Map(),
        written: new Set(),
        destroyed: false,
        voidsBalances: false,
      }
      this.#accounts.set(address, notes)
    }
    return notes
  }

  #remember(undo: Undo): void {
    if (this.#checkpoints.length > 0) this.#undo.push(undo)
  }
}

/** Reads since the checkpoint, whose order is `since`, are not to be brought back: they did not stay. */
function apply(undo: Undo, since: number): void {
  const { notes } = undo
  switch (undo.field) {
    case 'nonce':
      notes.nonce = undo.old
      return
    case 'balance':
      notes.balance = undo.old
      return
    case 'code':
      notes.code = undo.old
      return
    case 'change':
      if (undo.old === undefined) notes.changes.delete(undo.slot)
      else notes.changes.set(undo.slot, undo.old as Change)
      return
    case 'read':
      if ((undo.old as number) < since) notes.reads.set(undo.slot, undo.old as number)
      return
    case 'written':
      notes.written.delete(undo.slot)
      return
  }
}

function listedAccount(notes: Notes): ListedAccount {
  const { changes, reads, written, ...rest } = notes
  const inOrder = [...reads].sort(([, a], [, b]) => a - b).map(([slot]) => slot)
  return {
    ...rest,
    changes: [...changes]
      .sort(([, a], [, b]) => a.order - b.order)
      .map(([slot, { value }]) => [slot, value] as const),
    reads: inOrder,
    rewritten: inOrder.filter((slot) => written.has(slot)),
  }
}

function plus(balance: ListedBalance, amount: bigint): ListedBalance {
  return typeof balance === 'bigint' ? balance + amount : { added: balance.added + amount }
}

function listedSlot(key: Uint8Array): ListedSlot {
  return bytesToHex(withoutLeadingZeros(key))
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  let at = 0
  while (at < bytes.length && bytes[at] === 0) at++
  return at === 0 ? bytes : bytes.slice(at)
}
