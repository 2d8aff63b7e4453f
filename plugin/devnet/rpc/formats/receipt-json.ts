// Receipts and logs as JSON-RPC shows them, in Hardhat's order of fields.
// The authority on their JSON.

import type { Log, Receipt, SealedBlock, SentTransaction } from '../../chain/sealed-block.ts'
import { type Hex, hexOf, quantity } from '../../hex.ts'

export interface LogJson {
  readonly removed: boolean
  readonly logIndex: Hex
  readonly transactionIndex: Hex
  readonly transactionHash: Hex
  readonly blockHash: Hex
  readonly blockNumber: Hex
  readonly blockTimestamp: Hex
  readonly address: Hex
  readonly data: Hex
  readonly topics: readonly Hex[]
}

export function receiptJson(sealed: SealedBlock, index: number): Record<string, unknown> {
  const { header, hash, transactions, receipts } = sealed
  const { tx, hash: transactionHash, sender } = transactions[index] as SentTransaction
  const receipt = receipts[index] as Receipt
  return {
    blockHash: hash,
    blockNumber: quantity(header.number),
    transactionHash,
    transactionIndex: quantity(index),
    type: quantity(tx.type),
    from: sender,
    to: tx.to?.toString() ?? null,
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    gasUsed: quantity(receipt.gasUsed),
    contractAddress: receipt.contractAddress ?? null,
    logs: logsOfTransaction(sealed, index),
    logsBloom: hexOf(receipt.bloom),
    status: receipt.isSuccess ? '0x1' : '0x0',
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    ...(receipt.blobGasUsed === undefined
      ? {}
      : {
          blobGasUsed: quantity(receipt.blobGasUsed),
          blobGasPrice: quantity(receipt.blobGasPrice ?? 0n),
        }),
  }
}

export function logsOfTransaction(sealed: SealedBlock, index: number): LogJson[] {
  let first = 0
  for (const { logs } of sealed.receipts.slice(0, index)) first += logs.length
  const { logs } = sealed.receipts[index] as Receipt
  return logs.map((log, at) => logJson(sealed, index, first + at, log))
}

/** The logs of a block that `isWanted` lets pass. */
export function logsOfBlock(sealed: SealedBlock, isWanted: (log: Log) => boolean): LogJson[] {
  const found: LogJson[] = []
  let logIndex = 0
  for (const [index, { logs }] of sealed.receipts.entries()) {
    for (const log of logs) {
      if (isWanted(log)) found.push(logJson(sealed, index, logIndex, log))
      logIndex++
    }
  }
  return found
}

function logJson(sealed: SealedBlock, index: number, logIndex: number, log: Log): LogJson {
  return {
    removed: false,
    logIndex: quantity(logIndex),
    transactionIndex: quantity(index),
    transactionHash: (sealed.transactions[index] as SentTransaction).hash,
    blockHash: sealed.hash,
    blockNumber: quantity(sealed.header.number),
    blockTimestamp: quantity(sealed.header.timestamp),
    address: hexOf(log.address),
    data: hexOf(log.data),
    topics: log.topics.map(hexOf),
  }
}
