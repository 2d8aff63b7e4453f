// The people of the generated workloads: funded senders with keys, and addresses without.
// The authority on who number i of a seed is; the same numbers mean the same people everywhere.
// Must not be given value anywhere else: whoever knows the seed knows the keys.
import { bytesToHex, createAddressFromPrivateKey, type PrefixedHexString } from '@ethereumjs/util'

import { bytesOf } from './random.ts'

export interface Sender {
  readonly address: PrefixedHexString
  readonly privateKey: Uint8Array
}

export interface Accounts {
  /** Sender number `index`, whose key is known. */
  sender(index: number): Sender
  /** Derives the senders below `count` one by one, so that a caller can pause in between. */
  derive(count: number): Iterable<Sender>
  /** An address of a kind ("recipient", "pool", ...) that nobody has a key to. */
  address(kind: string, index: number): PrefixedHexString
}

export function createAccounts(seed: number): Accounts {
  const senders: Sender[] = []
  function sender(index: number): Sender {
    // Deriving an address costs a point multiplication: each is derived once for all workloads.
    senders[index] ??= deriveSender(`parallel-bench ${seed} sender ${index}`)
    return senders[index]
  }
  return {
    sender,
    *derive(count) {
      for (let index = 0; index < count; index++) yield sender(index)
    },
    address(kind, index) {
      return bytesToHex(bytesOf(`parallel-bench ${seed} ${kind} ${index}`).subarray(12))
    },
  }
}

function deriveSender(seed: string): Sender {
  const privateKey = bytesOf(seed)
  return { privateKey, address: createAddressFromPrivateKey(privateKey).toString() }
}
