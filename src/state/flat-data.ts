// A flat state: accounts, slots and code in shared memory, with undo, kept versions and roots.
// Authority on what they hold. Synchronous; belongs to one thread, and others may read while nothing is
// written. Knows nothing of ethereumjs' interface (flat-state.ts does).

import { KECCAK256_RLP } from '@ethereumjs/util'
import { FLAT_ACCOUNT, FLAT_EPOCH, FLAT_SLOT } from '../memory/flat-layout.ts'
import { SharedRegion } from '../memory/shared-region.ts'
import { readStripped32, writePadded32 } from '../memory/word-codec.ts'
import { FlatCodes } from './flat-codes.ts'
import { FlatDisk } from './flat-disk.ts'
import { FlatLog, swapEntries } from './flat-log.ts'
import { FlatPages } from './flat-pages.ts'
import {
  accountExists,
  checkAccount,
  isZeroSlot,
  readAccount,
  removeAccount,
  writeAccount,
} from './flat-records.ts'
import type { FlatStore } from './flat-store.ts'
import { FlatTable } from './flat-table.ts'
import { FlatTries } from './flat-tries.ts'
import { advance, KeptRoots, newVersion, turn, type Version, wayFrom } from './flat-versions.ts'
import type { Keccak } from './keccak.ts'
import type { AccountFields, StateData } from './state-data.ts'

const MIB = 1024 * 1024
const NOTHING = new Uint8Array(0)

export interface FlatDataOptions {
  readonly keccak: Keccak
  readonly maxStateMiB: number
  /** How many roots are kept. */
  readonly keptRoots: number
  /** Where the state is kept; default: nowhere. */
  readonly store?: FlatStore | undefined
}

export class FlatData implements StateData {
  readonly keccak: Keccak
  readonly table: FlatTable
  readonly codes: FlatCodes
  readonly tries: FlatTries
  /** Where it is kept, if it is. */
  readonly disk: FlatDisk | undefined
  /** The last version; the records are that, changed by what the log has. */
  present: Version
  log = new FlatLog()
  readonly #region: SharedRegion
  readonly #kept: KeptRoots<Version>
  /** The root of what the records hold; unknown after changes. */
  #root: Uint8Array | undefined
  #hidings = 0
  /** How long the log was when the tries were brought up to date. */
  #hashedAt = 0
  /** Hears of the root that was postponed. */
  #onRoot: ((root: Uint8Array) => void) | undefined
  /** Grows with every change: where it is what it was, so is the state. */
  changes = 0
  /** Resolves when a postponed root is there, and what follows from it is done. Never rejects. */
  hashing: Promise<void> | undefined
  /** A block begins that waits for the root by itself; see {@link follow}. */
  isFollowed = false
  readonly #touch = (record: number): void => this.#changed(record)

