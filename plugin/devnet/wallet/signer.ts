// Signs 32-byte hashes on secp256k1 with the package of that name: natively where its addon loads, else in
// JavaScript. The authority on the form of a signature. Deterministic (RFC 6979), s in the lower half.

import { createRequire } from 'node:module'
import { hexOf } from '../hex.ts'

export interface Signature {
  readonly r: bigint
  readonly s: bigint
  readonly yParity: 0 | 1
}

interface Secp256k1 {
  ecdsaSign(hash: Uint8Array, key: Uint8Array): { signature: Uint8Array; recid: number }
}

let library: Secp256k1 | undefined

export function signHash(hash: Uint8Array, privateKey: Uint8Array): Signature {
  library ??= createRequire(import.meta.url)('secp256k1') as Secp256k1
  const { signature, recid } = library.ecdsaSign(hash, privateKey)
  return {
    r: BigInt(hexOf(signature.subarray(0, 32))),
    s: BigInt(hexOf(signature.subarray(32))),
    yParity: recid as 0 | 1,
  }
}
