// What a state on disk and its copies share: the store, what is kept of it in memory, and the last versions.
// Authority on what a version holds, and on going from one to another. Memory is bounded by what is kept; what
// is not there is read, at once.

import { RLP } from '@ethereumjs/rlp'
import { Account, equalsBytes, KECCAK256_NULL } from '@ethereumjs/util'
import { internalError } from '../errors.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { EntryStore } from './entry-store.ts'
import { KeptRoots } from './flat-versions.ts'
import type { NewNode } from './hash-nodes.ts'
import { bytesOfHex, hexOf } from './hex.ts'
import type { Keccak } from './keccak.ts'
import type { NodeSource } from './load-paths.ts'
import { sortByKey } from './sort-by-key.ts'
import type { AccountFields } from './state-data.ts'
import { emptyContents, type OverlayContents, type StateOverlay } from './state-overlay.ts'
import { TrieCache } from './trie-cache.ts'
import { EMPTY_ROOT, isEmptyRoot } from './trie-node.ts'
import { type TrieChange, updateTrieNow } from './update-trie.ts'

/** What a node of a trie takes in memory, about. */
const NODE_BYTES = 1_000
const ACCOUNT_BYTES = 400

/** What leads to a version from the one after it: what is different there, all of it. */
export interface Delta {
  readonly accounts: Map<string, AccountFields | null>
  readonly slots: Map<string, Map<string, Uint8Array>>
}

/** A state that was committed; see `flat-versions.ts`. */
export interface DiskVersion {
  readonly root: Uint8Array
  /** None at the present version, which is what the store has. */
  delta: Delta | undefined
  next: DiskVersion | undefined
}

export interface DiskOptions {
  readonly keccak: Keccak
  readonly store: EntryStore
  readonly memoryBytes: number
  readonly keptRoots: number
}

export class DiskBase {
  readonly keccak: Keccak
  readonly store: EntryStore
  readonly kept: KeptRoots<DiskVersion>
  /** The version that the store has. */
  present: DiskVersion
  readonly #tries: TrieCache
  readonly #accounts: BoundedCache<AccountFields | null>
  readonly #slots: BoundedCache<Uint8Array>
  readonly #codes: BoundedCache<Uint8Array>
  /** Code that is not stored yet, by its hash. */
  #newCodes = new Map<string, Uint8Array>()

  constructor({ keccak, store, memoryBytes, keptRoots }: DiskOptions) {
    this.keccak = keccak
    this.store = store
    this.present = { root: store.root(), delta: undefined, next: undefined }
    this.kept = new KeptRoots(keptRoots)
    this.kept.keep(this.present.root, this.present)
    const quarter = memoryBytes / 4
    this.#tries = new TrieCache(Math.floor(quarter / NODE_BYTES))
    this.#accounts = new BoundedCache(quarter, () => ACCOUNT_BYTES)
    this.#slots = new BoundedCache(quarter, (value) => value.length)
    this.#codes = new BoundedCache(quarter, (code) => code.length)
  }

  /** What entries that can be evicted take, in bytes, about. */
  get cachedBytes(): number {
    return this.#accounts.bytes + this.#slots.bytes + this.#codes.bytes
  }

  get isEmpty(): boolean {
    return isEmptyRoot(this.present.root)
  }

  /** Says once more what is stored. */
  storeNothing(): void {
    this.#store(emptyContents(), new Map(), this.present.root)
  }

  /** Forgets all, stored or not. */
  clear(): void {
    this.store.clear()
    this.kept.clear()
    this.present = { root: EMPTY_ROOT, delta: undefined, next: undefined }
    this.#accounts.clear()
    this.#slots.clear()
    this.#newCodes.clear()
  }

