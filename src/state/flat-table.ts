// Finds the records of a flat state by their keys, and makes them.
// Authority on identity: keys are compared whole. Records never go away; a record of something that does
// not exist is one whose account is not there or whose slot is zero. `FlatReader` works on any thread,
// `FlatTable` on the one that owns the state.

import { randomInt } from 'node:crypto'
import { internalError } from '../errors.ts'
import { FLAT_ACCOUNT, FLAT_BITS, FLAT_EPOCH, FLAT_SLOT } from '../memory/flat-layout.ts'
import { type HashKey, hashKey, keyedHashOfWords } from '../memory/keyed-hash.ts'
import { SharedRegion } from '../memory/shared-region.ts'
import { WORDS_256, wordOfBytes } from '../memory/word-codec.ts'

const ADDRESS_WORDS = 5

/** What a thread needs to read a flat state. */
export interface FlatBuffers {
  /** No other state has it, so that copies of code can be kept by it. */
  readonly id: number

  readonly region: SharedArrayBuffer
  readonly accounts: SharedArrayBuffer
  readonly slots: SharedArrayBuffer
  readonly seed: number
}

/** Buckets are a power of two of words, each a record or 0; who finds his taken looks at the next. */
export class FlatReader {
  readonly region: SharedRegion
  accounts: Int32Array
  slots: Int32Array
  /** Random, so that nobody can choose keys that meet. */
  readonly seed: number
  readonly #hashKey: HashKey

  constructor(region: SharedRegion, accounts: Int32Array, slots: Int32Array, seed: number) {
    this.region = region
    this.accounts = accounts
    this.slots = slots
    this.seed = seed
    this.#hashKey = hashKey(seed)
  }

  static over({ region, accounts, slots, seed }: FlatBuffers): FlatReader {
    const views = [accounts, slots].map((buffer) => new Int32Array(buffer))
    return new FlatReader(new SharedRegion(region), views[0], views[1], seed)
  }

  /** The record of the account whose address is the five words of `key` from `at` on; 0 = none. */
  account(key: Int32Array, at: number): number {
    const { accounts } = this
    const mask = accounts.length - 1
    for (let bucket = this.accountHash(key, at) & mask; ; bucket = (bucket + 1) & mask) {
      const record = accounts[bucket]
      if (record === 0) return 0
      const words = this.region.reach(record + FLAT_ACCOUNT.WORDS)
      if (areEqual(words, record + FLAT_ACCOUNT.ADDRESS, key, at, ADDRESS_WORDS)) return record
    }
  }

  /** The record of the slot of `account` whose key is the eight words of `key` from `at` on; 0 = none. */
  slot(account: number, key: Int32Array, at: number): number {
    const { slots } = this
    const mask = slots.length - 1
    for (let bucket = this.slotHash(account, key, at) & mask; ; bucket = (bucket + 1) & mask) {
      const record = slots[bucket]
      if (record === 0) return 0
      const words = this.region.reach(record + FLAT_SLOT.WORDS)
      if (
        words[record + FLAT_SLOT.ACCOUNT] === account &&
        areEqual(words, record + FLAT_SLOT.KEY, key, at, WORDS_256)
      ) {
        return record
      }
    }
  }

