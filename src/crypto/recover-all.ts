// Recovers many public keys at once, as one piece of work for one thread. Authority on the form of the
// answer: keys in the order of the signatures, and which of them were not found.

import { PACKED_SIGNATURE, recoverPacked } from './ecrecover.ts'
import type { RecoverKey } from './secp256k1.ts'

/** Bytes of a public key. */
export const PUBLIC_KEY = 64

/** The keys of packed signatures in a row; read them by {@link keyAt}. */
export function recoverAll(recover: RecoverKey, signatures: Uint8Array): Uint8Array {
  const count = signatures.length / PACKED_SIGNATURE
  const keys = new Uint8Array(count * PUBLIC_KEY)
  for (let index = 0; index < count; index++) {
    const at = index * PACKED_SIGNATURE
    const key = recoverPacked(recover, signatures.subarray(at, at + PACKED_SIGNATURE))
    if (key !== undefined) keys.set(key, index * PUBLIC_KEY)
  }
  return keys
}

/** A copy of key `index` of what {@link recoverAll} returned; undefined if it was not found. */
export function keyAt(keys: Uint8Array, index: number): Uint8Array | undefined {
  const key = keys.slice(index * PUBLIC_KEY, (index + 1) * PUBLIC_KEY)
  // The point (0, 0) is not on the curve.
  return key.some((byte) => byte !== 0) ? key : undefined
}
