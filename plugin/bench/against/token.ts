// The ERC-20 token that both networks are given: its code, its balances, and calls of it.
// The authority on where it lies. Its code is the benchmark's own contract.
import { keccak_256 } from '@noble/hashes/sha3.js'

import { tokenArtifact } from '../contract-artifacts.ts'

export const CONTRACT_TOKEN = {
  address: `0x${'7e'.repeat(20)}`,
  code: tokenArtifact.runtimeCode,
} as const

/** The first four bytes of the hash of `transfer(address,uint256)`. */
const TRANSFER = 'a9059cbb'
/** Enough for any number of transfers of one unit. */
const HELD = 10n ** 18n

/** Slots and values such that each of these addresses holds enough. */
export function tokenStorage(addresses: readonly string[]): [slot: string, value: string][] {
  const { slot } = tokenArtifact.storage.balanceOf
  return addresses.map((address) => [balanceSlot(address, slot), `0x${word(HELD)}`])
}

/** Data of a call that transfers one unit. */
export function transferOne(to: string): `0x${string}` {
  return `0x${TRANSFER}${word(BigInt(to))}${word(1n)}`
}

export function balanceSlot(address: string, slot: bigint): string {
  const key = Buffer.from(`${word(BigInt(address))}${word(slot)}`, 'hex')
  return `0x${Buffer.from(keccak_256(key)).toString('hex')}`
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0')
}