  account(address: Uint8Array, version: DiskVersion): AccountFields | undefined {
    const name = hexOf(address)
    for (let at = version; at.delta !== undefined && at.next !== undefined; at = at.next) {
      const before = at.delta.accounts.get(name)
      if (before !== undefined) return before ?? undefined
    }
    let fields = this.#accounts.get(name)
    if (fields === undefined) {
      fields = this.store.account(address) ?? null
      this.#accounts.set(name, fields)
    }
    return fields ?? undefined
  }

  slot(address: Uint8Array, key: Uint8Array, version: DiskVersion): Uint8Array {
    const name = hexOf(address)
    const slot = hexOf(key)
    for (let at = version; at.delta !== undefined && at.next !== undefined; at = at.next) {
      const before = at.delta.slots.get(name)?.get(slot)
      if (before !== undefined) return before
    }
    let value = this.#slots.get(name + slot)
    if (value === undefined) {
      value = this.store.slot(address, key)
      this.#slots.set(name + slot, value)
    }
    return value
  }

  code(hash: Uint8Array): Uint8Array {
    if (equalsBytes(hash, KECCAK256_NULL)) return new Uint8Array(0)
    const name = hexOf(hash)
    let code = this.#newCodes.get(name) ?? this.#codes.get(name)
    if (code === undefined) {
      code = this.store.code(hash) ?? new Uint8Array(0)
      if (code.length > 0) this.#codes.set(name, code)
    }
    return code
  }

  putCode(hash: Uint8Array, code: Uint8Array): void {
    if (code.length > 0) this.#newCodes.set(hexOf(hash), code.slice())
  }

  /** Nodes by hash: those of roots that are not stored are among `nodes`. */
  source(nodes: ReadonlyMap<string, NewNode>): NodeSource {
    return { get: (hash) => nodes.get(hexOf(hash))?.rlp ?? this.store.node(hash) }
  }

