// Facts and bytes for the tests of access prediction: short names for addresses, words and call data.
// Authority on nothing; the hash is noble's, so that the tests do not stand on the memo they check.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { encodeCall, toWord, type Word } from '../../../../plugin/bench/solidity.ts'
import { LocationSet } from '../../../../src/access/location-set.ts'
import type { TransactionFacts } from '../../../../src/access/transaction-facts.ts'

export const keccak = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)

/** The address 0x11..11 for 0x11; distinct bytes give distinct, address-like values. */
export function addressOf(byte: number): Uint8Array {
  return new Uint8Array(20).fill(byte)
}

/** An address argument as hex text. */
export function hexOf(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes).toString('hex')}`
}

export const coinbase = addressOf(0xcb)

export function factsWith(facts: Partial<TransactionFacts> = {}): TransactionFacts {
  return {
    sender: addressOf(0xa1),
    to: addressOf(0xc1),
    value: 0n,
    data: new Uint8Array(0),
    nonce: 0n,
    coinbase,
    ...facts,
  }
}

export function callWith(signature: string, ...words: Word[]): Partial<TransactionFacts> {
  return { data: encodeCall(signature, words) }
}

export { toWord }

/** The slot of `mapping[key]` as bytes. */
export function entryOf(slot: Word | Uint8Array, key: Word | Uint8Array): Uint8Array {
  const bytes = (word: Word | Uint8Array): Uint8Array =>
    word instanceof Uint8Array ? word : toWord(word)
  return keccak_256(Buffer.concat([bytes(key), bytes(slot)]))
}

/** `field address[/key] kind` for each location, sorted: easy to compare and to read. */
export function listed(set: LocationSet): string[] {
  return [...set]
    .map(({ field, address, key, kind }) => {
      const slot = key === undefined ? '' : `/${hexOf(key)}`
      return `${field} ${hexOf(address)}${slot} ${kind}`
    })
    .sort()
}

/** The locations that `fill` reports. */
export function reported(fill: (sink: LocationSet) => void): string[] {
  const set = new LocationSet()
  fill(set)
  return listed(set)
}
