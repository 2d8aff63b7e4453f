// Which block a client means by a number, a name or a hash.
// The authority on the names, and on what is said of a block that is not there.

import type { Chain } from '../chain/chain.ts'
import type { SealedBlock } from '../chain/sealed-block.ts'
import { invalidInput } from '../rpc-error.ts'
import type { BlockId } from './schemas.ts'

/** The block, `pending`, or undefined where there is none. */
export function findBlock(
  chain: Chain,
  id: BlockId | null | undefined,
): SealedBlock | 'pending' | undefined {
  if (id === 'pending') return id
  if (id == null || id === 'latest' || id === 'safe' || id === 'finalized') return chain.head
  if (id === 'earliest') return chain.block(0n)
  if (typeof id === 'bigint') return chain.block(id)
  return 'blockHash' in id ? chain.blockByHash(id.blockHash) : chain.block(id.blockNumber)
}

/** @throws RpcError if there is no such block */
export function getBlock(chain: Chain, id: BlockId | null | undefined): SealedBlock | 'pending' {
  const block = findBlock(chain, id)
  if (block !== undefined) return block
  throw invalidInput(
    `Received invalid block tag ${textOf(id)}. Latest block number is ${chain.headNumber}`,
  )
}

function textOf(id: BlockId | null | undefined): string {
  if (typeof id !== 'object' || id === null) return String(id)
  return 'blockHash' in id ? id.blockHash : String(id.blockNumber)
}
