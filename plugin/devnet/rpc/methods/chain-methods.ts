// eth_* methods about blocks, transactions and receipts that are on the chain.
// The authority on their parameters and on null for what is not there.

import { z } from 'zod'
import type { SealedBlock } from '../../chain/sealed-block.ts'
import type { DevnetCore } from '../../core.ts'
import { type Hex, quantity } from '../../hex.ts'
import { findBlock } from '../find-block.ts'
import { blockJson } from '../formats/block-json.ts'
import { receiptJson } from '../formats/receipt-json.ts'
import { minedTransactionJson, pendingTransactionJson } from '../formats/transaction-json.ts'
import { type MethodTable, method } from '../method-table.ts'
import { type BlockId, blockId, blockTag, hash, quantity as quantitySchema } from '../schemas.ts'

const isFull = z.boolean({ invalid_type_error: 'must be true or false' }).nullish()

export const chainMethods: MethodTable = {
  eth_blockNumber: method([], ({ core }) => quantity(core.chain.headNumber)),

  eth_getBlockByNumber: method([blockTag, isFull], async ({ core }, tag, full) => {
    const { sealed, isPending } = (await blockOrPending(core, tag)) ?? {}
    return sealed === undefined
      ? null
      : blockJson(sealed, { isFull: full === true, isPending: isPending === true })
  }),

  eth_getBlockByHash: method([hash, isFull], ({ core }, blockHash, full) => {
    const sealed = core.chain.blockByHash(blockHash)
    return sealed === undefined ? null : blockJson(sealed, { isFull: full === true })
  }),

  eth_getBlockTransactionCountByNumber: method([blockTag], async ({ core }, tag) =>
    countOf((await blockOrPending(core, tag))?.sealed),
  ),
  eth_getBlockTransactionCountByHash: method([hash], ({ core }, blockHash) =>
    countOf(core.chain.blockByHash(blockHash)),
  ),
  eth_getUncleCountByBlockNumber: method([blockTag], ({ core }, tag) =>
    findBlock(core.chain, tag) === undefined ? null : '0x0',
  ),
  eth_getUncleCountByBlockHash: method([hash], ({ core }, blockHash) =>
    core.chain.blockByHash(blockHash) === undefined ? null : '0x0',
  ),

  eth_getTransactionByHash: method([hash], ({ core }, transactionHash) => {
    const place = core.chain.transaction(transactionHash)
    if (place !== undefined) return minedTransactionJson(place.sealed, place.index)
    const pooled = core.pool.get(transactionHash)
    return pooled === undefined ? null : pendingTransactionJson(pooled)
  }),
  eth_getTransactionByBlockHashAndIndex: method(
    [hash, quantitySchema],
    ({ core }, blockHash, index) => transactionAt(core.chain.blockByHash(blockHash), index),
  ),
  eth_getTransactionByBlockNumberAndIndex: method(
    [blockTag, quantitySchema],
    async ({ core }, tag, index) => {
      const { sealed, isPending } = (await blockOrPending(core, tag)) ?? {}
      if (isPending !== true) return transactionAt(sealed, index)
      const sent = sealed?.transactions[Number(index)]
      return sent === undefined ? null : pendingTransactionJson(sent)
    },
  ),

  eth_getTransactionReceipt: method([hash], ({ core }, transactionHash) => {
    const place = core.chain.transaction(transactionHash)
    return place === undefined ? null : receiptJson(place.sealed, place.index)
  }),
  eth_getBlockReceipts: method([blockId], async ({ core }, id) => {
    const { sealed } = (await blockOrPending(core, id)) ?? {}
    return sealed === undefined
      ? null
      : sealed.receipts.map((_, index) => receiptJson(sealed, index))
  }),
}

async function blockOrPending(
  { chain, miner }: DevnetCore,
  id: BlockId,
): Promise<{ sealed: SealedBlock; isPending: boolean } | undefined> {
  const block = findBlock(chain, id)
  if (block === undefined) return undefined
  if (block !== 'pending') return { sealed: block, isPending: false }
  return { sealed: (await miner.pending()).built.sealed, isPending: true }
}

function countOf(sealed: SealedBlock | undefined): Hex | null {
  return sealed === undefined ? null : quantity(sealed.transactions.length)
}

function transactionAt(
  sealed: SealedBlock | undefined,
  index: bigint,
): Record<string, unknown> | null {
  if (sealed === undefined || index >= BigInt(sealed.transactions.length)) return null
  return minedTransactionJson(sealed, Number(index))
}
