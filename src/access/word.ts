// Arithmetic on 32-byte words, most significant byte first, without bigints.
// Authority on how words are compared, added and cut. All of it is modulo 2^256, as in the EVM.

/** Keccak-256 of `bytes`, 32 bytes. It must not keep `bytes`; predictors pass scratch. */
export type Keccak = (bytes: Uint8Array) => Uint8Array

export const WORD = 32
export const ADDRESS = 20

/** Writes `value` (at most 32 bytes) right-aligned into `word`. */
export function copyPadded(word: Uint8Array, value: Uint8Array): void {
  const padding = WORD - value.length
  for (let i = 0; i < padding; i++) word[i] = 0
  for (let i = 0; i < value.length; i++) word[padding + i] = value[i]!
}

/** `value` as a word of its own. */
export function padded(value: Uint8Array): Uint8Array {
  const word = new Uint8Array(WORD)
  copyPadded(word, value)
  return word
}

export function addWords(out: Uint8Array, one: Uint8Array, other: Uint8Array): void {
  let carry = 0
  for (let i = WORD - 1; i >= 0; i--) {
    carry += one[i]! + other[i]!
    out[i] = carry
    carry >>= 8
  }
}

/** `factor`: an integer below 2^16. */
export function scaleWord(out: Uint8Array, word: Uint8Array, factor: number): void {
  let carry = 0
  for (let i = WORD - 1; i >= 0; i--) {
    carry += word[i]! * factor
    out[i] = carry
    carry >>>= 8
  }
}

/** Negative, zero or positive, as `one` is below, equal to or above `other`. Lengths must agree. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  for (let i = 0; i < one.length; i++) {
    const difference = one[i]! - other[i]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Whether `bytes` from `at` on are exactly `other`. */
export function hasBytesAt(bytes: Uint8Array, at: number, other: Uint8Array): boolean {
  if (at + other.length > bytes.length) return false
  for (let i = 0; i < other.length; i++) if (bytes[at + i] !== other[i]) return false
  return true
}

/** Leading zero bytes. */
export function leadingZeros(bytes: Uint8Array): number {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  return zeros
}

/** The word as a number if it is below 2^32, else -1. */
export function smallNumber(word: Uint8Array): number {
  const start = word.length - 4
  for (let i = 0; i < start; i++) if (word[i] !== 0) return -1
  return (
    word[start]! * 0x1000000 +
    ((word[start + 1]! << 16) | (word[start + 2]! << 8) | word[start + 3]!)
  )
}

/** A number of 0..2^32-1 as a word. */
export function wordOf(value: number): Uint8Array {
  const word = new Uint8Array(WORD)
  word[WORD - 4] = value >>> 24
  word[WORD - 3] = value >>> 16
  word[WORD - 2] = value >>> 8
  word[WORD - 1] = value
  return word
}

/** A number of 0..2^256-1 into `word`. */
export function writeBigWord(word: Uint8Array, value: bigint): void {
  let rest = value
  for (let i = WORD - 1; i >= 0; i--) {
    if (rest === 0n) {
      word.fill(0, 0, i + 1)
      return
    }
    word[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
}
