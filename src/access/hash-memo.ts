// Remembers the hashes of short preimages: a mapping entry is hashed when it is predicted, again when
// the prediction is checked, and again for the next transaction of the same user.
// Authority on nothing: forgetting costs a hash, never a result.
import type { Keccak } from './word.ts'

/** Bytes; two words are a mapping entry, 85 bytes the address of a CREATE2. */
const LONGEST = 96
const KEY_WORDS = LONGEST / 4
/** A direct-mapped table: about 0.5 MB. A hash costs 1 us, and a look 0.1 us. */
const PLACES = 1 << 12

export class HashMemo {
  /** Callers write the preimage here, from the start, and have it hashed by {@link hash}. */
  readonly scratch = new Uint8Array(256)
  readonly #words = new Int32Array(this.scratch.buffer)
  readonly #keccak: Keccak
  readonly #keys = new Int32Array(PLACES * KEY_WORDS)
  readonly #lengths = new Uint8Array(PLACES)
  readonly #hashes = new Uint8Array(PLACES * 32)

  constructor(keccak: Keccak) {
    this.#keccak = keccak
  }

  /** Writes the hash of the first `length` bytes of the scratch into `out`. */
  hash(length: number, out: Uint8Array): void {
    if (length > LONGEST) {
      copy32(out, this.#keccak(this.scratch.subarray(0, length)), 0)
      return
    }
    const words = this.#words
    const used = (length + 3) >> 2
    for (let i = length; i < used * 4; i++) this.scratch[i] = 0
    let mixed = length
    for (let i = 0; i < used; i++) {
      mixed = Math.imul(mixed ^ words[i]!, 0x5bd1e995)
      mixed ^= mixed >>> 15
    }
    const place = mixed & (PLACES - 1)
    const keyAt = place * KEY_WORDS
    if (this.#lengths[place] === length) {
      let i = 0
      while (i < used && this.#keys[keyAt + i] === words[i]) i++
      if (i === used) {
        copy32(out, this.#hashes, place * 32)
        return
      }
    }
    copy32(out, this.#keccak(this.scratch.subarray(0, length)), 0)
    this.#lengths[place] = length
    for (let i = 0; i < used; i++) this.#keys[keyAt + i] = words[i]!
    for (let i = 0; i < 32; i++) this.#hashes[place * 32 + i] = out[i]!
  }
}

function copy32(out: Uint8Array, from: Uint8Array, at: number): void {
  for (let i = 0; i < 32; i++) out[i] = from[at + i]!
}