  /**
   * Takes the root of `overlay` over `version`, and notes storage roots in it; returns the nodes that neither
   * the store nor the version has.
   */
  hash(overlay: StateOverlay, version: DiskVersion): Map<string, NewNode> {
    const { keccak } = this
    const added = new Map<string, NewNode>()
    const source = this.source(added)
    const update = (root: Uint8Array, changes: TrieChange[]): Uint8Array => {
      const options = { cache: this.#tries }
      const result = updateTrieNow(root, sortByKey(changes), source, keccak, options)
      for (const node of result.nodes) added.set(hexOf(node.hash), node)
      return result.root
    }
    const { slots, cleared } = overlay.contents
    const changes: TrieChange[] = []
    for (const name of namesOf(overlay.contents)) {
      const address = bytesOfHex(name)
      const key = keccak(address)
      const fields = overlay.account(address)
      if (fields === undefined) {
        changes.push({ key, value: null })
        continue
      }
      const before = cleared.has(name) ? undefined : this.account(address, version)
      const slotChanges = Array.from(slots.get(name) ?? [], ([slot, value]) => ({
        key: keccak(bytesOfHex(slot)),
        value: value.length === 0 ? null : RLP.encode(value),
      }))
      const storageRoot = update(before?.storageRoot ?? EMPTY_ROOT, slotChanges)
      if (!equalsBytes(storageRoot, fields.storageRoot)) {
        overlay.setStorageRoot(name, { ...fields, storageRoot })
      }
      const { nonce, balance, codeHash } = fields
      changes.push({ key, value: new Account(nonce, balance, storageRoot, codeHash).serialize() })
    }
    overlay.hashed(update(version.root, changes))
    return added
  }

  /** Stores what `overlay` has over the present version, which becomes a new one. */
  commit(overlay: StateOverlay, nodes: ReadonlyMap<string, NewNode>): void {
    const { contents, root } = overlay
    if (root === undefined) throw internalError('a state is stored without its root')
    const delta = this.#before(contents)
    this.#store(contents, nodes, root)
    const { present } = this
    const next = { root, delta: undefined, next: undefined }
    present.delta = delta
    present.next = next
    this.present = next
    this.kept.keep(root, next)
  }

  /** Stores the state of `version`, which becomes the present one. */
  goTo(version: DiskVersion, overlay: StateOverlay): void {
    const { present } = this
    const way: DiskVersion[] = []
    for (let at = version; at !== present; ) {
      way.push(at)
      if (at.next === undefined) throw internalError('a version that leads nowhere')
      at = at.next
    }
    const inverses: Delta[] = []
    for (const { delta } of way.toReversed()) {
      if (delta === undefined) throw internalError('a step that leads nowhere')
      inverses.push(valuesOf(delta, overlay))
      apply(delta, overlay)
    }
    const nodes = this.hash(overlay, present)
    if (overlay.root === undefined || !equalsBytes(overlay.root, version.root)) {
      throw internalError('a version has not the root that it had')
    }
    this.#store(overlay.contents, nodes, version.root)
    // Only now, since storing can fail: the steps lead the other way.
    for (const [i, step] of way.toReversed().entries()) {
      const after = step.next
      if (after === undefined) throw internalError('a step that leads nowhere')
      after.next = step
      after.delta = inverses[i]
      step.next = undefined
      step.delta = undefined
    }
    this.present = version
    this.kept.keep(version.root, version)
  }

  #store(contents: OverlayContents, nodes: ReadonlyMap<string, NewNode>, root: Uint8Array): void {
    this.store.save({ contents, nodes: nodes.values(), codes: this.#newCodes, root })
    this.#newCodes = new Map()
    if (contents.cleared.size > 0) this.#slots.clear()
    for (const [name, fields] of contents.accounts) this.#accounts.set(name, fields)
    for (const [name, values] of contents.slots) {
      for (const [slot, value] of values) this.#slots.set(name + slot, value)
    }
  }

  /** What the store has where `contents` has something else. */
  #before(contents: OverlayContents): Delta {
    const { present } = this
    const delta: Delta = { accounts: new Map(), slots: new Map() }
    for (const name of namesOf(contents)) {
      const address = bytesOfHex(name)
      delta.accounts.set(name, this.account(address, present) ?? null)
      const slots = new Map<string, Uint8Array>()
      if (contents.cleared.has(name)) {
        for (const [key, value] of this.store.slots(address)) slots.set(hexOf(key), value)
      }
      for (const slot of contents.slots.get(name)?.keys() ?? []) {
        if (!slots.has(slot)) slots.set(slot, this.slot(address, bytesOfHex(slot), present))
      }
      delta.slots.set(name, slots)
    }
    return delta
  }
}

/** The accounts of which something was changed. */
function namesOf({ accounts, slots, cleared }: OverlayContents): Set<string> {
  return new Set([...accounts.keys(), ...slots.keys(), ...cleared.keys()])
}

/** What `overlay` has where `delta` has something. */
function valuesOf(delta: Delta, overlay: StateOverlay): Delta {
  const values: Delta = { accounts: new Map(), slots: new Map() }
  for (const name of delta.accounts.keys()) {
    values.accounts.set(name, overlay.account(bytesOfHex(name)) ?? null)
  }
  for (const [name, slots] of delta.slots) {
    const own = new Map<string, Uint8Array>()
    for (const slot of slots.keys()) own.set(slot, overlay.slot(bytesOfHex(name), bytesOfHex(slot)))
    values.slots.set(name, own)
  }
  return values
}

function apply(delta: Delta, overlay: StateOverlay): void {
  for (const [name, fields] of delta.accounts) {
    overlay.setAccount(bytesOfHex(name), fields ?? undefined)
  }
  for (const [name, slots] of delta.slots) {
    if (delta.accounts.get(name) === null) continue
    for (const [slot, value] of slots) overlay.setSlot(bytesOfHex(name), bytesOfHex(slot), value)
  }
  // The step after this one is turned around from here, with the roots that storage has here.
  for (const [name, fields] of delta.accounts) {
    if (fields !== null) overlay.setStorageRoot(name, fields)
  }
}
