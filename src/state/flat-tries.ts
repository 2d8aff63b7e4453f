// Brings the tries of a flat state up to date with its records, and takes the state root.
// Authority on which records are leaves. Each storage trie that changed is hashed once, then the accounts'.

import { FLAT_ACCOUNT, FLAT_BITS, FLAT_NODE, FLAT_SLOT } from '../memory/flat-layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { bytesOfWords } from '../memory/word-codec.ts'
import { FlatHasher } from './flat-hasher.ts'
import type { FlatPages } from './flat-pages.ts'
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

  /** `pages` hears of all that changes in records and nodes. */
  constructor(region: SharedRegion, keccak: Keccak, pages?: FlatPages) {
    this.#region = region
    this.#keccak = keccak
    this.#trie = new FlatTrie(region)
    this.#pages = pages
    this.hasher = new FlatHasher(region, keccak, pages)
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

  /** The state root. `onStorage` hears of each account whose storage trie will change, before it does. */
  root(onStorage: (account: number) => void): Uint8Array {
    const queue = this.#queue
    const withStorage: number[] = []
    for (let i = 0; i < queue.length; i++) {
      const slot = queue[i]
      const { words } = this.#region
      if ((words[slot] & SLOT) === 0) continue
      words[slot] &= ~QUEUED
      const account = words[slot + FLAT_SLOT.ACCOUNT]
      const storage = words[account + FLAT_ACCOUNT.STORAGE]
      const isSet = !isZero(words, slot + FLAT_SLOT.VALUE)
      if (!isSet && (words[slot] & LINKED) === 0) continue
      // The first change since the last time finds its top node fresh.
      if (storage === 0 || (words[storage] & STALE) === 0) {
        onStorage(account)
        withStorage.push(account)
        this.touch(account)
      }
      const top = this.#place(storage, slot, isSet)
      this.#region.words[account + FLAT_ACCOUNT.STORAGE] = top
    }
    for (const account of withStorage) {
      const storage = this.#region.words[account + FLAT_ACCOUNT.STORAGE]
      if (storage !== 0) this.hasher.refresh(storage, 0)
    }
    for (const account of queue) {
      const { words } = this.#region
      if ((words[account] & (SLOT | QUEUED)) !== QUEUED) continue
      words[account] &= ~QUEUED
      this.top = this.#place(this.top, account, (words[account] & EXISTS) !== 0)
    }
    this.#queue = []
    return this.hasher.root(this.top)
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
      words[leaf] |= LINKED
      return this.#trie.insert(top, leaf)
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

function isZero(words: Int32Array, at: number): boolean {
  for (let i = 0; i < 8; i++) if (words[at + i] !== 0) return false
  return true
}
