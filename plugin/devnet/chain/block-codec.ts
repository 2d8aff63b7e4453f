// Blocks as bytes, for keeping them. The authority on that form; it is read by this version only.
// Transactions are decoded one by one when somebody looks at them, for most never do.

import { deserialize, serialize } from 'node:v8'
import { Block, createBlockHeaderFromRLP } from '@ethereumjs/block'
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx'
import type { ChainRules } from '../chain-rules.ts'
import { bytesOf, type Hex, hexOf } from '../hex.ts'
import { withSender } from '../pool/sign-transaction.ts'
import type { Receipt, SealedBlock, SentTransaction } from './sealed-block.ts'

/** Numbers of all transactions side by side: one object for each would name its fields each time. */
interface StoredBlock {
  readonly header: Uint8Array
  readonly size: number
  readonly transactions: StoredTransactions
  readonly receipts: StoredReceipts
}

interface StoredTransactions {
  /** In a row, and where each ends. */
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
  /** 32 bytes each. */
  readonly hashes: Uint8Array
  /** 20 bytes each. */
  readonly senders: Uint8Array
  /** 1 where it is. */
  readonly isImpersonated: Uint8Array
}

interface StoredReceipts {
  /** 1 where it is. */
  readonly isSuccess: Uint8Array
  readonly gasUsed: BigUint64Array
  readonly effectiveGasPrice: readonly bigint[]
  /** Of those that have any of this, with their places. */
  readonly more: readonly (MoreOfReceipt & { readonly index: number })[]
}

type MoreOfReceipt = Pick<
  Receipt,
  'contractAddress' | 'logs' | 'bloom' | 'blobGasUsed' | 'blobGasPrice'
>

const HASH = 32
const ADDRESS = 20
/** The bloom of no logs (Yellow Paper, section 4.3.1); nobody changes blooms of receipts. */
const NO_BLOOM = new Uint8Array(256)

export function encodeBlock({ header, size, transactions, receipts }: SealedBlock): Uint8Array {
  const stored: StoredBlock = {
    header: header.serialize(),
    size,
    transactions: storeTransactions(transactions),
    receipts: storeReceipts(receipts),
  }
  return serialize(stored)
}

function storeTransactions(transactions: readonly SentTransaction[]): StoredTransactions {
  const count = transactions.length
  const ends = new Uint32Array(count)
  let end = 0
  for (let i = 0; i < count; i++) {
    end += (transactions[i] as SentTransaction).bytes.length
    ends[i] = end
  }
  const stored = {
    bytes: new Uint8Array(end),
    ends,
    hashes: new Uint8Array(count * HASH),
    senders: new Uint8Array(count * ADDRESS),
    isImpersonated: new Uint8Array(count),
  }
  for (const [i, { bytes, hash, sender, isImpersonated }] of transactions.entries()) {
    stored.bytes.set(bytes, (ends[i] as number) - bytes.length)
    stored.hashes.set(bytesOf(hash), i * HASH)
    stored.senders.set(bytesOf(sender), i * ADDRESS)
    stored.isImpersonated[i] = isImpersonated ? 1 : 0
  }
  return stored
}

function storeReceipts(receipts: readonly Receipt[]): StoredReceipts {
  return {
    isSuccess: Uint8Array.from(receipts, ({ isSuccess }) => (isSuccess ? 1 : 0)),
    gasUsed: BigUint64Array.from(receipts, ({ gasUsed }) => gasUsed),
    effectiveGasPrice: receipts.map(({ effectiveGasPrice }) => effectiveGasPrice),
    more: receipts.flatMap(({ contractAddress, logs, bloom, blobGasUsed, blobGasPrice }, index) => {
      const hasMore = contractAddress !== undefined || logs.length > 0 || blobGasUsed !== undefined
      return hasMore ? [{ index, contractAddress, logs, bloom, blobGasUsed, blobGasPrice }] : []
    }),
  }
}

export function decodeBlock(bytes: Uint8Array, rules: ChainRules): SealedBlock {
  const { common } = rules
  const stored = deserialize(bytes) as StoredBlock
  const header = createBlockHeaderFromRLP(stored.header, { common })
  const count = stored.transactions.ends.length
  const transactions = Array.from({ length: count }, (_, index) =>
    sentTransaction(stored.transactions, index, rules),
  )
  let block: Block | undefined
  return {
    header,
    hash: hexOf(header.hash()),
    size: stored.size,
    transactions,
    receipts: receiptsOf(stored.receipts),
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

function receiptsOf({ isSuccess, gasUsed, effectiveGasPrice, more }: StoredReceipts): Receipt[] {
  let cumulativeGasUsed = 0n
  const receipts = Array.from(gasUsed, (gas, index): Receipt => {
    cumulativeGasUsed += gas
    return {
      isSuccess: isSuccess[index] === 1,
      gasUsed: gas,
      cumulativeGasUsed,
      effectiveGasPrice: effectiveGasPrice[index] as bigint,
      contractAddress: undefined,
      logs: [],
      bloom: NO_BLOOM,
      blobGasUsed: undefined,
      blobGasPrice: undefined,
    }
  })
  for (const { index, ...rest } of more) {
    receipts[index] = { ...(receipts[index] as Receipt), ...rest }
  }
  return receipts
}

function sentTransaction(
  { bytes, ends, hashes, senders, isImpersonated }: StoredTransactions,
  index: number,
  rules: ChainRules,
): SentTransaction {
  const own = bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index])
  const from: Hex = hexOf(senders.subarray(index * ADDRESS, (index + 1) * ADDRESS))
  const isMadeUp = isImpersonated[index] === 1
  let decoded: TypedTransaction | undefined
  return {
    bytes: own,
    hash: hexOf(hashes.subarray(index * HASH, (index + 1) * HASH)),
    sender: from,
    isImpersonated: isMadeUp,
    get tx() {
      decoded ??= decode(own, rules, isMadeUp ? from : undefined)
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
