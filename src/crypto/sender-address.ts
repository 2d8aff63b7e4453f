// The address that a public key stands for (Yellow Paper, section F). Authority on nothing but speed:
// keys that are none are ethereumjs' matter.

import { publicToAddress } from '@ethereumjs/util'

/** The 20 bytes that ethereumjs' `publicToAddress` gives. `keccak` must be keccak-256. */
export function addressOfPublicKey(
  publicKey: Uint8Array,
  keccak: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  return publicKey instanceof Uint8Array && publicKey.length === 64
    ? keccak(publicKey).subarray(12)
    : publicToAddress(publicKey)
}
