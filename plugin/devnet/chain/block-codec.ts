// Blocks as bytes, for keeping them. The authority on that form; it is read by this version only.
// Transactions are decoded one by one when somebody looks at them, for most never do.

import { deserialize, serialize } from 'node:v8'
import { Block, createBlockHeaderFromRLP } from '@ethereumjs/block'
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx'
import type { ChainRules } from '../chain-rules.ts'
import { bytesOf, type Hex, hexOf } from '../hex.ts'
import { withSender } from '../pool/sign-transaction.ts'
import type { Receipt, SealedBlock, SentTransaction } from './sealed-block.ts'

interface StoredTransaction {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly sender: Uint8Array
  readonly isImpersonated: boolean
}

interface StoredBlock {
  readonly header: Uint8Array
  readonly size: number
  readonly transactions: readonly StoredTransaction[]
  readonly receipts: readonly Receipt[]
}

export function encodeBlock({ header, size, transactions, receipts }: SealedBlock): Uint8Array {
  const stored: StoredBlock = {
    header: header.serialize(),
    size,
    transactions: transactions.map(({ bytes, hash, sender, isImpersonated }) => ({
      bytes,
      hash: bytesOf(hash),
      sender: bytesOf(sender),
      isImpersonated,
    })),
    // Views of larger arrays would be written with all of them.
    receipts,
  }
  return serialize(stored)
}

export function decodeBlock(bytes: Uint8Array, rules: ChainRules): SealedBlock {
  const { common } = rules
  const stored = deserialize(bytes) as StoredBlock
  const header = createBlockHeaderFromRLP(stored.header, { common })
  const transactions = stored.transactions.map((it) => decodeTransaction(it, rules))
  let block: Block | undefined
  return {
    header,
    hash: hexOf(header.hash()),
    size: stored.size,
    transactions,
    receipts: stored.receipts,
    get block() {
      const withdrawals = common.isActivatedEIP(4895) ? [] : undefined
      block ??= new Block(
        header,
        transactions.map(({ tx }) => tx),
        [],
        withdrawals,
        { common },
      )
      return block
    },
  }
}

function decodeTransaction(
  { bytes, hash, sender, isImpersonated }: StoredTransaction,
  rules: ChainRules,
): SentTransaction {
  const from: Hex = hexOf(sender)
  let decoded: TypedTransaction | undefined
  return {
    bytes,
    hash: hexOf(hash),
    sender: from,
    isImpersonated,
    get tx() {
      decoded ??= decode(bytes, rules, isImpersonated ? from : undefined)
      return decoded
    },
  }
}

function decode(bytes: Uint8Array, rules: ChainRules, sender: Hex | undefined): TypedTransaction {
  const tx = createTxFromRLP(bytes, {
    common: rules.common,
    allowUnlimitedInitCodeSize: rules.allowUnlimitedContractSize,
  }) as TypedTransaction
  return sender === undefined ? tx : withSender(rules, tx, sender)
}