  accountHash(key: Int32Array, at: number): number {
    return keyedHashOfWords(this.#hashKey, 0, key, at, ADDRESS_WORDS)
  }

  slotHash(account: number, key: Int32Array, at: number): number {
    return keyedHashOfWords(this.#hashKey, account, key, at, WORDS_256)
  }
}

/** Small states should take little; doubling is cheap. */
const LEAST_BUCKETS = 1 << 10

export class FlatTable {
  readonly region: SharedRegion
  readonly reader: FlatReader
  accountCount = 0
  slotCount = 0
  readonly #key = new Int32Array(WORDS_256)

  readonly #id = nextId()

  /** `region` is empty. */
  constructor(region: SharedRegion) {
    this.region = region
    if (region.allocate(1) !== FLAT_EPOCH) throw internalError('a region is not empty')
    region.words[FLAT_EPOCH] = 0
    const seed = randomInt(2 ** 32)
    this.reader = new FlatReader(region, newBuckets(LEAST_BUCKETS), newBuckets(LEAST_BUCKETS), seed)
  }

  /** What another thread needs to read this; after records were made it may have to be asked again. */
  get buffers(): FlatBuffers {
    const { accounts, slots, seed } = this.reader
    return {
      id: this.#id,
      region: this.region.buffer,
      accounts: accounts.buffer as SharedArrayBuffer,
      slots: slots.buffer as SharedArrayBuffer,
      seed,
    }
  }

  /** The record of an account, 0 if it has none. */
  findAccount(address: Uint8Array): number {
    this.#load(address, ADDRESS_WORDS)
    return this.reader.account(this.#key, 0)
  }

  /** The record of a slot, 0 if it has none. */
  findSlot(account: number, key: Uint8Array): number {
    if (account === 0) return 0
    this.#load(key, WORDS_256)
    return this.reader.slot(account, this.#key, 0)
  }

  /** The record of an account, which is made if there is none. @throws ParallelError `STORE_FULL` */
  account(address: Uint8Array): number {
    const found = this.findAccount(address)
    if (found !== 0) return found
    const { region } = this
    const record = region.allocate(FLAT_ACCOUNT.WORDS)
    const { words } = region
    words.fill(0, record, record + FLAT_ACCOUNT.WORDS)
    words.set(this.#key.subarray(0, ADDRESS_WORDS), record + FLAT_ACCOUNT.ADDRESS)
    this.#indexAccount(record)
    return record
  }

  /** The record of a slot, which is made if there is none. @throws ParallelError `STORE_FULL` */
  slot(account: number, key: Uint8Array): number {
    const found = this.findSlot(account, key)
    if (found !== 0) return found
    if (account === 0) throw internalError('a slot of no account')
    const { region } = this
    const record = region.allocate(FLAT_SLOT.WORDS)
    const { words } = region
    words.fill(0, record, record + FLAT_SLOT.WORDS)
    words[record + FLAT_SLOT.HEADER] = FLAT_BITS.SLOT
    words.set(this.#key, record + FLAT_SLOT.KEY)
    words[record + FLAT_SLOT.ACCOUNT] = account
    words[record + FLAT_SLOT.SIBLING] = words[account + FLAT_ACCOUNT.SLOTS]
    words[account + FLAT_ACCOUNT.SLOTS] = record
    this.#indexSlot(record)
    return record
  }

  /** Makes room for so many records, in an empty table. */
  reserve(accounts: number, slots: number): void {
    const room = (count: number): number =>
      Math.max(LEAST_BUCKETS, 2 ** Math.ceil(Math.log2(2 * count + 2)))
    this.reader.accounts = newBuckets(room(accounts))
    this.reader.slots = newBuckets(room(slots))
  }

  /** Takes up an account that the region has already, with its slots. */
  adopt(account: number): void {
    this.#indexAccount(account)
    const { words } = this.region
    let slot = words[account + FLAT_ACCOUNT.SLOTS]
    for (; slot !== 0; slot = words[slot + FLAT_SLOT.SIBLING]) this.#indexSlot(slot)
  }

  #indexAccount(record: number): void {
    const { reader, region } = this
    const { words } = region
    const hashOf = (other: number): number =>
      reader.accountHash(words, other + FLAT_ACCOUNT.ADDRESS)
    this.accountCount++
    if (2 * this.accountCount > reader.accounts.length) {
      reader.accounts = grown(reader.accounts, hashOf)
    }
    insert(reader.accounts, hashOf(record), record)
  }

  #indexSlot(record: number): void {
    const { reader, region } = this
    const { words } = region
    const hashOf = (other: number): number =>
      reader.slotHash(words[other + FLAT_SLOT.ACCOUNT], words, other + FLAT_SLOT.KEY)
    this.slotCount++
    if (2 * this.slotCount > reader.slots.length) reader.slots = grown(reader.slots, hashOf)
    insert(reader.slots, hashOf(record), record)
  }

  #load(bytes: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) this.#key[i] = wordOfBytes(bytes, i)
  }
}

let ids = 0
function nextId(): number {
  return ++ids
}

function newBuckets(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * 4))
}

/** New buckets, since other threads may still look into the old ones. */
function grown(buckets: Int32Array, hashOf: (record: number) => number): Int32Array {
  const larger = newBuckets(2 * buckets.length)
  for (const record of buckets) if (record !== 0) insert(larger, hashOf(record), record)
  return larger
}

function insert(buckets: Int32Array, hash: number, record: number): void {
  const mask = buckets.length - 1
  let bucket = hash & mask
  while (buckets[bucket] !== 0) bucket = (bucket + 1) & mask
  buckets[bucket] = record
}

function areEqual(
  words: Int32Array,
  at: number,
  key: Int32Array,
  keyAt: number,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) if (words[at + i] !== key[keyAt + i]) return false
  return true
}
