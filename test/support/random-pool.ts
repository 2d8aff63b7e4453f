// Random pools of transactions, good and bad, on the states of random plans, and what stock makes of them.
// Authority on how often what is wrong with a transaction. Whether one is valid is for the builders to
// find out: many are by accident not.
import { Block, createBlockHeader } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { type BuildBlockOpts, runTx, type VM } from '@ethereumjs/vm'
import fc from 'fast-check'
import type { AddTransactionsResult, ParallelExecutor } from '../../src/index.ts'
import { buildBoth, buildOptions } from './build-both.ts'
import { recordEvents } from './events.ts'
import { compareAny } from './oracle.ts'
import { commonFor, makeFlatVm, makeVm, templateFor } from './random-block.ts'
import { breakages, type WorldPlan, worldPlan } from './random-plan.ts'
import { makeTransaction } from './random-transaction.ts'
import { coinbaseAt } from './random-world.ts'

export interface PoolPlan {
  readonly world: WorldPlan
  readonly gasLimit: bigint
  /** Of each transaction, in turn: what is wrong with it, if anything. */
  readonly broken: readonly ((typeof breakages)[number] | null)[]
  /** Places that are changed for others, as a pool's order is not the one in which they were signed. */
  readonly swaps: readonly { readonly one: number; readonly other: number }[]
  readonly onFlatState: boolean
}

export const poolPlan: fc.Arbitrary<PoolPlan> = fc.record({
  world: fc.tuple(worldPlan, fc.nat({ max: 5 })).map(([plan, die]) => mostlyParallel(plan, die)),
  gasLimit: fc.constantFrom(16_000_000n, 16_000_000n, 4_000_000n, 1_500_000n),
  broken: fc.array(
    fc.oneof(
      { arbitrary: fc.constant(null), weight: 6 },
      { arbitrary: fc.constantFrom(...breakages), weight: 1 },
    ),
    { minLength: 4, maxLength: 24 },
  ),
  swaps: fc.array(fc.record({ one: fc.nat({ max: 30 }), other: fc.nat({ max: 30 }) }), {
    maxLength: 3,
  }),
  onFlatState: fc.nat({ max: 3 }).map((value) => value === 3),
})

/** Where stock builds, which is from Amsterdam on, there is less to be found. */
function mostlyParallel(plan: WorldPlan, die: number): WorldPlan {
  return plan.hardfork === 'amsterdam' && die > 0 ? { ...plan, hardfork: 'prague' } : plan
}

/** The differences found, empty when equal, and our result. */
export async function checkPool(
  plan: PoolPlan,
  executor: Pick<ParallelExecutor, 'buildBlock'>,
): Promise<{ differences: string[]; ours: AddTransactionsResult }> {
  const { world } = plan
  const template = await templateFor(world)
  const vm = (): Promise<VM> => makeVm(world, template)
  const opts = optionsFor(plan)
  const pool = await makePool(plan, await vm(), opts)
  const stock = await vm()
  const ours = plan.onFlatState ? await makeFlatVm(world) : await vm()
  const stockEvents = world.watchEvents ? recordEvents(stock) : undefined
  const ourEvents = world.watchEvents ? recordEvents(ours) : undefined
  // Stock's builder counts refunds into receipts with EIP-7778, and its runBlock then refuses the block.
  const isReplayed = !stock.common.isActivatedEIP(7778)
  const sides = { stock, ours, ...(isReplayed ? { replay: await vm() } : {}) }
  const both = await buildBoth(executor, sides, opts, pool)
  return {
    differences: [
      ...both.differences,
      ...compareAny(stockEvents?.stop(), ourEvents?.stop(), 'events'),
    ],
    ours: both.ours,
  }
}

function optionsFor({ world, gasLimit }: PoolPlan): BuildBlockOpts {
  const [block] = world.blocks
  const common = commonFor(world)
  const header = {
    coinbase: coinbaseAt(block!.coinbase),
    gasLimit,
    ...(common.isActivatedEIP(1559) ? { baseFeePerGas: BigInt(block!.baseFee) } : {}),
  }
  return buildOptions({ common }, header)
}

/** Signs each for the state that the valid ones before it leave. */
async function makePool(
  { world, broken, swaps, gasLimit }: PoolPlan,
  scratch: VM,
  { headerData }: BuildBlockOpts,
): Promise<TypedTransaction[]> {
  const [plan] = world.blocks
  const common = commonFor(world)
  const context = {
    vm: scratch,
    common,
    coinbase: coinbaseAt(plan!.coinbase),
    baseFee: BigInt(plan!.baseFee),
    programs: world.programs,
    blockGasLimit: gasLimit,
    skipNonce: false,
  }
  const options = { common, skipConsensusFormatValidation: true }
  const block = new Block(createBlockHeader(headerData, options), [], [], undefined, options)
  const pool: TypedTransaction[] = []
  for (const [index, action] of plan!.actions.entries()) {
    const how = broken[index % broken.length] ?? undefined
    const tx = await makeTransaction(action, context, how)
    pool.push(tx)
    // What does not run is the builders' matter.
    if (how === undefined) await runTx(scratch, { tx, block }).catch(() => {})
  }
  for (const { one, other } of swaps) {
    const [a, b] = [one % pool.length, other % pool.length]
    ;[pool[a], pool[b]] = [pool[b]!, pool[a]!]
  }
  return pool
}
