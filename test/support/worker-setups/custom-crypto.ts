// A worker setup module with another hash than keccak-256. The tests' VMs have the same one.
// Authority on the hash, for both sides. It must stay free of side effects on import.
import type { CustomCrypto } from '@ethereumjs/common'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { WorkerSetupResult } from '../../../src/index.ts'

/** Not keccak: the first byte is always 0xab. */
export function oddKeccak256(message: Uint8Array): Uint8Array {
  const hash = keccak_256(message)
  hash[0] = 0xab
  return hash
}

export const customCrypto: CustomCrypto = { keccak256: oddKeccak256 }

// Not asynchronous: both forms are allowed.
export default function setup(): WorkerSetupResult {
  return { customCrypto }
}
