// What Solidity's ABI and storage layout prescribe for the few calls and mappings of the workloads.
// The authority on call data and on the slots of mapping entries.
// Must not grow into an ABI coder: arguments are one word each, and that is all the contracts take.
import {
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  hexToBytes,
  type PrefixedHexString,
  setLengthLeft,
} from '@ethereumjs/util'

import { keccak_256 } from '@noble/hashes/sha3.js'

/** An address as hex text, a number, or a truth value: everything that fills exactly one word. */
export type Word = PrefixedHexString | bigint | boolean

/** Call data for `signature`, for example `transfer(address,uint256)`. */
export function encodeCall(signature: string, words: readonly Word[]): Uint8Array {
  const selector = keccak_256(new TextEncoder().encode(signature)).subarray(0, 4)
  return concatBytes(selector, ...words.map(toWord))
}

/** The slot of `mapping[key]` for a mapping declared at `slot`. */
export function mappingSlot(slot: bigint, key: Word): bigint {
  return bytesToBigInt(keccak_256(concatBytes(toWord(key), toWord(slot))))
}

export function toWord(value: Word): Uint8Array {
  if (typeof value === 'string') return setLengthLeft(hexToBytes(value), 32)
  return setLengthLeft(bigIntToBytes(BigInt(value)), 32)
}
