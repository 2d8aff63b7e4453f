// How 256-bit numbers, 32-byte values and byte strings are laid out in 32-bit words.
// Authority on byte order in shared memory. Module-level scratch is safe: a thread runs one at a time.

const limbs = new BigUint64Array(4)
const limbWords = new Int32Array(limbs.buffer)
const MASK_64 = 0xffff_ffff_ffff_ffffn

/** Words that a 256-bit value takes. */
export const WORDS_256 = 8

/** Writes a number in 0..2^256-1 as eight words, least significant first. */
export function writeUint256(words: Int32Array, at: number, value: bigint): void {
  limbs[0] = value
  if (value > MASK_64) {
    limbs[1] = value >> 64n
    limbs[2] = value >> 128n
    limbs[3] = value >> 192n
  } else {
    limbs[1] = 0n
    limbs[2] = 0n
    limbs[3] = 0n
  }
  for (let i = 0; i < WORDS_256; i++) words[at + i] = limbWords[i]
}

/** Reads what {@link writeUint256} wrote. */
export function readUint256(words: Int32Array, at: number): bigint {
  let high = 0
  for (let i = 0; i < WORDS_256; i++) {
    const word = words[at + i]
    limbWords[i] = word
    if (i >= 2) high |= word
  }
  if (high === 0) return limbs[0]
  return limbs[0] | (limbs[1] << 64n) | (limbs[2] << 128n) | (limbs[3] << 192n)
}

/** Whether the eight words at `at` hold exactly what `value` encodes to. */
export function equalsUint256(words: Int32Array, at: number, value: bigint): boolean {
  return readUint256(words, at) === value
}

/** Writes a number in 0..2^64-1 as two words. */
export function writeUint64(words: Int32Array, at: number, value: bigint): void {
  limbs[0] = value
  words[at] = limbWords[0]
  words[at + 1] = limbWords[1]
}

/** Reads what {@link writeUint64} wrote. */
export function readUint64(words: Int32Array, at: number): bigint {
  limbWords[0] = words[at]
  limbWords[1] = words[at + 1]
  return limbs[0]
}

/** Word `index` of a byte string, most significant byte first. */
export function wordOfBytes(bytes: Uint8Array, index: number): number {
  const at = index * 4
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}

/** Writes `value` (at most 32 bytes) right-aligned into the 32 bytes of word `at`. */
export function writePadded32(bytes: Uint8Array, at: number, value: Uint8Array): void {
  const start = at * 4
  const padding = 32 - value.length
  for (let i = 0; i < padding; i++) bytes[start + i] = 0
  for (let i = 0; i < value.length; i++) bytes[start + padding + i] = value[i]
}

/** Reads the 32 bytes of word `at` without leading zeros, as a private copy. */
export function readStripped32(bytes: Uint8Array, at: number): Uint8Array {
  const start = at * 4
  let first = 0
  while (first < 32 && bytes[start + first] === 0) first++
  const out = new Uint8Array(32 - first)
  for (let i = 0; i < out.length; i++) out[i] = bytes[start + first + i]
  return out
}

/** Reads `length` bytes from word `at`, as a private copy. */
export function readBytes(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const start = at * 4
  const out = new Uint8Array(length)
  // Making a view of a few bytes takes longer than copying them.
  if (length <= 64) for (let i = 0; i < length; i++) out[i] = bytes[start + i]
  else out.set(bytes.subarray(start, start + length))
  return out
}

/** Words that `length` bytes take. */
export function wordsForBytes(length: number): number {
  return (length + 3) >> 2
}

/** The bytes of `count` words that were made by {@link wordOfBytes}. */
export function bytesOfWords(words: Int32Array, at: number, count: number): Uint8Array {
  const out = new Uint8Array(count * 4)
  for (let i = 0; i < count; i++) {
    const word = words[at + i]
    out[i * 4] = word >>> 24
    out[i * 4 + 1] = word >>> 16
    out[i * 4 + 2] = word >>> 8
    out[i * 4 + 3] = word
  }
  return out
}
