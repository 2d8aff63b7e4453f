// Brings the tries of a flat state up to date with its records, and takes the state root.
// Authority on which records are leaves. Each storage trie that changed is hashed once, then the accounts';
// other threads may help with the hashing, and with nothing else.

import { FLAT_ACCOUNT, FLAT_BITS, FLAT_NODE, FLAT_SLOT } from '../memory/flat-layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { bytesOfWords } from '../memory/word-codec.ts'
import { FlatHasher } from './flat-hasher.ts'
import type { FlatPages } from './flat-pages.ts'
import { cutTries, finishParts, quietParts, type StaleTrie } from './flat-parts.ts'
import { isZeroSlot } from './flat-records.ts'
import { FlatTrie } from './flat-trie.ts'
import type { Keccak } from './keccak.ts'

const { SLOT, STALE, LINKED, QUEUED, HASHED, EXISTS } = FLAT_BITS

export class FlatTries {
  /** Top node of the accounts' trie. */
  top = 0
  readonly hasher: FlatHasher
  readonly #region: SharedRegion
  readonly #keccak: Keccak
  readonly #trie: FlatTrie
  readonly #pages: FlatPages | undefined
  #queue: number[] = []
  /** Accounts whose storage tries are stale, and how many of their leaves are. */
  readonly #storages = new Map<number, number>()
  /** Leaves of accounts that are stale, about. */
  #accounts = 0
  /** What other threads were given. */
  #parts: Int32Array | undefined

  /** `pages` hears of all that changes in records and nodes. */
  constructor(region: SharedRegion, keccak: Keccak, pages?: FlatPages) {
    this.#region = region
    this.#keccak = keccak
    this.#trie = new FlatTrie(region, pages)
    this.#pages = pages
    this.hasher = new FlatHasher(region, keccak)
  }

  /** Branches that are not in use. */
  get free(): number[] {
    return this.#trie.free
  }

  /** The record may have changed. */
  touch(record: number): void {
    const { words } = this.#region
    if ((words[record] & QUEUED) !== 0) return
    words[record] |= QUEUED
    this.#pages?.touch(record, FLAT_ACCOUNT.WORDS)
    this.#queue.push(record)
  }

  /**
   * Brings the shapes up to date with the records; references are stale then. `onStorage` hears of each
   * account whose storage trie will change, before it does.
   */
  place(onStorage: (account: number) => void): void {
    const queue = this.#queue
    const storages = this.#storages
    for (let i = 0; i < queue.length; i++) {
      const slot = queue[i]
      const { words } = this.#region
      if ((words[slot] & SLOT) === 0) continue
      words[slot] &= ~QUEUED
      const account = words[slot + FLAT_SLOT.ACCOUNT]
      const storage = words[account + FLAT_ACCOUNT.STORAGE]
      const isSet = !isZeroSlot(words, slot)
      if (!isSet && (words[slot] & LINKED) === 0) continue
      // The first change since the last time finds its top node fresh.
      if (storage === 0 || (words[storage] & STALE) === 0) {
        onStorage(account)
        this.touch(account)
      }
      storages.set(account, (storages.get(account) ?? 0) + 1)
      const top = this.#place(storage, slot, isSet)
      this.#region.words[account + FLAT_ACCOUNT.STORAGE] = top
    }
    for (const account of queue) {
      const { words } = this.#region
      if ((words[account] & (SLOT | QUEUED)) !== QUEUED) continue
      this.#accounts++
      this.top = this.#place(this.top, account, (words[account] & EXISTS) !== 0)
      // Only now: placing fails where memory is full, and is to be tried again.
      this.#region.words[account] &= ~QUEUED
    }
    this.#queue = []
  }

  /** Leaves whose changes were placed and not hashed, about. */
  get staleLeaves(): number {
    let leaves = this.#accounts
    for (const count of this.#storages.values()) leaves += count
    return leaves
  }

  /**
   * What other threads can hash of what was placed, if it is at least `fewest` leaves. Until {@link hash}
   * returns, nothing else may write to headers, values or shapes.
   */
  share(fewest: number): Int32Array | undefined {
    if (this.staleLeaves < fewest) return undefined
    const tries: StaleTrie[] = []
    for (const [account, leaves] of this.#storages) {
      tries.push({ top: this.#region.words[account + FLAT_ACCOUNT.STORAGE], leaves })
    }
    const accounts = { top: this.top, leaves: this.#accounts }
    this.#parts = cutTries(this.#region.words, tries, accounts)
    return this.#parts
  }

  /** Whether other threads may be hashing. */
  get isShared(): boolean {
    return this.#parts !== undefined
  }

  /** Whether it is these parts that others may be hashing. */
  isSharing(parts: Int32Array): boolean {
    return this.#parts === parts
  }

  /** Whether others may be writing the root of an account's storage. */
  isHashing(account: number): boolean {
    if (this.#parts === undefined) return false
    const { words } = this.#region
    const top = words[account + FLAT_ACCOUNT.STORAGE]
    return top !== 0 && (Atomics.load(words, top) & STALE) !== 0
  }

  /**
   * The state root of what was placed; waits for what others have begun to hash. What they do not end is stale
   * still, and hashed here.
   */
  hash(): Uint8Array {
    const parts = this.#parts
    if (parts !== undefined && !finishParts(parts, this.hasher)) quietParts(parts)
    this.#parts = undefined
    for (const account of this.#storages.keys()) this.hasher.refreshStorage(account)
    this.#storages.clear()
    this.#accounts = 0
    return this.hasher.root(this.top)
  }

  /** The state root, by this thread alone. */
  root(onStorage: (account: number) => void): Uint8Array {
    this.place(onStorage)
    return this.hash()
  }

  /** Brings a leaf up to date below `top`; returns the top node after. */
  #place(top: number, leaf: number, isThere: boolean): number {
    const { words } = this.#region
    const wasThere = (words[leaf] & LINKED) !== 0
    if (isThere && wasThere) {
      this.#trie.mark(top, leaf)
      return top
    }
    if (isThere) {
      this.#hashKey(leaf)
      const after = this.#trie.insert(top, leaf)
      this.#region.words[leaf] |= LINKED
      return after
    }
    if (!wasThere) return top
    words[leaf] &= ~LINKED
    return this.#trie.remove(top, leaf)
  }

  #hashKey(leaf: number): void {
    const { words, bytes } = this.#region
    if ((words[leaf] & HASHED) !== 0) return
    const isSlot = (words[leaf] & SLOT) !== 0
    const key = isSlot
      ? bytesOfWords(words, leaf + FLAT_SLOT.KEY, 8)
      : bytesOfWords(words, leaf + FLAT_ACCOUNT.ADDRESS, 5)
    bytes.set(this.#keccak(key), (leaf + FLAT_SLOT.KEY_HASH) * 4)
    words[leaf] |= HASHED
  }

  /** The root of an account's storage, as it was computed last; `undefined` = it was empty. */
  storageRoot(account: number): Uint8Array | undefined {
    const { words, bytes } = this.#region
    const top = words[account + FLAT_ACCOUNT.STORAGE]
    if (top === 0) return undefined
    const at = (top + FLAT_NODE.REFERENCE) * 4
    return bytes.slice(at, at + 32)
  }
}
