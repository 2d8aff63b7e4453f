// 256-bit words as big-endian bytes, by limbs of 64 bits instead of by hexadecimal text.
// Authority on how the EVM's words are read from and written to memory here; knows no opcode.

const MASK_64 = 0xffff_ffff_ffff_ffffn
const ZERO = 0n
const WORD_BYTES = 32
const scratch = new Uint8Array(WORD_BYTES)
const scratchView = new DataView(scratch.buffer)

/** A view over all of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The 32 bytes at `at`, most significant first, as a number. */
export function readWord(view: DataView, at: number): bigint {
  const low = view.getBigUint64(at + 24)
  if (isZero(view, at) && isZero(view, at + 8)) {
    if (isZero(view, at + 16)) return low
    return (view.getBigUint64(at + 16) << 64n) | low
  }
  const high = (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8)
  return (((high << 64n) | view.getBigUint64(at + 16)) << 64n) | low
}

/** Writes `value` (0..2^256-1) into the 32 bytes at `at`. */
export function writeWord(view: DataView, at: number, value: bigint): void {
  let rest = value
  for (let limb = at + 24; limb >= at; limb -= 8) {
    view.setBigUint64(limb, BigInt.asUintN(64, rest))
    rest = rest > MASK_64 ? rest >> 64n : ZERO
  }
}

/** `value` (0..2^256-1) as 32 bytes of its own. */
export function wordToBytes(value: bigint): Uint8Array {
  writeWord(scratchView, 0, value)
  return scratch.slice()
}

/** At most 32 bytes, as a number. */
export function bytesToWord(bytes: Uint8Array): bigint {
  const missing = WORD_BYTES - bytes.length
  if (missing > 0) scratch.fill(0, 0, missing)
  scratch.set(bytes, missing)
  return readWord(scratchView, 0)
}

/** Numbers below this share their bigints. */
const SMALL_VALUES = 1 << 16
const smallWords: (bigint | undefined)[] = Array.from({ length: SMALL_VALUES })

/** A number in 0..2^53 as a word, without making a new bigint for the frequent ones. */
export function smallWord(value: number): bigint {
  if (value >= SMALL_VALUES) return BigInt(value)
  let known = smallWords[value]
  if (known === undefined) {
    known = BigInt(value)
    smallWords[value] = known
  }
  return known
}

function isZero(view: DataView, at: number): boolean {
  return (view.getInt32(at) | view.getInt32(at + 4)) === 0
}
