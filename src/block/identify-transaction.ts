// Bytes, hash and sender of a transaction, for whoever pools and keeps many: what stock's methods give, at a
// tenth of the cost. Authority on nothing; what is not stock's own is left to stock's methods.

import type { TypedTransaction } from '@ethereumjs/tx'
import { addressOfPublicKey } from '../crypto/sender-address.ts'
import { transactionBytes } from '../execution/transaction-rlp.ts'
import { loadKeccak } from '../state/keccak.ts'

/** By what others know a signed transaction. */
export interface TransactionIdentity {
  /** The transaction as blocks have it (EIP-2718). */
  readonly bytes: Uint8Array
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** The address, 20 bytes. */
  readonly sender: Uint8Array
}

/** The transaction as blocks have it (EIP-2718), as `tx.serialize()` gives it: a new array each time. */
export function serializeTransaction(tx: TypedTransaction): Uint8Array {
  return transactionBytes(tx)
}

/**
 * Serializes and hashes a signed transaction and finds its sender, which costs little once
 * {@link recoverSenders} has had it. The hash stays where `tx.hash()` looks first.
 * @throws ethereumjs' errors for a transaction that is not signed, or not by anybody
 */
export async function identifyTransaction(tx: TypedTransaction): Promise<TransactionIdentity> {
  const publicKey = tx.getSenderPublicKey()
  const bytes = transactionBytes(tx)
  const keccak = await loadKeccak()
  if (tx.common.customCrypto.keccak256 === undefined && Object.isFrozen(tx) && tx.isSigned()) {
    tx.cache.hash ??= keccak(bytes)
  }
  return { bytes, hash: tx.hash(), sender: addressOfPublicKey(publicKey, keccak) }
}
