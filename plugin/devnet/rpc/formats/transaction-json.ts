// Transactions as JSON-RPC shows them, in Hardhat's order of fields.
// The authority on a transaction's JSON; where it lies in the chain is told by whoever asks.

import { isBlob4844Tx, isLegacyTx, type TypedTransaction } from '@ethereumjs/tx'
import type { EOACode7702AuthorizationListItem } from '@ethereumjs/util'
import type { SealedBlock, SentTransaction } from '../../chain/sealed-block.ts'
import { type Hex, hexOf, quantity } from '../../hex.ts'
import { effectiveTip, maxFeePerGas } from '../../pool/fees.ts'

/** A transaction of a block. */
export function minedTransactionJson(
  { header, hash, transactions }: SealedBlock,
  index: number,
): Record<string, unknown> {
  const sent = transactions[index] as SentTransaction
  const baseFee = header.baseFeePerGas ?? 0n
  return transactionJson(sent, {
    blockHash: hash,
    blockNumber: quantity(header.number),
    transactionIndex: quantity(index),
    gasPrice: quantity(baseFee + effectiveTip(sent.tx, baseFee)),
  })
}

/** One that waits in the pool. */
export function pendingTransactionJson(sent: SentTransaction): Record<string, unknown> {
  return transactionJson(sent, {
    blockHash: null,
    blockNumber: null,
    transactionIndex: null,
    gasPrice: quantity(maxFeePerGas(sent.tx)),
  })
}

interface Place {
  readonly blockHash: string | null
  readonly blockNumber: string | null
  readonly transactionIndex: string | null
  readonly gasPrice: string
}

function transactionJson(sent: SentTransaction, place: Place): Record<string, unknown> {
  const { tx, hash, sender } = sent
  const { gasPrice, ...where } = place
  return {
    hash,
    nonce: quantity(tx.nonce),
    ...where,
    from: sender,
    to: tx.to?.toString() ?? null,
    value: quantity(tx.value),
    gasPrice,
    gas: quantity(tx.gasLimit),
    input: hexOf(tx.data),
    ...chainIdOf(tx),
    type: quantity(tx.type),
    ...typeFields(tx),
    v: quantity(tx.v ?? 0n),
    ...(isLegacyTx(tx) ? {} : { yParity: quantity(tx.v ?? 0n) }),
    r: quantity(tx.r ?? 0n),
    s: quantity(tx.s ?? 0n),
  }
}

function chainIdOf(tx: TypedTransaction): Record<string, unknown> {
  if (!isLegacyTx(tx)) return { chainId: quantity(tx.common.chainId()) }
  const v = tx.v ?? 0n
  return v >= 35n ? { chainId: quantity((v - 35n) / 2n) } : {}
}

function typeFields(tx: TypedTransaction): Record<string, unknown> {
  if (isLegacyTx(tx)) return {}
  const json = tx.toJSON()
  const fields: Record<string, unknown> = { accessList: json.accessList ?? [] }
  if ('maxFeePerGas' in tx) {
    fields.maxFeePerGas = quantity(tx.maxFeePerGas)
    fields.maxPriorityFeePerGas = quantity(tx.maxPriorityFeePerGas)
  }
  if (isBlob4844Tx(tx)) {
    fields.maxFeePerBlobGas = quantity(tx.maxFeePerBlobGas)
    fields.blobVersionedHashes = tx.blobVersionedHashes
  }
  if (json.authorizationList !== undefined) {
    fields.authorizationList = json.authorizationList.map(authorizationJson)
  }
  return fields
}

/** ethereumjs writes the bytes, of which a zero has none. */
function authorizationJson(item: EOACode7702AuthorizationListItem): Record<string, unknown> {
  const { address, ...numbers } = item
  const quantities = Object.entries<Hex>(numbers).map(([name, bytes]) => [
    name,
    quantity(bytes === '0x' ? 0n : BigInt(bytes)),
  ])
  return { address, ...Object.fromEntries(quantities) }
}
