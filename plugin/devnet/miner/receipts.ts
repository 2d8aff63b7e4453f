// Makes receipts of what ethereumjs says about an executed transaction.
// The authority on a receipt's fields other than its place in the chain.

import { isBlob4844Tx } from '@ethereumjs/tx'
import type { RunTxResult } from '@ethereumjs/vm'
import type { Receipt, SentTransaction } from '../chain/sealed-block.ts'
import type { Hex } from '../hex.ts'
import { effectiveTip } from '../pool/fees.ts'

export interface ReceiptContext {
  readonly baseFeePerGas: bigint
  readonly blobGasPrice: bigint | undefined
}

export function receiptOf(
  { tx }: SentTransaction,
  result: RunTxResult,
  { baseFeePerGas, blobGasPrice }: ReceiptContext,
): Receipt {
  const { execResult, createdAddress, totalGasSpent, receipt } = result
  const isSuccess = execResult.exceptionError === undefined
  const hasBlobs = isBlob4844Tx(tx)
  return {
    isSuccess,
    gasUsed: totalGasSpent,
    cumulativeGasUsed: receipt.cumulativeBlockGasUsed,
    effectiveGasPrice: baseFeePerGas + effectiveTip(tx, baseFeePerGas),
    // Of a creation that failed Hardhat's network names none either.
    contractAddress:
      tx.to === undefined && isSuccess
        ? (createdAddress?.toString() as Hex | undefined)
        : undefined,
    logs: receipt.logs.map(([address, topics, data]) => ({ address, topics, data })),
    bloom: receipt.bitvector,
    blobGasUsed: hasBlobs ? (result.blobGasUsed ?? 0n) : undefined,
    blobGasPrice: hasBlobs ? blobGasPrice : undefined,
  }
}
