// Builds one block on a VM: the only module that knows which builder does it.
// The authority on the order of sealing: the block is kept first, then its state is committed. The state is
// the block's when it returns, and what it was before when it throws.

import { type Block, type BlockHeader, createBlock } from '@ethereumjs/block'
import {
  type BlockBuilder,
  type BuildBlockOpts,
  type RunTxResult,
  buildBlock as stockBuildBlock,
  type VM,
} from '@ethereumjs/vm'
import type { ParallelExecutor } from '../../../src/index.ts'
import { type SealedBlock, type SentTransaction, sealBlock } from '../chain/sealed-block.ts'
import { pause } from '../rpc/pause.ts'
import { type AddedTransactions, addTransactions } from './add-transactions.ts'
import type { NextHeader } from './next-header.ts'
import { receiptOf } from './receipts.ts'

/** Blocks of so many take ms to be sealed, and others have their turn before that. */
const MANY = 256

export interface BuiltBlock<T extends SentTransaction> extends AddedTransactions<T> {
  readonly sealed: SealedBlock
}

export interface BuildRequest<T extends SentTransaction> {
  readonly vm: VM
  readonly parent: BlockHeader
  readonly header: NextHeader
  /** In the order in which they are tried. */
  readonly transactions: readonly T[]
  /** Without one, everything runs on the calling thread. */
  readonly executor?: ParallelExecutor | undefined
  /** Where the sealed block is kept before its state is committed. */
  readonly kept?: {
    readonly keep: (sealed: SealedBlock) => void
    /** Committing failed after all. */
    readonly discard: (sealed: SealedBlock) => void
  }
}

export async function buildBlock<T extends SentTransaction>(
  request: BuildRequest<T>,
): Promise<BuiltBlock<T>> {
  const { vm, header, transactions, kept } = request
  const builder = await beginBlock(request)
  let sealed: SealedBlock | undefined
  try {
    if (transactions.length >= MANY) await pause()
    const added = await addTransactions(vm, builder, transactions)
    if (transactions.length >= MANY) await pause()
    // The builder puts the block into the chain when it is sealed, and commits the state after that.
    await withSealing(vm, builder, (block) => {
      sealed = seal(block, added.included, added.results, header)
      kept?.keep(sealed)
    })
    if (sealed === undefined) throw new Error('the builder has sealed no block')
    const { included, results, skipped, workers, reExecutions } = added
    return { sealed, included, results, skipped, workers, reExecutions }
  } catch (error) {
    if (sealed !== undefined) kept?.discard(sealed)
    await builder.revert()
    throw error
  }
}

async function beginBlock<T extends SentTransaction>({
  vm,
  parent,
  header,
  executor,
}: BuildRequest<T>): Promise<BlockBuilder> {
  const options: BuildBlockOpts = {
    parentBlock: createBlock({ header: parent }, { common: vm.common }),
    headerData: header.data,
    ...(header.hasWithdrawals ? { withdrawals: [] } : {}),
    blockOpts: { putBlockIntoBlockchain: true },
  }
  try {
    return executor === undefined
      ? await stockBuildBlock(vm, options)
      : await executor.buildBlock(vm, options)
  } catch (error) {
    // It has opened a checkpoint before it failed, unless that failed.
    await vm.evm.journal.revert().catch(() => {})
    throw error
  }
}

async function withSealing(
  vm: VM,
  builder: BlockBuilder,
  onSealed: (block: Block) => void,
): Promise<void> {
  // Each VM of a chain has a blockchain object of its own.
  const { blockchain } = vm
  const { putBlock } = blockchain
  blockchain.putBlock = async (block) => {
    if ((block as Block).transactions.length >= MANY) await pause()
    onSealed(block as Block)
  }
  try {
    await builder.build()
  } finally {
    blockchain.putBlock = putBlock
  }
}

function seal(
  block: Block,
  included: readonly SentTransaction[],
  results: readonly RunTxResult[],
  { baseFeePerGas }: NextHeader,
): SealedBlock {
  const { header, common } = block
  const blobGasPrice = common.isActivatedEIP(4844) ? header.getBlobGasPrice() : undefined
  let cumulativeGasUsed = 0n
  const receipts = results.map((result, index) => {
    cumulativeGasUsed += result.totalGasSpent
    const sent = included[index] as SentTransaction
    return { ...receiptOf(sent, result, { baseFeePerGas, blobGasPrice }), cumulativeGasUsed }
  })
  return sealBlock(block, included, receipts)
}
