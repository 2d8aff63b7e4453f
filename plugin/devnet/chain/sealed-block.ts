// What a chain keeps of a block: the block itself, who sent its transactions, and what came of them.
// The authority on these shapes; plain data, parts of which may be made when they are first asked for.
// Must not know how they are stored or shown.

import { Block, type BlockHeader } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { type Hex, hexOf } from '../hex.ts'

/** A transaction that is signed, or sent for somebody who is impersonated. */
export interface SentTransaction {
  readonly tx: TypedTransaction
  /** As blocks have it (EIP-2718). */
  readonly bytes: Uint8Array
  readonly hash: Hex
  /** In lower case. */
  readonly sender: Hex
  /** Its signature is made up: the sender is not what one would recover from it. */
  readonly isImpersonated: boolean
}

export interface Log {
  readonly address: Uint8Array
  readonly topics: readonly Uint8Array[]
  readonly data: Uint8Array
}

export interface Receipt {
  readonly isSuccess: boolean
  readonly gasUsed: bigint
  readonly cumulativeGasUsed: bigint
  /** Wei that the sender paid for each gas. */
  readonly effectiveGasPrice: bigint
  readonly contractAddress: Hex | undefined
  readonly logs: readonly Log[]
  readonly bloom: Uint8Array
  readonly blobGasUsed: bigint | undefined
  readonly blobGasPrice: bigint | undefined
}

export interface SealedBlock {
  readonly header: BlockHeader
  readonly hash: Hex
  /** Bytes of the whole block in RLP. */
  readonly size: number
  /** The block with its transactions; a stored one is decoded for it, so ask for the header where it does. */
  readonly block: Block
  /** As many as the block has, in its order. */
  readonly transactions: readonly SentTransaction[]
  readonly receipts: readonly Receipt[]
}

export function sealBlock(
  block: Block,
  transactions: readonly SentTransaction[],
  receipts: readonly Receipt[],
): SealedBlock {
  const { header } = block
  let size: number | undefined
  return {
    header,
    hash: hexOf(block.hash()),
    block: withOwnSenders(block, transactions),
    transactions,
    receipts,
    get size() {
      size ??= sizeOf(block, transactions)
      return size
    },
  }
}

/** Bytes of the block in RLP. Blocks here have no uncles, and none or no withdrawals. */
function sizeOf({ header, withdrawals }: Block, transactions: readonly SentTransaction[]): number {
  let inner = 0
  for (const { bytes } of transactions) {
    // Lists stand in a block as they are, typed transactions as strings.
    const isList = (bytes[0] as number) >= 0xc0
    inner += bytes.length + (isList ? 0 : headerOf(bytes.length))
  }
  const empty = withdrawals === undefined ? 1 : 2
  const whole = header.serialize().length + inner + headerOf(inner) + empty
  return whole + headerOf(whole)
}

/** Bytes that RLP puts before so many of a list, or of a string of more than one. */
function headerOf(length: number): number {
  let bytes = 1
  if (length > 55) for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes++
  return bytes
}

/** Whoever builds a block makes its transactions anew, and those recover senders from made-up signatures. */
function withOwnSenders(block: Block, transactions: readonly SentTransaction[]): Block {
  if (!transactions.some(({ isImpersonated }) => isImpersonated)) return block
  const { header, uncleHeaders, withdrawals, common } = block
  const own = transactions.map(({ tx }) => tx)
  return new Block(header, own, uncleHeaders, withdrawals, { common })
}
