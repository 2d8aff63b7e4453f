// What the pool has to know of its senders, read from a state.
// The authority on nothing: a state says what it says.

import { createAddressFromString } from '@ethereumjs/util'
import type { FlatState } from '../../../src/index.ts'
import type { Hex } from '../hex.ts'
import type { SenderAccount } from './transaction-pool.ts'

export async function accountOf(sender: Hex, state: FlatState): Promise<SenderAccount> {
  const account = await state.getAccount(createAddressFromString(sender))
  return { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n }
}

/** The nonces of many senders. */
export async function noncesOf(
  senders: readonly Hex[],
  state: FlatState,
): Promise<Map<Hex, bigint>> {
  const nonces = new Map<Hex, bigint>()
  for (const sender of senders) nonces.set(sender, (await accountOf(sender, state)).nonce)
  return nonces
}
