// Builds one block with stock, one transaction after the other, and with ours, all at once; compares all.
// Authority on what counts as equal for built blocks. It must not skip a comparison.
import type { Block } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import {
  type BuildBlockOpts,
  buildBlock,
  type RunTxResult,
  runBlock,
  type VM,
} from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type {
  AddTransactionsOpts,
  AddTransactionsResult,
  ParallelBlockBuilder,
  ParallelExecutor,
} from '../../src/index.ts'
import { type BlockPlan, blockOf, makeBlock, type Sides, type World } from './hand-made-block.ts'
import { compareAny, compareStateRoots, describeError } from './oracle.ts'
import { numberWord } from './random-world.ts'

/** What stock makes of the transactions, by their places. */
export interface StockBuild {
  readonly included: { index: number; result: RunTxResult }[]
  readonly skipped: { index: number; error: unknown }[]
  readonly built: Awaited<ReturnType<ParallelBlockBuilder['build']>>
  readonly minerValue: bigint
}

export interface BothBuilds {
  readonly differences: string[]
  readonly stock: StockBuild
  readonly ours: AddTransactionsResult
  readonly block: Block
}

export const noBlobs = { allowNoBlobs: true }

/** Options for a block on top of nothing much. */
export function buildOptions(world: Pick<World, 'common'>, header: object = {}): BuildBlockOpts {
  const { common } = world
  const options = { common, skipConsensusFormatValidation: true }
  const parent = blockOf(common, { number: 19n }, [])
  return {
    parentBlock: parent,
    headerData: {
      number: 20n,
      coinbase: parent.header.coinbase,
      gasLimit: 30_000_000n,
      timestamp: 1_700_000_240n,
      parentHash: keccak_256(numberWord(19)),
      mixHash: keccak_256(numberWord(20)),
      ...(common.consensusType() === 'pow' ? { difficulty: 131_072n } : {}),
      ...(common.isActivatedEIP(1559) ? { baseFeePerGas: 7n } : {}),
      ...(common.isActivatedEIP(4844) ? { excessBlobGas: 0n } : {}),
      ...(common.isActivatedEIP(4788)
        ? { parentBeaconBlockRoot: keccak_256(numberWord(4788)) }
        : {}),
      ...header,
    },
    ...(common.isActivatedEIP(4895) ? { withdrawals: [] } : {}),
    blockOpts: { ...options, putBlockIntoBlockchain: false },
  }
}

/** Signed transactions in order, nonces counted unless the plan has them. */
export function signedPool(
  world: Pick<World, 'common'>,
  transactions: BlockPlan['transactions'],
): TypedTransaction[] {
  return makeBlock(world.common, { transactions }).transactions
}

/** Stock, one after the other, each error caught. */
export async function buildWithStock(
  vm: VM,
  opts: BuildBlockOpts,
  pool: readonly TypedTransaction[],
): Promise<StockBuild> {
  const builder = await buildBlock(vm, opts)
  const included: StockBuild['included'] = []
  const skipped: StockBuild['skipped'] = []
  for (const [index, tx] of pool.entries()) {
    try {
      included.push({ index, result: await builder.addTransaction(tx, noBlobs) })
    } catch (error) {
      skipped.push({ index, error })
    }
  }
  const { minerValue } = builder
  return { included, skipped, built: await builder.build(), minerValue }
}

/** Both ways on equal states, and the result run by stock on a third. */
export async function buildBoth(
  executor: Pick<ParallelExecutor, 'buildBlock'>,
  sides: Sides & { readonly replay?: VM },
  opts: BuildBlockOpts,
  pool: readonly TypedTransaction[],
  options: AddTransactionsOpts = {},
): Promise<BothBuilds> {
  const stock = await buildWithStock(sides.stock, opts, pool)
  const builder = await executor.buildBlock(sides.ours, opts)
  const ours = await builder.addTransactions(pool, { ...noBlobs, ...options })
  const { minerValue } = builder
  const { block, requests } = await builder.build()
  const differences = [
    ...compareAny(stock.included, ours.included, 'included'),
    ...compareAny(messagesOf(stock.skipped), messagesOf(ours.skipped), 'skipped'),
    ...compareAny([], ours.left, 'left'),
    ...compareAny(stock.minerValue, minerValue, 'minerValue'),
    ...compareAny(stock.built.requests, requests, 'requests'),
    ...sameBlock(block, stock.built.block),
    ...(await compareStateRoots(sides.stock, sides.ours)),
    ...(sides.replay === undefined ? [] : await replayed(sides.replay, block)),
  ]
  return { differences, stock, ours, block }
}

/** Where two blocks differ, in their headers or elsewhere. */
export function sameBlock(block: Block, stock: Block): string[] {
  return [
    ...compareAny(stock.header.toJSON(), block.header.toJSON(), 'header'),
    ...compareAny(stock.serialize(), block.serialize(), 'block'),
  ]
}

/** Runs the built block with stock, which checks its header. */
export async function replayed(vm: VM, block: Block): Promise<string[]> {
  try {
    await runBlock(vm, { block, skipHeaderValidation: true, skipBlockValidation: true })
    return compareAny(block.header.stateRoot, await vm.stateManager.getStateRoot(), 'replayed root')
  } catch (error) {
    return [`replay: ${describeError(error)}`]
  }
}

function messagesOf(skipped: readonly { index: number; error: unknown }[]) {
  return skipped.map(({ index, error }) => ({ index, message: describeError(error) }))
}
