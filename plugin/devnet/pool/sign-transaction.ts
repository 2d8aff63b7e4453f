// Transactions of a devnet's own accounts, signed; and of impersonated ones, as if they were.
// The authority on made-up signatures: no key gives them, and two senders never get the same hash.

import { createTx, isLegacyTx, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import { createAddressFromString } from '@ethereumjs/util'
import { serializeTransaction } from '../../../src/index.ts'
import type { SentTransaction } from '../chain/sealed-block.ts'
import type { ChainRules } from '../chain-rules.ts'
import { type Hex, hexOf } from '../hex.ts'
import type { LocalAccount } from '../wallet/local-accounts.ts'
import { signHash } from '../wallet/signer.ts'

export function signTransaction(
  rules: ChainRules,
  data: TypedTxData,
  account: LocalAccount,
): SentTransaction {
  const unsigned = makeTransaction(rules, data)
  const { r, s, yParity } = signHash(unsigned.getHashedMessageToSign(), account.privateKey)
  const tx = addSignature(unsigned, yParity, r, s)
  tx.cache.senderPubKey = account.publicKey
  const bytes = serializeTransaction(tx)
  return { tx, bytes, hash: hexOf(tx.hash()), sender: account.address, isImpersonated: false }
}

export function impersonatedTransaction(
  rules: ChainRules,
  data: TypedTxData,
  sender: Hex,
): SentTransaction {
  // r holds the sender, so that the same transaction of another one has another hash.
  const tx = withSender(
    rules,
    addSignature(makeTransaction(rules, data), 0, BigInt(sender), 1n),
    sender,
  )
  const bytes = serializeTransaction(tx)
  return { tx, bytes, hash: hexOf(tx.hash()), sender, isImpersonated: true }
}

/** The same transaction with a sender of its own, which no signature says. */
export function withSender(rules: ChainRules, tx: TypedTransaction, sender: Hex): TypedTransaction {
  const { common, allowUnlimitedContractSize } = rules
  const thawed = createTx(tx as TypedTxData, {
    common,
    freeze: false,
    allowUnlimitedInitCodeSize: allowUnlimitedContractSize,
  })
  const address = createAddressFromString(sender)
  Object.defineProperty(thawed, 'getSenderAddress', { value: () => address, enumerable: false })
  return Object.freeze(thawed) as TypedTransaction
}

export function makeTransaction(rules: ChainRules, data: TypedTxData): TypedTransaction {
  const { common, allowUnlimitedContractSize } = rules
  return createTx(data, { common, allowUnlimitedInitCodeSize: allowUnlimitedContractSize })
}

function addSignature(
  tx: TypedTransaction,
  yParity: 0 | 1,
  r: bigint,
  s: bigint,
): TypedTransaction {
  // Legacy transactions have the chain in v (EIP-155).
  if (isLegacyTx(tx)) return tx.addSignature(BigInt(yParity), r, s, true)
  return tx.addSignature(BigInt(yParity), r, s)
}
