// Every option of stock's runBlock, with the results and refusals that stock gives for it.
// Authority on options one by one; random blocks try them together.
// It must compare refusals by their messages, which name what is wrong.
import { Block, createBlockHeader } from '@ethereumjs/block'
import { Common, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { createTx, paramsTx } from '@ethereumjs/tx'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { createVM, runBlock } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import {
  type BlockPlan,
  type BothRuns,
  blockOf,
  makeBlock,
  makeWorld,
  runBoth,
  type World,
} from '../../support/hand-made-block.ts'
import { compareResults } from '../../support/oracle.ts'
import { withCheckedHeader } from '../../support/random-block.ts'
import type { BlockPlan as RandomBlockPlan } from '../../support/random-plan.ts'
import { type Actor, actors, contracts, ether } from '../../support/random-world.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const [alice, bob, carol, dave] = actors as [Actor, Actor, Actor, Actor]
const { counter, fresh } = { ...contracts, fresh: actors[9]!.address }
const code = assembleHex([0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE', 32, 0, 'LOG0'])
const plan: BlockPlan = {
  transactions: [alice, bob, carol, alice, bob].map((from, index) => ({
    from,
    to: index % 2 === 0 ? counter : dave.address,
    value: index % 2 === 0 ? 0n : ether,
  })),
  withdrawals: [{ address: fresh, amount: 7n }],
}
type Options = Omit<RunBlockOpts, 'block'>

let executor: ParallelExecutor
let world: World

beforeAll(async () => {
  executor = await strictExecutor()
  world = await makeWorld({ accounts: { [counter.toString()]: { code, nonce: 1n } } })
})
afterAll(() => executor?.close())

async function pair(of = world): Promise<{ stock: VM; ours: VM }> {
  return { stock: await of.vm(), ours: await of.vm() }
}

async function compare(
  block: Block,
  options: Options,
  mode: 'parallel' | 'sequential' | 'inline' = 'parallel',
  of = world,
): Promise<BothRuns> {
  const run = await runBoth(executor, await pair(of), block, options, true)
  expect(run.differences).toEqual([])
  if (run.report !== undefined) expect(run.report).toMatchObject({ mode, incidents: [] })
  return run
}

/** The block with a header that is right, or wrong in one way. */
async function checked(ending: RandomBlockPlan['ending'] = 'right', of = world): Promise<Block> {
  const block = makeBlock(of.common, plan)
  const result = await runBlock(await of.vm(), { block, generate: true, skipBlockValidation: true })
  return await withCheckedHeader(block, result, ending)
}

describe('generate', () => {
  it('fills in the header that the block asks for', async () => {
    const run = await compare(makeBlock(world.common, plan), {
      generate: true,
      skipBlockValidation: true,
    })
    expect(run.result).toBeDefined()
  })

  it('not given: a header that is right is accepted', async () => {
    const run = await compare(await checked(), { skipBlockValidation: true })
    expect(run.error).toBeUndefined()
  })

  for (const ending of [
    'wrongStateRoot',
    'wrongReceipts',
    'wrongGas',
    'wrongBloom',
    'wrongRequests',
  ] as const) {
    it(`not given: ${ending} is refused as stock refuses it`, async () => {
      const run = await compare(await checked(ending), { skipBlockValidation: true })
      expect(run.error).toBeInstanceOf(Error)
    })
  }
})

describe('validation', () => {
  it('that is not skipped asks the blockchain, and refuses one that cannot tell', async () => {
    const run = await compare(await checked(), {})
    expect(run.error).toMatchObject({ message: expect.stringContaining('validateHeader') })
  })

  it('without that of the header checks the block itself', async () => {
    expect((await compare(await checked(), { skipHeaderValidation: true })).error).toBeUndefined()
    const spoiled = await compare(await checked('wrongTransactionsTrie'), {
      skipHeaderValidation: true,
    })
    expect(spoiled.error).toBeInstanceOf(Error)
  })

  it('asks the blockchain of the VM about the header, and throws what it throws', async () => {
    for (const refusal of [undefined, new Error('I do not like it')]) {
      const sides = await pair()
      for (const vm of [sides.stock, sides.ours]) {
        Object.assign(vm.blockchain, {
          validateHeader: async () => {
            if (refusal !== undefined) throw refusal
          },
        })
      }
      const run = await runBoth(executor, sides, await checked(), {})
      expect(run.differences).toEqual([])
      expect(run.error).toBe(refusal)
    }
  })

  it('of the size of a block is done where it is asked for', async () => {
    await compare(await checked(), { skipHeaderValidation: true, validateBlockSize: true })
  })

  it('refuses a gas limit of 2^63 and more', async () => {
    const block = makeBlock(world.common, { ...plan, gasLimit: 1n << 63n })
    const run = await compare(block, { skipHeaderValidation: true })
    expect(run.error).toMatchObject({ message: expect.stringContaining('2^63') })
  })
})

describe('skipBalance and skipNonce', () => {
  const poor: BlockPlan = {
    transactions: [
      { from: alice, to: dave.address, value: 1_000n * ether },
      { from: bob, to: counter },
      { from: alice, to: counter },
      {
        from: bob,
        to: counter,
        fields: { type: 2, maxFeePerGas: ether, maxPriorityFeePerGas: 1n },
      },
    ],
  }
  const unordered: BlockPlan = {
    transactions: [5n, 0n, 5n, 9n].map((nonce, index) => ({
      from: [alice, bob][index % 2]!,
      to: counter,
      nonce,
    })),
  }
  const common = { generate: true, skipBlockValidation: true }
  for (const [what, one, options] of [
    ['balances that do not suffice', poor, { skipBalance: true }],
    ['nonces that are wrong', unordered, { skipNonce: true }],
  ] as const) {
    it(`${what} are refused, and accepted where they are skipped`, async () => {
      const block = makeBlock(world.common, one)
      expect((await compare(block, common)).error).toBeInstanceOf(Error)
      expect((await compare(block, { ...common, ...options })).error).toBeUndefined()
    })
  }
})

describe('hardforks', () => {
  const common = { generate: true, skipBlockValidation: true }

  it('that differ between block and VM are refused as stock refuses them', async () => {
    const shanghai = await makeWorld({ hardfork: 'shanghai' })
    const block = makeBlock(shanghai.common, plan)
    const run = await compare(block, common, 'sequential')
    expect(run.error).toMatchObject({ message: expect.stringContaining('hardfork') })
  })

  it('that differ are run by both where the check is skipped', async () => {
    for (const [vmFork, blockFork, refused] of [
      ['osaka', 'prague', false],
      ['prague', 'osaka', false],
      ['shanghai', 'london', true],
    ] as const) {
      const accounts = { [counter.toString()]: { code, nonce: 1n } }
      const vmWorld = await makeWorld({ hardfork: vmFork, accounts })
      const blockWorld = await makeWorld({ hardfork: blockFork })
      const block = makeBlock(blockWorld.common, plan)
      const options = { ...common, skipHardForkValidation: true }
      const run = await compare(block, options, 'parallel', vmWorld)
      expect(run.error !== undefined, `${vmFork}, ${blockFork}`).toBe(refused)
    }
  })

  it('are set by number and time where setHardfork says so, by option or by the VM', async () => {
    for (const byVm of [false, true]) {
      const sides = await pair()
      for (const vm of [sides.stock, sides.ours]) {
        vm.common.setHardfork('london')
        if (byVm) (vm as unknown as { _setHardfork: boolean })._setHardfork = true
      }
      const number = 23_000_000n
      const header = { timestamp: 1_750_000_000n }
      const block = makeBlock(world.common, { ...plan, number, header })
      const run = await runBoth(
        executor,
        sides,
        block,
        byVm ? common : { ...common, setHardfork: true },
      )
      expect(run.differences).toEqual([])
      expect(run.report?.mode).toBe('parallel')
      expect(sides.ours.common.hardfork()).toBe(sides.stock.common.hardfork())
      expect(sides.ours.common.hardfork()).toBe('prague')
    }
  })
})

describe('root and clearCache', () => {
  const common = { generate: true, skipBlockValidation: true }

  it('start the block from an earlier state, with the caches emptied or kept', async () => {
    for (const clearCache of [undefined, true, false]) {
      const sides = await pair()
      const root = await sides.ours.stateManager.getStateRoot()
      await sides.stock.stateManager.getStateRoot()
      const block = makeBlock(world.common, plan)
      for (let time = 0; time < 3; time++) {
        const run = await runBoth(executor, sides, block, {
          ...common,
          root,
          ...(clearCache === undefined ? {} : { clearCache }),
        })
        expect(run.differences, `clearCache ${clearCache}, time ${time}`).toEqual([])
      }
    }
  })

  it('refuse a root that does not exist as stock refuses it', async () => {
    const root = new Uint8Array(32).fill(3)
    const run = await compare(makeBlock(world.common, plan), { ...common, root })
    expect(run.error).toBeInstanceOf(Error)
  })
})

describe('reportPreimages', () => {
  it('runs sequentially, with the preimages that stock reports', async () => {
    const run = await compare(
      makeBlock(world.common, plan),
      { generate: true, skipBlockValidation: true, reportPreimages: true },
      'sequential',
    )
    expect(run.result?.preimages?.size).toBeGreaterThan(4)
    expect(run.report?.why).toContain('preimages')
  })
})

describe('a block without transactions', () => {
  it('is run by stock on the calling thread', async () => {
    await compare(
      makeBlock(world.common, { ...plan, transactions: [] }),
      { generate: true, skipBlockValidation: true },
      'inline',
    )
  })
})

describe('uncles', () => {
  it('are paid as stock pays them', async () => {
    const london = await makeWorld({
      hardfork: 'london',
      accounts: { [counter.toString()]: { code, nonce: 1n } },
    })
    const block = makeBlock(london.common, plan)
    const options = { common: london.common, skipConsensusFormatValidation: true }
    const uncle = (number: bigint, coinbase = fresh) =>
      createBlockHeader({ number, coinbase }, options)
    const withUncles = new Block(
      block.header,
      [...block.transactions],
      [uncle(19n), uncle(15n, block.header.coinbase)],
      undefined,
      options,
    )
    const generate = { generate: true, skipBlockValidation: true }
    await compare(withUncles, generate, 'parallel', london)
  })
})

describe('transactions that were never signed', () => {
  it('and name their sender themselves run in parallel, as development chains do it', async () => {
    const common = world.common
    const transactions = [alice, bob, alice, carol].map(({ address }, index) => {
      const data = { nonce: index === 2 ? 1 : 0, gasLimit: 100_000n, gasPrice: 9n, to: counter }
      const tx = createTx(data, { common, freeze: false })
      tx.getSenderAddress = () => address
      return tx
    })
    const run = await runBoth(executor, await pair(), blockOf(common, {}, transactions))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
  })

  it('and have no sender are refused as stock refuses them', async () => {
    const common = world.common
    const signed = makeBlock(common, plan).transactions[0]!
    const unsigned = createTx({ gasLimit: 100_000n, gasPrice: 9n, to: counter }, { common })
    const run = await runBoth(executor, await pair(), blockOf(common, {}, [signed, unsigned]))
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({ message: expect.stringContaining('not signed') })
  })
})

describe('transactions with parameters of their own', () => {
  it('run in parallel with what is in force for them, where it is the same for all', async () => {
    const params = { ...paramsTx, 1: { ...paramsTx[1], txGas: 22_222 } }
    for (const together of [true, false]) {
      const own = await makeWorld({ accounts: { [counter.toString()]: { code, nonce: 1n } } })
      const transactions = [alice, bob, carol, dave].map(({ privateKey }) => {
        // Copies of one Common share the parameters that a transaction changes for itself.
        const common = together ? own.common : own.common.copy()
        const data = { gasLimit: 100_000n, gasPrice: 9n, to: counter }
        return createTx(data, { common, params }).sign(privateKey)
      })
      const run = await runBoth(executor, await pair(own), blockOf(own.common, {}, transactions))
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })
})

describe('copies of one Common, made at different times', () => {
  it('are the same rules: blocks run in parallel', async () => {
    for (const whose of ['transactions', 'EVM'] as const) {
      const sides = []
      const blocks: Block[] = []
      for (let side = 0; side < 2; side++) {
        const common = new Common({ chain: Mainnet, hardfork: 'shanghai' })
        const rules = common.copy()
        const make = ({ privateKey }: Actor) =>
          createTx({ gasLimit: 100_000n, gasPrice: 9n, to: counter }, { common: rules }).sign(
            privateKey,
          )
        // What the VM and its EVM need is added to the parameters that all of them share.
        const before = [alice, bob].map(make)
        const stateManager = world.template.copy(common)
        const evm =
          whose === 'EVM' ? await createEVM({ common: common.copy(), stateManager }) : undefined
        const vm = await createVM({ common, stateManager, ...(evm === undefined ? {} : { evm }) })
        sides.push(vm)
        blocks.push(blockOf(rules, {}, [...before, ...[carol, dave].map(make)]))
      }
      const [stock, ours] = sides as [VM, VM]
      const generate = { generate: true, skipBlockValidation: true }
      const expected = await runBlock(stock, { ...generate, block: blocks[0]! })
      const actual = await executor.runBlock(ours, { ...generate, block: blocks[1]! })
      expect(compareResults(expected, actual)).toEqual([])
      expect(actual.parallel, whose).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })
})
