// Changes of a state over something that does not change: values by key, with undo.
// Authority on what was changed, on what that hides below, and on when a root that was taken is void. Must not
// change what is below.

import { equalsBytes, KECCAK256_RLP } from '@ethereumjs/util'
import { hexOf } from './hex.ts'
import type { AccountFields } from './state-data.ts'

/** What was changed, by addresses and keys in hex. */
export interface OverlayContents {
  /** `null`: deleted. */
  readonly accounts: Map<string, AccountFields | null>
  readonly slots: Map<string, Map<string, Uint8Array>>
  /** Accounts of whose storage nothing of what is below is left. */
  readonly cleared: Map<string, true>
}

/** What lies below. */
export interface Below {
  account(address: Uint8Array): AccountFields | undefined
  slot(address: Uint8Array, key: Uint8Array): Uint8Array
}

/** What a map of an overlay had before. */
interface Undo {
  readonly map: Map<string, unknown>
  readonly name: string
  readonly before: unknown
}

export class StateOverlay {
  contents: OverlayContents
  /** The root of what is here and below, if it is known. */
  root: Uint8Array | undefined
  readonly #below: Below
  #undo: Undo[] = []
  /** How many there were at the last root. */
  #hashedAt = 0
  /** Slots of accounts that were changed since then, as far as undo has forgotten them. */
  readonly #changedSlots = new Set<Map<string, unknown>>()

  constructor(below: Below, contents: OverlayContents = emptyContents()) {
    this.#below = below
    this.contents = contents
  }

  account(address: Uint8Array): AccountFields | undefined {
    const own = this.contents.accounts.get(hexOf(address))
    return own === undefined ? this.#below.account(address) : (own ?? undefined)
  }

  setAccount(address: Uint8Array, fields: AccountFields | undefined): void {
    const before = this.account(address)
    const name = hexOf(address)
    const { accounts } = this.contents
    if (fields === undefined) {
      if (before === undefined) return
      this.clearSlots(address)
      this.#set(accounts, name, null)
      return
    }
    const { nonce, balance, codeHash } = fields
    const storageRoot = before?.storageRoot ?? KECCAK256_RLP
    this.#set(accounts, name, { nonce, balance, codeHash, storageRoot })
  }

  /** Notes the root of an account's storage, which was computed. */
  setStorageRoot(name: string, fields: AccountFields): void {
    this.#set(this.contents.accounts, name, fields)
  }

  slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    const { slots, cleared } = this.contents
    const name = hexOf(address)
    const own = slots.get(name)?.get(hexOf(key))
    if (own !== undefined) return own
    return cleared.has(name) ? new Uint8Array(0) : this.#below.slot(address, key)
  }

  setSlot(address: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    const { slots } = this.contents
    const name = hexOf(address)
    let own = slots.get(name)
    if (own === undefined) {
      own = new Map()
      this.#set(slots, name, own)
    }
    this.#set(own, hexOf(key), value.slice())
  }

  clearSlots(address: Uint8Array): void {
    const { accounts, slots, cleared } = this.contents
    const name = hexOf(address)
    this.#set(slots, name, new Map())
    if (!cleared.has(name)) this.#set(cleared, name, true)
    const account = this.account(address)
    if (account === undefined) return
    this.#set(accounts, name, { ...account, storageRoot: KECCAK256_RLP })
  }

  emptyStorage(address: Uint8Array): void {
    const own = this.contents.slots.get(hexOf(address))
    if (equalsBytes(this.account(address)?.storageRoot ?? KECCAK256_RLP, KECCAK256_RLP)) return
    if (own !== undefined && this.#changedSlots.has(own)) return
    for (let i = this.#hashedAt; i < this.#undo.length; i++) {
      if (this.#undo[i].map === own) return
    }
    this.clearSlots(address)
  }

  mark(): number {
    return this.#undo.length
  }

  takeBack(mark: number): void {
    if (this.#undo.length > mark) this.root = undefined
    this.#hashedAt = Math.min(this.#hashedAt, mark)
    for (const entry of this.#undo.splice(mark).reverse()) undo(entry)
  }

  /** The root is known now. */
  hashed(root: Uint8Array): void {
    this.root = root
    this.#hashedAt = this.#undo.length
    this.#changedSlots.clear()
  }

  /** Nothing can be taken back any more. */
  forgetUndo(): void {
    const { accounts, cleared, slots } = this.contents
    const names: ReadonlySet<unknown> = new Set([accounts, cleared, slots])
    for (const { map } of this.#undo.slice(this.#hashedAt)) {
      if (!names.has(map)) this.#changedSlots.add(map)
    }
    this.#undo = []
    this.#hashedAt = 0
  }

  /** Starts anew, from `contents`, whose root is known. */
  reset(root: Uint8Array, contents: OverlayContents = emptyContents()): void {
    this.forgetUndo()
    this.#changedSlots.clear()
    this.contents = contents
    this.root = root
  }

  /** A copy of what this was at `mark`; default: of what it is. */
  copy(mark: number = this.#undo.length): OverlayContents {
    return copyContents(this.contents, this.#undo, mark)
  }

  #set<T>(map: Map<string, T>, name: string, value: T): void {
    this.#undo.push({ map, name, before: map.get(name) })
    map.set(name, value)
    this.root = undefined
  }
}

export function emptyContents(): OverlayContents {
  return { accounts: new Map(), slots: new Map(), cleared: new Map() }
}

function undo({ map, name, before }: Undo): void {
  if (before === undefined) map.delete(name)
  else map.set(name, before)
}

/** A copy of what an overlay was before the entries of `log` from `mark` on. */
export function copyContents(
  contents: OverlayContents,
  log: readonly Undo[] = [],
  mark = log.length,
): OverlayContents {
  const copies = new Map<unknown, Map<string, unknown>>()
  const copyOf = <T>(map: Map<string, T>): Map<string, T> => {
    let copy = copies.get(map)
    if (copy === undefined) {
      copy = new Map(Array.from(map, ([name, value]) => [name, copyValue(value)]))
      copies.set(map, copy)
    }
    return copy as Map<string, T>
  }
  const copyValue = (value: unknown): unknown =>
    value instanceof Map ? copyOf(value as Map<string, unknown>) : value
  const { accounts, slots, cleared } = contents
  const copy = { accounts: copyOf(accounts), slots: copyOf(slots), cleared: copyOf(cleared) }
  for (let i = log.length - 1; i >= mark; i--) {
    const { map, name, before } = log[i]
    undo({ map: copyOf(map), name, before: copyValue(before) })
  }
  return copy
}
