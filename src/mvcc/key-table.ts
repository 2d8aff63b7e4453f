// Interns keys of any length: bytes to the record that leads to their versions.
// Authority on identity: keys are compared whole, a hash only finds the bucket. Never removes a record.

import type { AtomicOperations } from '../memory/atomics.ts'
import { RECORD } from '../memory/engine-layout.ts'
import type { FreeLists } from '../memory/free-lists.ts'
import { type HashKey, hashKey, keyedHash } from '../memory/keyed-hash.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { readBytes, wordsForBytes } from '../memory/word-codec.ts'

/** Bytes that one step of the hash takes. */
const STEP = 32

/** Like `LocationTable`, whose records are accounts and slots: buckets are chains, newest first. */
export class KeyTable {
  readonly #buckets: Int32Array
  readonly #mask: number
  readonly #key: HashKey
  readonly #region: SharedRegion
  readonly #blocks: FreeLists
  readonly #atomics: AtomicOperations
  readonly #scratch = new Uint8Array(STEP)

  /** `buckets` has a power of two of words, zero in the beginning; `seed` is the same in every thread. */
  constructor(buckets: Int32Array, seed: number, blocks: FreeLists, atomics: AtomicOperations) {
    this.#buckets = buckets
    this.#mask = buckets.length - 1
    this.#key = hashKey(seed)
    this.#region = blocks.region
    this.#blocks = blocks
    this.#atomics = atomics
  }

  /** The record of `key`, or 0 if nobody has interned it. */
  find(key: Uint8Array): number {
    const hash = this.#hash(key)
    return this.#search(this.#atomics.load(this.#buckets, hash & this.#mask), 0, hash, key)
  }

  /** The record of `key`, made where there is none. @throws ParallelError `STORE_FULL` */
  intern(key: Uint8Array): number {
    const hash = this.#hash(key)
    const bucket = hash & this.#mask
    let head = this.#atomics.load(this.#buckets, bucket)
    const found = this.#search(head, 0, hash, key)
    if (found !== 0) return found

    const count = RECORD.KEY + wordsForBytes(key.length)
    const record = this.#blocks.fresh(count)
    const words = this.#region.reach(record + count)
    words.fill(0, record, record + count)
    words[record + RECORD.HASH] = hash
    words[record + RECORD.LENGTH] = key.length
    this.#region.bytes.set(key, (record + RECORD.KEY) * 4)
    for (;;) {
      words[record + RECORD.NEXT] = head
      const seen = this.#atomics.compareExchange(this.#buckets, bucket, head, record)
      if (seen === head) return record
      const theirs = this.#search(seen, head, hash, key)
      if (theirs !== 0) return theirs
      head = seen
    }
  }

  /** The key of a record, as a private copy. */
  keyOf(record: number): Uint8Array {
    const length = this.#region.reach(record + RECORD.KEY)[record + RECORD.LENGTH]
    this.#region.reach(record + RECORD.KEY + wordsForBytes(length))
    return readBytes(this.#region.bytes, record + RECORD.KEY, length)
  }

  /** Calls `visit` for every record that is there when it begins. */
  forEach(visit: (record: number) => void): void {
    for (let bucket = 0; bucket <= this.#mask; bucket++) {
      let record = this.#atomics.load(this.#buckets, bucket)
      while (record !== 0) {
        visit(record)
        record = this.#region.reach(record + RECORD.KEY)[record + RECORD.NEXT]
      }
    }
  }

  /** Walks a chain from `record` to `until` (exclusive). */
  #search(record: number, until: number, hash: number, key: Uint8Array): number {
    while (record !== until && record !== 0) {
      const words = this.#region.reach(record + RECORD.KEY)
      if (words[record + RECORD.HASH] === hash && this.#isKey(record, key)) return record
      record = words[record + RECORD.NEXT]
    }
    return 0
  }

  #isKey(record: number, key: Uint8Array): boolean {
    if (this.#region.words[record + RECORD.LENGTH] !== key.length) return false
    this.#region.reach(record + RECORD.KEY + wordsForBytes(key.length))
    const bytes = this.#region.bytes
    const start = (record + RECORD.KEY) * 4
    for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false
    return true
  }

  /** In steps, each of which hashes what came before along; the length begins. */
  #hash(key: Uint8Array): number {
    if (key.length <= STEP && (key.length & 1) === 0) return keyedHash(this.#key, key.length, key)
    let hash = key.length
    for (let at = 0; at < key.length; at += STEP) {
      const length = Math.min(STEP, key.length - at)
      const scratch = this.#scratch
      scratch.fill(0)
      for (let i = 0; i < length; i++) scratch[i] = key[at + i]
      hash = keyedHash(this.#key, hash, scratch)
    }
    return hash
  }
}
