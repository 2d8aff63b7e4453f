// Adds to bloom filters without hashing what was hashed before, in this thread only: contracts log the same
// addresses and topics again and again.
// Authority on nothing: the bits that are set are those of stock's `Bloom.add` (Yellow Paper, 4.3.1). Must
// not be used on the main thread, where stock's blooms are the user's too.

import { Bloom } from '@ethereumjs/vm'

/** Entries that are remembered; what falls on one that is taken takes its place. */
const ENTRIES = 1 << 10
const BLOOM_BYTES = 256
const MASK = 2047
/** Longer ones are none of a log's, and not worth remembering. */
const LONGEST = 32

type Hash = (bytes: Uint8Array) => Uint8Array

interface BloomLike {
  keccakFunction: Hash
  bitvector: Uint8Array
}

/** The bits of entries, by the entries, for one hash function. */
class BitMemo {
  readonly hash: Hash
  readonly #entries: (Uint8Array | undefined)[] = Array.from({ length: ENTRIES })
  readonly #bits = new Uint16Array(3 * ENTRIES)

  constructor(hash: Hash) {
    this.hash = hash
  }

  add(entry: Uint8Array, bitvector: Uint8Array): void {
    const at = placeOf(entry)
    const bits = this.#bits
    if (!isSame(this.#entries[at], entry)) {
      // Of the buffer, wherever in it the hash begins: so stock has it.
      const view = new DataView(this.hash(entry).buffer)
      for (let i = 0; i < 3; i++) bits[3 * at + i] = view.getUint16(2 * i) & MASK
      this.#entries[at] = entry.slice()
    }
    for (let i = 3 * at; i < 3 * at + 3; i++) {
      bitvector[BLOOM_BYTES - 1 - (bits[i] >> 3)] |= 1 << (bits[i] & 7)
    }
  }
}

/** Makes the blooms of this thread faster. Idempotent. */
export function patchBlooms(): void {
  Bloom.prototype.add = fasterAdd(Bloom.prototype.add)
}

/** `add`, with a memory; `stock` for all that is no entry of a log. */
export function fasterAdd(stock: (entry: Uint8Array) => void): (entry: Uint8Array) => void {
  let memo: BitMemo | undefined
  return function add(this: BloomLike, entry: Uint8Array): void {
    if (!(entry instanceof Uint8Array) || entry.length > LONGEST || entry.length < 4) {
      stock.call(this as Bloom, entry)
      return
    }
    if (memo?.hash !== this.keccakFunction) memo = new BitMemo(this.keccakFunction)
    memo.add(entry, this.bitvector)
  } as (entry: Uint8Array) => void
}

function placeOf(entry: Uint8Array): number {
  const end = entry.length
  const ends = (entry[0] << 24) | (entry[1] << 16) | (entry[end - 2] << 8) | entry[end - 1]
  return Math.imul(ends ^ end, 0x9e3779b1) >>> 22
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  if (one === undefined || one.length !== other.length) return false
  for (let i = 0; i < other.length; i++) if (one[i] !== other[i]) return false
  return true
}
