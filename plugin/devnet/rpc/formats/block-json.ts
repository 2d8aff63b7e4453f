// Blocks as JSON-RPC shows them, in Hardhat's order of fields.
// The authority on a block's JSON, that of a pending block included.

import type { BlockHeader } from '@ethereumjs/block'
import type { SealedBlock } from '../../chain/sealed-block.ts'
import { hexOf, quantity } from '../../hex.ts'
import { minedTransactionJson, pendingTransactionJson } from './transaction-json.ts'

export interface BlockJsonOptions {
  /** Whole transactions instead of hashes. */
  readonly isFull: boolean
  readonly isPending?: boolean
}

export function blockJson(
  sealed: SealedBlock,
  { isFull, isPending = false }: BlockJsonOptions,
): Record<string, unknown> {
  const { header, hash, size, transactions } = sealed
  const shown = transactions.map((sent, index) => {
    if (!isFull) return sent.hash
    return isPending ? pendingTransactionJson(sent) : minedTransactionJson(sealed, index)
  })
  return {
    hash,
    parentHash: hexOf(header.parentHash),
    sha3Uncles: hexOf(header.uncleHash),
    stateRoot: hexOf(header.stateRoot),
    transactionsRoot: hexOf(header.transactionsTrie),
    receiptsRoot: hexOf(header.receiptTrie),
    number: isPending ? null : quantity(header.number),
    gasUsed: quantity(header.gasUsed),
    gasLimit: quantity(header.gasLimit),
    extraData: hexOf(header.extraData),
    logsBloom: hexOf(header.logsBloom),
    timestamp: quantity(header.timestamp),
    difficulty: quantity(header.difficulty),
    totalDifficulty: '0x0',
    uncles: [],
    transactions: shown,
    size: quantity(size),
    mixHash: isPending ? null : hexOf(header.mixHash),
    nonce: isPending ? null : hexOf(header.nonce),
    miner: header.coinbase.toString(),
    ...laterFields(header),
    ...(header.withdrawalsRoot === undefined ? {} : { withdrawals: [] }),
  }
}

/** A header as `newHeads` tells it. */
export function headJson({ header, hash }: SealedBlock): Record<string, unknown> {
  return {
    hash,
    parentHash: hexOf(header.parentHash),
    sha3Uncles: hexOf(header.uncleHash),
    miner: header.coinbase.toString(),
    stateRoot: hexOf(header.stateRoot),
    transactionsRoot: hexOf(header.transactionsTrie),
    receiptsRoot: hexOf(header.receiptTrie),
    logsBloom: hexOf(header.logsBloom),
    difficulty: quantity(header.difficulty),
    number: quantity(header.number),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: hexOf(header.extraData),
    mixHash: hexOf(header.mixHash),
    nonce: hexOf(header.nonce),
    ...laterFields(header),
  }
}

/** Fields that hardforks have added. */
function laterFields(header: BlockHeader): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (header.baseFeePerGas !== undefined) fields.baseFeePerGas = quantity(header.baseFeePerGas)
  if (header.withdrawalsRoot !== undefined) fields.withdrawalsRoot = hexOf(header.withdrawalsRoot)
  if (header.blobGasUsed !== undefined) fields.blobGasUsed = quantity(header.blobGasUsed)
  if (header.excessBlobGas !== undefined) fields.excessBlobGas = quantity(header.excessBlobGas)
  if (header.parentBeaconBlockRoot !== undefined) {
    fields.parentBeaconBlockRoot = hexOf(header.parentBeaconBlockRoot)
  }
  if (header.requestsHash !== undefined) fields.requestsHash = hexOf(header.requestsHash)
  return fields
}