  constructor({ keccak, maxStateMiB, keptRoots, store }: FlatDataOptions) {
    this.keccak = keccak
    this.#region = SharedRegion.create(maxStateMiB * MIB)
    this.table = new FlatTable(this.#region)
    const pages = new FlatPages()
    this.codes = new FlatCodes(this.#region, store && pages)
    this.tries = new FlatTries(this.#region, keccak, store && pages)
    this.#kept = new KeptRoots(keptRoots)
    const { region, table, codes, tries } = this
    this.disk = store && new FlatDisk({ region, table, codes, tries }, store, pages)
    this.#root = this.disk?.load() ?? KECCAK256_RLP
    this.present = newVersion(this.#root)
    this.#kept.keep(this.#root, this.present)
  }

  get region(): SharedRegion {
    return this.#region
  }

  account(address: Uint8Array): AccountFields | undefined {
    const record = this.table.findAccount(address)
    if (record === 0) return undefined
    if (this.tries.isHashing(record)) this.settle()
    const { words } = this.#region
    if (!accountExists(words, record)) return undefined
    return {
      ...readAccount(words, record),
      codeHash: this.codes.hash(words[record + FLAT_ACCOUNT.CODE]),
      storageRoot: this.#storageRoot(record),
    }
  }

  /** Whether an account's storage root is one that others are hashing. */
  isHashing(address: Uint8Array): boolean {
    const record = this.table.findAccount(address)
    return record !== 0 && this.tries.isHashing(record)
  }

  #storageRoot(record: number): Uint8Array {
    if (this.#region.words[record + FLAT_ACCOUNT.SLOT_COUNT] === 0) return KECCAK256_RLP
    return this.tries.storageRoot(record) ?? KECCAK256_RLP
  }

  setAccount(address: Uint8Array, fields: AccountFields | undefined): void {
    this.settle()
    const found = this.table.findAccount(address)
    if (fields === undefined) {
      if (found === 0 || !accountExists(this.#region.words, found)) return
      this.clearSlots(address)
      removeAccount(this.#region.words, this.#beforeChange(found))
      return
    }
    checkAccount(fields)
    const code = this.codes.entry(fields.codeHash)
    const record = this.#beforeChange(found === 0 ? this.table.account(address) : found)
    writeAccount(this.#region.words, record, fields, code)
  }

  slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    const record = this.table.findSlot(this.table.findAccount(address), key)
    return record === 0 ? NOTHING : readStripped32(this.#region.bytes, record + FLAT_SLOT.VALUE)
  }

  setSlot(address: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    this.settle()
    const account = this.table.account(address)
    const found = this.table.findSlot(account, key)
    if (found === 0 && value.length === 0) return
    this.#setSlot(account, found === 0 ? this.table.slot(account, key) : found, value)
  }

  #setSlot(account: number, slot: number, value: Uint8Array): void {
    const before = isZeroSlot(this.#region.words, slot)
    if (before && value.length === 0) return
    const record = this.#beforeChange(slot)
    writePadded32(this.#region.bytes, record + FLAT_SLOT.VALUE, value)
    if (before === (value.length === 0)) return
    this.#region.words[account + FLAT_ACCOUNT.SLOT_COUNT] += before ? 1 : -1
  }

  clearSlots(address: Uint8Array): void {
    this.settle()
    const account = this.table.findAccount(address)
    const { words } = this.#region
    if (account === 0 || words[account + FLAT_ACCOUNT.SLOT_COUNT] === 0) return
    let slot = words[account + FLAT_ACCOUNT.SLOTS]
    for (; slot !== 0; slot = words[slot + FLAT_SLOT.SIBLING]) {
      this.#setSlot(account, slot, NOTHING)
    }
  }

  emptyStorage(address: Uint8Array): void {
    const account = this.table.findAccount(address)
    if (account === 0 || this.tries.storageRoot(account) === undefined) return
    const { words } = this.#region
    if (!this.log.ownersSince(words, this.#hashedAt).has(account)) this.clearSlots(address)
  }

  code(hash: Uint8Array): Uint8Array {
    return this.codes.code(this.codes.entry(hash))
  }

  putCode(hash: Uint8Array, code: Uint8Array): void {
    this.codes.put(hash, code)
  }

  mark(): number {
    return this.log.length
  }

  takeBack(mark: number): void {
    this.settle()
    const { log } = this
    const { words } = this.#region
    if (this.#hashedAt <= mark) {
      log.takeBack(words, mark, this.#touch)
      return
    }
    // Tries are ahead of what is left; entries to come must name the roots from before.
    const roots = log.storageRoots(words, mark)
    log.takeBack(words, mark, this.#touch)
    this.#root = this.tries.root(() => {})
    for (const [record, root] of roots) log.addWithRoot(this.#region.words, record, root)
    this.#hashedAt = log.length
  }

  committed(): void {
    // First, since it can fail: what is sealed cannot be taken back.
    if (this.#root !== undefined) this.disk?.save(this.#root)
    this.keepRoot()
  }

  keepRoot(): void {
    if (this.#root === undefined) return
    if (this.log.length > 0) this.#seal(this.log.length)
    if (this.present.root === undefined) {
      this.present.root = this.#root
      this.#kept.keep(this.#root, this.present)
    }
  }

  root(): Uint8Array {
    if (this.#root === undefined) {
      this.#place()
      this.#root = this.tries.hash()
    }
    const hear = this.#onRoot
    this.#onRoot = undefined
    hear?.(this.#root)
    // Who heard of it may have gone back.
    return this.#root ?? this.root()
  }

  /** Changed leaves that a root has to hash, about; 0 if it is known. */
  changedLeaves(): number {
    if (this.#root !== undefined) return 0
    this.#place()
    return this.tries.staleLeaves
  }

  /**
   * Makes what was changed a version whose root is found later: when somebody asks for it or changes
   * something, if not before. `onRoot` hears of it first, and may go back. No checkpoint may be open.
   */
  postponeRoot(onRoot: (root: Uint8Array) => void): void {
    this.#place()
    if (this.log.length > 0) this.#seal(this.log.length)
    this.#onRoot = onRoot
  }

  /** Calls `use`, which need not wait for a postponed root before it opens a checkpoint. */
  follow<T>(use: () => T): T {
    this.isFollowed = true
    try {
      return use()
    } finally {
      this.isFollowed = false
    }
  }

  /** Goes back to a version of which the present one is all that followed. The log must be empty. */
  goBack(version: Version): void {
    // Workers may be reading for a block that follows, which will be refused: what they read now is void.
    this.hide()
    this.moveTo(version)
    this.show()
    // Nothing is stored: what is there has none of what was taken back.
    this.keepRoot()
  }

  #place(): void {
    if (this.tries.isShared) return
    this.tries.place((account) => this.log.add(this.#region.words, account))
    this.#hashedAt = this.log.length
  }

  /**
   * What other threads can hash of the state root, if that is at least `fewest` changed leaves. They may do
   * so until somebody asks for the root, or wants to change something; that waits for them.
   */
  shareRoot(fewest: number): Int32Array | undefined {
    if (this.#root !== undefined || this.tries.isShared) return undefined
    this.#place()
    return this.tries.share(fewest)
  }

  /** Takes a root that others are hashing, or that somebody waits for: what it is of must not change. */
  settle(): void {
    if (this.tries.isShared || this.#onRoot !== undefined) this.root()
  }

  /** Most roots that are kept. */
  get keptRoots(): number {
    return this.#kept.limit
  }

  /** Keeps no root any more, so that what was before takes no memory; what it returns takes that back. */
  forgetRoots(): () => void {
    return this.#kept.clear()
  }

  /** Keeps this root no longer; the present state's root stays. */
  forgetRoot(root: Uint8Array): void {
    if (this.find(root) !== this.present) this.#kept.forget(root)
  }

  has(root: Uint8Array): boolean {
    return this.find(root) !== undefined
  }

  /** The version of a kept root. */
  find(root: Uint8Array): Version | undefined {
    return this.#kept.find(root)
  }

  goTo(root: Uint8Array): boolean {
    const version = this.#kept.find(root)
    if (version === undefined) return false
    this.root()
    this.committed()
    const { present } = this
    this.moveTo(version)
    try {
      this.committed()
    } catch (error) {
      this.moveTo(present)
      throw error
    }
    this.#kept.keep(root, version)
    return true
  }

  /** Makes `version` the present one; the log must be empty. */
  moveTo(version: Version): void {
    const way = wayFrom(version)
    way.pop()
    for (const step of way.reverse()) {
      swapEntries(step.delta!, this.#region.words, this.#touch)
      turn(step)
      this.present = step
      this.root()
    }
    // What the roots noted is no change.
    this.log = new FlatLog()
    this.#hashedAt = 0
  }

  /** A version that is what the records were at `mark`, before which the log then has nothing. */
  versionAt(mark: number): Version {
    if (mark > 0) {
      this.settle()
      this.#seal(mark)
    }
    return this.present
  }

  #seal(mark: number): void {
    const delta = this.log.seal(this.#region.words, mark)
    this.#hashedAt = Math.max(0, this.#hashedAt - mark)
    const next = newVersion()
    advance(this.present, next, delta)
    this.present = next
  }

  /** Calls `use` while the records are what they were at `version`, and undoes what it changes. */
  during<T>(version: Version, use: () => T): T {
    this.root()
    this.hide()
    const { log, present, changes } = this
    const hashedAt = this.#hashedAt
    const working = newVersion()
    advance(present, working, log.clone().seal(this.#region.words))
    this.present = working
    this.log = new FlatLog()
    try {
      this.moveTo(version)
      return use()
    } finally {
      this.takeBack(0)
      this.root()
      this.log = new FlatLog()
      this.moveTo(working)
      present.next = undefined
      present.delta = undefined
      this.present = present
      this.log = log
      this.#hashedAt = hashedAt
      this.changes = changes
      this.show()
    }
  }

  /** Other threads are to ask instead of reading, until {@link show}: what they would read may be changed. */
  hide(): void {
    if (++this.#hidings === 1) Atomics.add(this.#region.words, FLAT_EPOCH, 1)
  }

  /** Ends one {@link hide}. */
  show(): void {
    if (--this.#hidings === 0) Atomics.add(this.#region.words, FLAT_EPOCH, 1)
  }

  #beforeChange(record: number): number {
    this.log.add(this.#region.words, record)
    this.#changed(record)
    return record
  }

  #changed(record: number): void {
    this.#root = undefined
    this.changes++
    this.tries.touch(record)
  }
}
