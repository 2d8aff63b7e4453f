// What transactions offer for gas, whatever their type (EIP-1559).
// The authority on effective prices before a transaction is executed.

import { isBlob4844Tx, type TypedTransaction } from '@ethereumjs/tx'

/** The most that a transaction pays for a unit of gas, in wei. */
export function maxFeePerGas(tx: TypedTransaction): bigint {
  return 'maxFeePerGas' in tx ? tx.maxFeePerGas : tx.gasPrice
}

/** The most of it that goes to the coinbase. */
export function maxPriorityFeePerGas(tx: TypedTransaction): bigint {
  return 'maxPriorityFeePerGas' in tx ? tx.maxPriorityFeePerGas : tx.gasPrice
}

/** What the coinbase gets for a unit of gas; negative where the base fee is not covered. */
export function effectiveTip(tx: TypedTransaction, baseFee: bigint): bigint {
  const left = maxFeePerGas(tx) - baseFee
  const tip = maxPriorityFeePerGas(tx)
  return left < tip ? left : tip
}

/** The most that a transaction can cost its sender, value included. */
export function maxCost(tx: TypedTransaction): bigint {
  const blobs = isBlob4844Tx(tx)
    ? BigInt(tx.numBlobs()) * tx.common.param('blobGasPerBlob') * tx.maxFeePerBlobGas
    : 0n
  return tx.value + tx.gasLimit * maxFeePerGas(tx) + blobs
}
