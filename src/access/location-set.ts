// A set of state locations with how they are touched, found by their bytes.
// Authority on when two locations are the same one: every byte is compared, a hash only finds a place.
// No text and no object per location, so that it can be filled and cleared for each transaction.
import {
  type AccessKind,
  type AccessSink,
  type LocationField,
  strongerKind,
} from './access-sink.ts'

/** Where the bytes of a record are: field, then address, then key (zero but for slots). */
const RECORD = 56
const ADDRESS_AT = 4
const KEY_AT = 24
const RECORD_WORDS = RECORD / 4

const FIELDS = ['balance', 'nonce', 'code', 'existence', 'slot'] as const
const KINDS = ['read', 'write', 'delta'] as const
/** A power of two; it doubles. */
const FIRST_CAPACITY = 16
const NO_KEY = new Uint8Array(0)

/** One location as a value of its own. */
export interface TouchedLocation {
  readonly field: LocationField
  readonly address: Uint8Array
  /** 32 bytes for a slot, else absent. */
  readonly key?: Uint8Array
  readonly kind: AccessKind
}

export class LocationSet implements AccessSink {
  #bytes = new Uint8Array(RECORD * FIRST_CAPACITY)
  #words = new Int32Array(this.#bytes.buffer)
  #kinds = new Uint8Array(FIRST_CAPACITY)
  /** Record number + 1, or 0. Its length is a power of two and at least twice the capacity. */
  #table = new Int32Array(FIRST_CAPACITY * 2)
  #size = 0

  get size(): number {
    return this.#size
  }

  clear(): void {
    if (this.#size > 0) this.#table.fill(0)
    this.#size = 0
  }

  balance(address: Uint8Array, kind: AccessKind): void {
    this.add('balance', address, undefined, kind)
  }

  nonce(address: Uint8Array, kind: AccessKind): void {
    this.add('nonce', address, undefined, kind)
  }

  code(address: Uint8Array, kind: AccessKind): void {
    this.add('code', address, undefined, kind)
  }

  existence(address: Uint8Array, kind: AccessKind): void {
    this.add('existence', address, undefined, kind)
  }

  slot(address: Uint8Array, key: Uint8Array, kind: AccessKind): void {
    this.add('slot', address, key, kind)
  }

  /** Adds a location, or strengthens how it is touched; returns its position. */
  add(
    field: LocationField,
    address: Uint8Array,
    key: Uint8Array | undefined,
    kind: AccessKind,
  ): number {
    if (this.#size * 2 >= this.#table.length) this.#grow()
    this.#writeCandidate(field, address, key ?? NO_KEY)
    const place = this.#place(this.#size)
    const found = this.#table[place]! - 1
    if (found >= 0) {
      this.#kinds[found] = KINDS.indexOf(strongerKind(KINDS[this.#kinds[found]!]!, kind))
      return found
    }
    this.#kinds[this.#size] = KINDS.indexOf(kind)
    this.#table[place] = ++this.#size
    return this.#size - 1
  }

  /** The position of a location in the order of insertion, or -1. */
  find(field: LocationField, address: Uint8Array, key?: Uint8Array): number {
    if (this.#size * 2 >= this.#table.length) this.#grow()
    this.#writeCandidate(field, address, key ?? NO_KEY)
    return this.#table[this.#place(this.#size)]! - 1
  }

  kindAt(position: number): AccessKind {
    return KINDS[this.#kinds[position]!]!
  }

  at(position: number): TouchedLocation {
    const start = position * RECORD
    const field = FIELDS[this.#bytes[start]!]!
    return {
      field,
      address: this.#bytes.slice(start + ADDRESS_AT, start + KEY_AT),
      ...(field === 'slot' ? { key: this.#bytes.slice(start + KEY_AT, start + RECORD) } : {}),
      kind: this.kindAt(position),
    }
  }

  /** Every location, in the order of insertion; each is a copy. */
  *[Symbol.iterator](): Generator<TouchedLocation> {
    for (let position = 0; position < this.#size; position++) yield this.at(position)
  }

  /** The candidate lies behind the last record and becomes one by counting it. */
  #writeCandidate(field: LocationField, address: Uint8Array, key: Uint8Array): void {
    const bytes = this.#bytes
    const start = this.#size * RECORD
    bytes[start] = FIELDS.indexOf(field)
    for (let i = 0; i < 20; i++) bytes[start + ADDRESS_AT + i] = address[i]!
    const keyStart = start + KEY_AT
    if (key.length === 32) for (let i = 0; i < 32; i++) bytes[keyStart + i] = key[i]!
    else bytes.fill(0, keyStart, keyStart + 32)
  }

  /** The place in the table that the record has, or would get. */
  #place(record: number): number {
    const words = this.#words
    const start = record * RECORD_WORDS
    let hash = 0
    for (let i = 0; i < RECORD_WORDS; i++) {
      hash = Math.imul(hash ^ words[start + i]!, 0x5bd1e995)
      hash ^= hash >>> 15
    }
    const mask = this.#table.length - 1
    let place = hash & mask
    for (;;) {
      const found = this.#table[place]! - 1
      if (found < 0 || found === record || this.#isEqual(found, record)) return place
      place = (place + 1) & mask
    }
  }

  #isEqual(one: number, other: number): boolean {
    const words = this.#words
    for (let i = 0; i < RECORD_WORDS; i++) {
      if (words[one * RECORD_WORDS + i] !== words[other * RECORD_WORDS + i]) return false
    }
    return true
  }

  #grow(): void {
    const capacity = this.#kinds.length * 2
    const bytes = new Uint8Array(RECORD * capacity)
    bytes.set(this.#bytes)
    this.#bytes = bytes
    this.#words = new Int32Array(bytes.buffer)
    const kinds = new Uint8Array(capacity)
    kinds.set(this.#kinds)
    this.#kinds = kinds
    this.#table = new Int32Array(capacity * 2)
    for (let record = 0; record < this.#size; record++) {
      this.#table[this.#place(record)] = record + 1
    }
  }
}
