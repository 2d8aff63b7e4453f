// A hash of a number and bytes under a random key: who does not know the key cannot choose inputs that
// collide. Authority on the hashes of all tables
// in shared memory. It must not be taken for a cryptographic one: who
// sees hashes can find the key.
//
// Multilinear hashing: sums of the input's 16-bit halves of words, each times a random word, modulo 2^32.
// The upper half of such a sum is strongly universal: any two inputs collide in it under one key of 2^16.
// Two sums give 32 bits. Source: Lemire and Kaser, "Strongly universal string hashing is fast" (2014).

/** Most bytes that are hashed with a number. */
const MOST_BYTES = 32
const UPPER_HALF = 0xffff_0000
/** For both sums where they start, then a word for each half of the number, and for each two bytes. */
const KEY_WORDS = 2 + 4 + MOST_BYTES

export type HashKey = Int32Array

/** The hash of `number` and an even number of bytes, at most 32. */
export function keyedHash(key: HashKey, number: number, bytes: Uint8Array): number {
  const low = number & 0xffff
  const high = number >>> 16
  let upper = (key[0] + Math.imul(low, key[2]) + Math.imul(high, key[3])) | 0
  let lower = (key[1] + Math.imul(low, key[4]) + Math.imul(high, key[5])) | 0
  for (let i = 0; i < bytes.length; i += 2) {
    const half = (bytes[i] << 8) | bytes[i + 1]
    upper = (upper + Math.imul(half, key[6 + i])) | 0
    lower = (lower + Math.imul(half, key[7 + i])) | 0
  }
  return (upper & UPPER_HALF) | (lower >>> 16)
}

/** The hash of `number` and `count` words of `words` from `at` on, at most 8. */
export function keyedHashOfWords(
  key: HashKey,
  number: number,
  words: Int32Array,
  at: number,
  count: number,
): number {
  const low = number & 0xffff
  const high = number >>> 16
  let upper = (key[0] + Math.imul(low, key[2]) + Math.imul(high, key[3])) | 0
  let lower = (key[1] + Math.imul(low, key[4]) + Math.imul(high, key[5])) | 0
  for (let i = 0; i < count; i++) {
    const word = words[at + i]
    const wordLow = word & 0xffff
    const wordHigh = word >>> 16
    const k = 6 + 4 * i
    upper = (upper + Math.imul(wordLow, key[k]) + Math.imul(wordHigh, key[k + 2])) | 0
    lower = (lower + Math.imul(wordLow, key[k + 1]) + Math.imul(wordHigh, key[k + 3])) | 0
  }
  return (upper & UPPER_HALF) | (lower >>> 16)
}

/** The key of a seed of 32 bits: the same in every thread. */
export function hashKey(seed: number): HashKey {
  let state = seed | 0
  return Int32Array.from({ length: KEY_WORDS }, () => {
    state = (state + 0x9e3779b9) | 0
    return scramble(scramble(state) ^ seed)
  })
}

/** A permutation of 32-bit words: each bit of the argument changes about half of the result's. */
function scramble(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
