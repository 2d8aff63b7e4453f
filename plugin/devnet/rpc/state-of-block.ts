// The block and the state that a client's question is about.
// The authority on what "pending" means for reads: the block that would be mined now, on top of the head.

import type { FlatState } from '../../../src/index.ts'
import type { SealedBlock } from '../chain/sealed-block.ts'
import type { DevnetCore } from '../core.ts'
import { getBlock } from './find-block.ts'
import type { BlockId } from './schemas.ts'

export interface BlockState {
  readonly sealed: SealedBlock
  /** A copy of the state after it. */
  readonly state: FlatState
}

/** @throws RpcError if there is no such block, or its state is not kept */
export async function stateOfBlock(
  { chain, miner }: DevnetCore,
  id: BlockId | null | undefined,
): Promise<BlockState> {
  const block = getBlock(chain, id)
  if (block === 'pending') {
    const { built, state } = await miner.pending()
    return { sealed: built.sealed, state }
  }
  return { sealed: block, state: await chain.stateAt(block.header.number) }
}
