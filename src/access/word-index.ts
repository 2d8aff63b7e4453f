// Finds where a word was seen: among the hashes of an execution, and among the values it has read.
// Authority on nothing but finding; what a find means is decided in word-origin.ts.
import type { Expression } from './expression.ts'
import type { ObservedHash } from './observation.ts'
import { compareBytes, hasBytesAt, leadingZeros, smallNumber, WORD } from './word.ts'

/** A hash with a small number added to it. */
export interface NearHash {
  readonly hash: Uint8Array
  readonly preimage: Uint8Array
  readonly distance: number
}

/** Where the six bytes end by which neighbours of a word are found. */
const HEAD = 8

/** Six bytes as a number, the last ones by default: enough to find by; the finder compares the rest. */
function tail(bytes: Uint8Array, end = bytes.length): number {
  return (
    (bytes[end - 6]! * 256 + bytes[end - 5]!) * 0x100000000 +
    bytes[end - 4]! * 0x1000000 +
    ((bytes[end - 3]! << 16) | (bytes[end - 2]! << 8) | bytes[end - 1]!)
  )
}

/** Hashes that are looked at: programs that compute more are not computing keys. */
const MOST_HASHES = 4096

export class HashIndex {
  readonly #byTail = new Map<number, ObservedHash>()
  readonly #byHead = new Map<number, ObservedHash>()

  constructor(hashes: readonly ObservedHash[]) {
    for (const each of hashes.slice(0, MOST_HASHES)) {
      if (each.hash.length !== WORD) continue
      this.#byTail.set(tail(each.hash), each)
      this.#byHead.set(tail(each.hash, HEAD), each)
    }
  }

  /** The preimage of a hash, or of a hash whose last 20 bytes these are. */
  preimageOf(bytes: Uint8Array): Uint8Array | undefined {
    const found = this.#byTail.get(tail(bytes))
    if (found === undefined || !hasBytesAt(found.hash, WORD - bytes.length, bytes)) return undefined
    return found.preimage
  }

  /** The hash that `word` lies just above, if there is one: a field or an element behind it. */
  below(word: Uint8Array): NearHash | undefined {
    const found = this.#byHead.get(tail(word, HEAD))
    if (found === undefined) return undefined
    const distance = distanceAbove(found.hash, word)
    return distance > 0 ? { ...found, distance } : undefined
  }
}

/**
 * How far `word` lies above `base`, or -1 if that is 2^32 or more, or less than nothing. That the
 * lower four bytes of a hash pass into the upper ones is too rare to be looked for.
 */
export function distanceAbove(base: Uint8Array, word: Uint8Array): number {
  for (let i = 0; i < WORD - 4; i++) if (base[i] !== word[i]) return -1
  return smallNumber(word.subarray(WORD - 4)) - smallNumber(base.subarray(WORD - 4))
}

interface Held {
  readonly value: Uint8Array
  readonly load: Expression
  readonly skip: number
}

const ADDRESS_SIZE = 20
/** Bytes of the numbers that are looked for in packed slots. */
export const NUMBER_SIZE = 4
/** Smaller ones are found everywhere. */
const LEAST_PACKED = 1024
/** Vanity addresses have some zeros in front; a number in an address's place has many. */
const MOST_LEADING_ZEROS = 6

/** The values of slots that were read so far, found by what they hold. */
export class LoadIndex {
  readonly #words = new Map<number, Held>()
  readonly #addresses = new Map<number, Held>()
  readonly #numbers = new Map<number, Expression>()
  readonly #packedNumbers = new Map<number, { readonly load: Expression; readonly skip: number }>()

  /** Adds a slot's value, 32 bytes. The earliest slot that holds a word is the one found. */
  add(value: Uint8Array, load: Expression): void {
    const small = smallNumber(value)
    if (small === 0) return
    if (small > 0) {
      if (!this.#numbers.has(small)) this.#numbers.set(small, load)
      return
    }
    addOnce(this.#words, tail(value), { value, load, skip: 0 })
    for (let skip = WORD - NUMBER_SIZE; skip >= 0; skip--) {
      const number = smallNumber(value.subarray(skip, skip + NUMBER_SIZE))
      if (number >= LEAST_PACKED) addOnce(this.#packedNumbers, number, { load, skip })
    }
    // Addresses are mostly in the low bytes.
    for (let skip = WORD - ADDRESS_SIZE; skip >= 0; skip--) {
      const piece = value.subarray(skip, skip + ADDRESS_SIZE)
      if (leadingZeros(piece) > MOST_LEADING_ZEROS) continue
      addOnce(this.#addresses, tail(piece), { value: piece, load, skip })
    }
  }

  /** The slot whose value is `word`. */
  word(word: Uint8Array): Expression | undefined {
    const found = this.#words.get(tail(word))
    if (found === undefined || compareBytes(found.value, word) !== 0) return undefined
    return found.load
  }

  /** The slot that holds an address, packed or not, and at which byte it starts. */
  address(address: Uint8Array): { load: Expression; skip: number } | undefined {
    const found = this.#addresses.get(tail(address))
    if (found === undefined || compareBytes(found.value, address) !== 0) return undefined
    return found
  }

  /** Where in which slot a number of 1024..2^32-1 is packed. */
  packedNumber(number: number): { readonly load: Expression; readonly skip: number } | undefined {
    return this.#packedNumbers.get(number)
  }

  /** The slot whose value is a number of 1..2^32-1. */
  number(number: number): Expression | undefined {
    return this.#numbers.get(number)
  }
}

function addOnce<Found>(map: Map<number, Found>, key: number, held: Found): void {
  if (!map.has(key)) map.set(key, held)
}
