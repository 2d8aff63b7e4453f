// A copy of a flat state that costs nothing to make: its own changes over a version of the original.
// Authority on what a copy holds; it never changes the original, which may move on. Its roots are taken in
// the original's tries, by going to the version for a moment.

import { equalsBytes, KECCAK256_RLP } from '@ethereumjs/util'
import { FLAT_SLOT } from '../memory/flat-layout.ts'
import { readStripped32, readUint64, readUint256 } from '../memory/word-codec.ts'
import type { FlatData } from './flat-data.ts'
import { ACCOUNT_ENTRY, type FlatLog, indexEntries, SLOT_ENTRY } from './flat-log.ts'
import { KeptRoots, type Version } from './flat-versions.ts'
import { bytesOfHex, hexOf } from './hex.ts'
import type { AccountFields, StateData } from './state-data.ts'

/** What a copy has of its own, by addresses and keys in hex. */
interface Overlay {
  /** `null`: deleted. */
  readonly accounts: Map<string, AccountFields | null>
  readonly slots: Map<string, Map<string, Uint8Array>>
  /** Accounts of whose storage nothing of the version is left. */
  readonly cleared: Map<string, true>
}

/** What a map of an overlay had before. */
interface Undo {
  readonly map: Map<string, unknown>
  readonly name: string
  readonly before: unknown
}

/** Where the entries of a delta are. */
const indexes = new WeakMap<Int32Array, Map<number, number>>()

export class CopiedData implements StateData {
  readonly base: FlatData
  #version: Version
  #overlay: Overlay
  #undo: Undo[] = []
  /** How many there were at the last root. */
  #hashedAt = 0
  #root: Uint8Array | undefined
  readonly #kept: KeptRoots<{ version: Version; overlay: Overlay }>
  #logIndex:
    | { log: FlatLog; generation: number; length: number; index: Map<number, number> }
    | undefined

  constructor(base: FlatData, version: Version, overlay: Overlay = emptyOverlay()) {
    this.base = base
    this.#version = version
    this.#overlay = overlay
    this.#kept = new KeptRoots(base.keptRoots)
  }

  /** A copy of what this was at `mark`. */
  copy(mark: number): CopiedData {
    return new CopiedData(this.base, this.#version, copyOverlay(this.#overlay, this.#undo, mark))
  }

  account(address: Uint8Array): AccountFields | undefined {
    const own = this.#overlay.accounts.get(hexOf(address))
    if (own !== undefined) return own ?? undefined
    return this.#baseAccount(address)
  }

  setAccount(address: Uint8Array, fields: AccountFields | undefined): void {
    const before = this.account(address)
    if (fields === undefined) {
      if (before === undefined) return
      this.clearSlots(address)
    }
    this.#set(
      this.#overlay.accounts,
      hexOf(address),
      fields === undefined
        ? null
        : {
            nonce: fields.nonce,
            balance: fields.balance,
            codeHash: fields.codeHash,
            storageRoot: before?.storageRoot ?? KECCAK256_RLP,
          },
    )
  }

  slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    const { slots, cleared } = this.#overlay
    const name = hexOf(address)
    const own = slots.get(name)?.get(hexOf(key))
    if (own !== undefined) return own
    return cleared.has(name) ? new Uint8Array(0) : this.#baseSlot(address, key)
  }

  setSlot(address: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    const { slots } = this.#overlay
    const name = hexOf(address)
    let own = slots.get(name)
    if (own === undefined) {
      own = new Map()
      this.#set(slots, name, own)
    }
    this.#set(own, hexOf(key), value.slice())
  }

  clearSlots(address: Uint8Array): void {
    const { accounts, slots, cleared } = this.#overlay
    const name = hexOf(address)
    this.#set(slots, name, new Map())
    if (!cleared.has(name)) this.#set(cleared, name, true)
    const account = this.account(address)
    if (account === undefined) return
    this.#set(accounts, name, { ...account, storageRoot: KECCAK256_RLP })
  }

  emptyStorage(address: Uint8Array): void {
    const own = this.#overlay.slots.get(hexOf(address))
    if (equalsBytes(this.account(address)?.storageRoot ?? KECCAK256_RLP, KECCAK256_RLP)) return
    for (let i = this.#hashedAt; i < this.#undo.length; i++) {
      if (this.#undo[i].map === own) return
    }
    this.clearSlots(address)
  }

  code(hash: Uint8Array): Uint8Array {
    return this.base.code(hash)
  }

  putCode(hash: Uint8Array, code: Uint8Array): void {
    this.base.putCode(hash, code)
  }

  mark(): number {
    return this.#undo.length
  }

  takeBack(mark: number): void {
    if (this.#undo.length > mark) this.#root = undefined
    this.#hashedAt = Math.min(this.#hashedAt, mark)
    for (const entry of this.#undo.splice(mark).reverse()) undo(entry)
  }

  root(): Uint8Array {
    this.#root ??= this.use((base) => {
      const root = base.root()
      const { accounts, slots } = this.#overlay
      for (const name of slots.keys()) {
        const fields = base.account(bytesOfHex(name))
        // What is taken back later must take this root with it.
        if (fields !== undefined) this.#set(accounts, name, fields)
      }
      return root
    })
    this.#hashedAt = this.#undo.length
    return this.#root
  }

  /** Calls `use` while the original holds what this copy holds. */
  use<T>(use: (base: FlatData) => T): T {
    const { base } = this
    const { accounts, slots, cleared } = this.#overlay
    return base.during(this.#version, () => {
      for (const name of cleared.keys()) base.clearSlots(bytesOfHex(name))
      for (const [name, fields] of accounts) base.setAccount(bytesOfHex(name), fields ?? undefined)
      for (const [name, values] of slots) {
        const address = bytesOfHex(name)
        for (const [key, value] of values) base.setSlot(address, bytesOfHex(key), value)
      }
      base.root()
      return use(base)
    })
  }

  committed(): void {
    this.keepRoot()
  }

  keepRoot(): void {
    this.#undo = []
    this.#hashedAt = 0
    if (this.#root === undefined) return
    this.#kept.keep(this.#root, {
      version: this.#version,
      overlay: copyOverlay(this.#overlay),
    })
  }

  has(root: Uint8Array): boolean {
    return this.#kept.find(root) !== undefined || this.base.has(root)
  }

  goTo(root: Uint8Array): boolean {
    this.root()
    this.committed()
    const kept = this.#kept.find(root)
    const version = kept?.version ?? this.base.find(root)
    if (version === undefined) return false
    this.#version = version
    this.#overlay = kept === undefined ? emptyOverlay() : copyOverlay(kept.overlay)
    this.#root = root.slice()
    return true
  }

  #set<T>(map: Map<string, T>, name: string, value: T): void {
    this.#undo.push({ map, name, before: map.get(name) })
    map.set(name, value)
    this.#root = undefined
  }

  #baseAccount(address: Uint8Array): AccountFields | undefined {
    const { base } = this
    const record = base.table.findAccount(address)
    if (record === 0) return undefined
    const found = this.#find(record)
    if (found === undefined) {
      const fields = base.account(address)
      // The original's own answer knows of slots that it has cleared since.
      return fields && { ...fields, storageRoot: base.tries.storageRoot(record) ?? KECCAK256_RLP }
    }
    const [words, at] = found
    if (words[at + ACCOUNT_ENTRY.EXISTS] === 0) return undefined
    const root = words.slice(at + ACCOUNT_ENTRY.ROOT, at + ACCOUNT_ENTRY.ROOT + 8)
    return {
      nonce: readUint64(words, at + ACCOUNT_ENTRY.NONCE),
      balance: readUint256(words, at + ACCOUNT_ENTRY.BALANCE),
      codeHash: base.codes.hash(words[at + ACCOUNT_ENTRY.CODE]),
      storageRoot: root.every((word) => word === 0) ? KECCAK256_RLP : new Uint8Array(root.buffer),
    }
  }

  #baseSlot(address: Uint8Array, key: Uint8Array): Uint8Array {
    const { base } = this
    const record = base.table.findSlot(base.table.findAccount(address), key)
    if (record === 0) return new Uint8Array(0)
    const found = this.#find(record)
    if (found === undefined) return readStripped32(base.region.bytes, record + FLAT_SLOT.VALUE)
    const [words, at] = found
    return readStripped32(new Uint8Array(words.buffer, words.byteOffset), at + SLOT_ENTRY.VALUE)
  }

  /** The entry that has what a record held at the version, if it was changed since. */
  #find(record: number): [words: Int32Array, at: number] | undefined {
    const { words } = this.base.region
    for (let at: Version | undefined = this.#version; at?.delta !== undefined; at = at.next) {
      let index = indexes.get(at.delta)
      if (index === undefined) {
        index = indexEntries(at.delta, words)
        indexes.set(at.delta, index)
      }
      const start = index.get(record)
      if (start !== undefined) return [at.delta, start]
    }
    const { log } = this.base
    if (log.length === 0) return undefined
    const { generation, length } = log
    const known = this.#logIndex
    if (known?.log !== log || known.generation !== generation || known.length !== length) {
      this.#logIndex = { log, generation, length, index: indexEntries(log.entries, words) }
    }
    const start = this.#logIndex?.index.get(record)
    return start === undefined ? undefined : [log.entries, start]
  }
}

function emptyOverlay(): Overlay {
  return { accounts: new Map(), slots: new Map(), cleared: new Map() }
}

function undo({ map, name, before }: Undo): void {
  if (before === undefined) map.delete(name)
  else map.set(name, before)
}

/** A copy of what an overlay was before the entries of `log` from `mark` on. */
function copyOverlay(overlay: Overlay, log: readonly Undo[] = [], mark = log.length): Overlay {
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
  const { accounts, slots, cleared } = overlay
  const copy = { accounts: copyOf(accounts), slots: copyOf(slots), cleared: copyOf(cleared) }
  for (let i = log.length - 1; i >= mark; i--) {
    const { map, name, before } = log[i]
    undo({ map: copyOf(map), name, before: copyValue(before) })
  }
  return copy
}
