// A copy of a flat state that costs nothing to make: its own changes over a version of the original.
// Authority on what a copy holds; it never changes the original, which may move on. Its roots are taken in
// the original's tries, by going to the version for a moment.

import { KECCAK256_RLP } from '@ethereumjs/util'
import { FLAT_SLOT } from '../memory/flat-layout.ts'
import { readStripped32, readUint64, readUint256 } from '../memory/word-codec.ts'
import type { FlatData } from './flat-data.ts'
import { ACCOUNT_ENTRY, type FlatLog, indexEntries, SLOT_ENTRY } from './flat-log.ts'
import { KeptRoots, type Version } from './flat-versions.ts'
import { bytesOfHex } from './hex.ts'
import { OverlaidData } from './overlaid-data.ts'
import type { AccountFields, StateData } from './state-data.ts'
import { copyContents, type OverlayContents, StateOverlay } from './state-overlay.ts'

/** Where the entries of a delta are. */
const indexes = new WeakMap<Int32Array, Map<number, number>>()

/** A root of a copy, and what it was taken of. */
interface CopiedRoot {
  readonly version: Version
  readonly contents: OverlayContents
}

export class CopiedData extends OverlaidData implements StateData {
  readonly base: FlatData
  protected readonly overlay: StateOverlay
  #version: Version
  readonly #kept: KeptRoots<CopiedRoot>
  #logIndex:
    | { log: FlatLog; generation: number; length: number; index: Map<number, number> }
    | undefined

  constructor(
    base: FlatData,
    version: Version,
    contents?: OverlayContents,
    kept = new KeptRoots<CopiedRoot>(base.keptRoots),
  ) {
    super()
    this.base = base
    this.#version = version
    const below = {
      account: (address: Uint8Array) => this.#baseAccount(address),
      slot: (address: Uint8Array, key: Uint8Array) => this.#baseSlot(address, key),
    }
    this.overlay = new StateOverlay(below, contents)
    this.#kept = kept
  }

  /** A copy of what this was at `mark`, with the roots that this keeps. */
  copy(mark: number): CopiedData {
    return new CopiedData(this.base, this.#version, this.overlay.copy(mark), this.#kept.copy())
  }

  root(): Uint8Array {
    const overlay = this.overlay
    if (overlay.root !== undefined) return overlay.root
    const root = this.use((base) => {
      const root = base.root()
      for (const name of overlay.contents.slots.keys()) {
        const fields = base.account(bytesOfHex(name))
        // What is taken back later must take this root with it.
        if (fields !== undefined) overlay.setStorageRoot(name, fields)
      }
      return root
    })
    overlay.hashed(root)
    return root
  }

  /** Calls `use` while the original holds what this copy holds. */
  use<T>(use: (base: FlatData) => T): T {
    const { base } = this
    const { accounts, slots, cleared } = this.overlay.contents
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
    const overlay = this.overlay
    overlay.forgetUndo()
    if (overlay.root === undefined) return
    this.#kept.keep(overlay.root, { version: this.#version, contents: overlay.copy() })
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
    this.overlay.reset(root.slice(), kept && copyContents(kept.contents))
    return true
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
