// A worker setup module with a hash that differs from keccak-256 for a few messages: those that no
// Merkle trie hashes, since stock's tries work with keccak only. The tests' VMs have the same hash.
// Authority on the hash, for both sides. It must stay free of side effects on import.
import type { CustomCrypto } from '@ethereumjs/common'
import { keccak_256, sha3_256 } from '@noble/hashes/sha3.js'
import type { WorkerSetupResult } from '../../../src/index.ts'

/** Another hash for 33 bytes that start with 1: no node, key, or code of the tests does. */
export function almostKeccak256(message: Uint8Array): Uint8Array {
  return message.length === 33 && message[0] === 1 ? sha3_256(message) : keccak_256(message)
}

export const customCrypto: CustomCrypto = { keccak256: almostKeccak256 }

// Not asynchronous: both forms are allowed.
export default function setup(): WorkerSetupResult {
  return { customCrypto }
}
