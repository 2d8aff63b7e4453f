// Interns addresses and storage slots: bytes to the record that holds their base value and versions.
// Authority on identity: keys are compared whole, a hash only finds the bucket. Never removes a record.

import type { RecordId } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { type HashKey, hashKey, keyedHash } from '../memory/keyed-hash.ts'
import { ACCOUNT, SLOT, SLOT_HASH_BIT } from '../memory/layout.ts'
import type { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'
import { WORDS_256, wordOfBytes } from '../memory/word-codec.ts'

const ADDRESS_WORDS = 5

/**
 * Buckets are chains of records, newest first, so the table has no capacity of its own. Two workers
 * that intern one key at once race on the bucket head; the loser finds the winner's record when it
 * looks again, and its own words stay unused.
 */
export class LocationTable {
  readonly #buckets: Int32Array
  readonly #mask: number
  readonly #state: SharedRegion
  readonly #allocator: RegionAllocator
  readonly #atomics: AtomicOperations
  readonly #key: HashKey

  /**
   * `buckets` has a power of two of words, zero-filled in the beginning. `seed` is the same in every
   * thread, and random, so that nobody can choose storage keys that share a bucket.
   */
  constructor(
    buckets: Int32Array,
    seed: number,
    state: SharedRegion,
    allocator: RegionAllocator,
    atomics: AtomicOperations,
  ) {
    this.#buckets = buckets
    this.#mask = buckets.length - 1
    this.#key = hashKey(seed)
    this.#state = state
    this.#allocator = allocator
    this.#atomics = atomics
  }

  /** The record of the account at `address` (20 bytes). */
  account(address: Uint8Array): RecordId {
    const hash = keyedHash(this.#key, 0, address) & ~SLOT_HASH_BIT
    const bucket = (hash >>> 1) & this.#mask
    let head = this.#atomics.load(this.#buckets, bucket)
    const found = this.#findAccount(head, 0, hash, address)
    if (found !== 0) return found as RecordId

    const id = this.#allocator.allocate(ACCOUNT.WORDS)
    const words = this.#state.reach(id + ACCOUNT.WORDS - 1)
    words.fill(0, id, id + ACCOUNT.WORDS)
    words[id + ACCOUNT.HASH] = hash
    for (let i = 0; i < ADDRESS_WORDS; i++)
      words[id + ACCOUNT.ADDRESS + i] = wordOfBytes(address, i)
    for (;;) {
      words[id + ACCOUNT.NEXT] = head
      const seen = this.#atomics.compareExchange(this.#buckets, bucket, head, id)
      if (seen === head) return id as RecordId
      const theirs = this.#findAccount(seen, head, hash, address)
      if (theirs !== 0) return theirs as RecordId
      head = seen
    }
  }

  /** The record of slot `key` (32 bytes) of the account with record `account`. */
  slot(account: RecordId, key: Uint8Array): RecordId {
    const hash = keyedHash(this.#key, account, key) | SLOT_HASH_BIT
    const bucket = (hash >>> 1) & this.#mask
    let head = this.#atomics.load(this.#buckets, bucket)
    const found = this.#findSlot(head, 0, hash, account, key)
    if (found !== 0) return found as RecordId

    const id = this.#allocator.allocate(SLOT.WORDS)
    const words = this.#state.reach(id + SLOT.WORDS - 1)
    words.fill(0, id, id + SLOT.WORDS)
    words[id + SLOT.HASH] = hash
    words[id + SLOT.ACCOUNT] = account
    for (let i = 0; i < WORDS_256; i++) words[id + SLOT.KEY + i] = wordOfBytes(key, i)
    // Every thread stores the same value, and only the main thread reads it, between blocks.
    words[account + ACCOUNT.HAS_SLOTS] = 1
    for (;;) {
      words[id + SLOT.NEXT] = head
      const seen = this.#atomics.compareExchange(this.#buckets, bucket, head, id)
      if (seen === head) return id as RecordId
      const theirs = this.#findSlot(seen, head, hash, account, key)
      if (theirs !== 0) return theirs as RecordId
      head = seen
    }
  }

  /** Calls `visit` for every record. Only when no other thread interns. */
  forEach(visit: (id: RecordId, isSlot: boolean) => void): void {
    for (let bucket = 0; bucket <= this.#mask; bucket++) {
      let id = this.#buckets[bucket]
      while (id !== 0) {
        const words = this.#state.reach(id + SLOT.WORDS)
        visit(id as RecordId, (words[id + ACCOUNT.HASH] & SLOT_HASH_BIT) !== 0)
        id = words[id + ACCOUNT.NEXT]
      }
    }
  }

  /** Walks a chain from `id` to `until` (exclusive). */
  #findAccount(id: number, until: number, hash: number, address: Uint8Array): number {
    while (id !== until && id !== 0) {
      const words = this.#state.reach(id + ACCOUNT.WORDS - 1)
      if (words[id + ACCOUNT.HASH] === hash && sameAddress(words, id, address)) return id
      id = words[id + ACCOUNT.NEXT]
    }
    return 0
  }

  #findSlot(id: number, until: number, hash: number, account: number, key: Uint8Array): number {
    while (id !== until && id !== 0) {
      const words = this.#state.reach(id + SLOT.WORDS - 1)
      if (
        words[id + SLOT.HASH] === hash &&
        words[id + SLOT.ACCOUNT] === account &&
        sameKey(words, id, key)
      ) {
        return id
      }
      id = words[id + SLOT.NEXT]
    }
    return 0
  }
}

function sameAddress(words: Int32Array, id: number, address: Uint8Array): boolean {
  for (let i = 0; i < ADDRESS_WORDS; i++) {
    if (words[id + ACCOUNT.ADDRESS + i] !== wordOfBytes(address, i)) return false
  }
  return true
}

function sameKey(words: Int32Array, id: number, key: Uint8Array): boolean {
  for (let i = 0; i < WORDS_256; i++) {
    if (words[id + SLOT.KEY + i] !== wordOfBytes(key, i)) return false
  }
  return true
}
