// Every option of stock's runBlock, with the results and refusals that stock gives for it.
// Authority on options one by one; random blocks try them together. Odd blocks: unusual-blocks.test.ts.
// It must compare refusals by their messages, which name what is wrong.
import type { Block } from '@ethereumjs/block'
import { type RunBlockOpts, runBlock } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import {
  type BlockPlan,
  type BothRuns,
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
} from '../../support/hand-made-block.ts'
import { withCheckedHeader } from '../../support/random-block.ts'
import type { BlockPlan as RandomBlockPlan } from '../../support/random-plan.ts'
import { actors, contracts, ether } from '../../support/random-world.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import { plainAccounts, plainBlock } from './support/plain-block.ts'

const [alice, bob, , dave] = actors
const { counter } = contracts
type Options = Omit<RunBlockOpts, 'block'>

const suite = strictSuite({ accounts: plainAccounts })

async function compare(
  block: Block,
  options: Options,
  mode: 'parallel' | 'sequential' | 'inline' = 'parallel',
  of = suite.world,
): Promise<BothRuns> {
  const run = await runBoth(suite.executor, await sidesOf(of), block, options, true)
  expect(run.differences).toEqual([])
  if (run.report !== undefined) expect(run.report).toMatchObject({ mode, incidents: [] })
  return run
}

/** The block with a header that is right, or wrong in one way. */
async function checked(
  ending: RandomBlockPlan['ending'] = 'right',
  of = suite.world,
): Promise<Block> {
  const block = makeBlock(of.common, plainBlock)
  const result = await runBlock(await of.vm(), { ...fillHeader, block })
  return await withCheckedHeader(block, result, ending)
}

describe('generate', () => {
  it('fills in the header that the block asks for', async () => {
    const run = await compare(makeBlock(suite.world.common, plainBlock), fillHeader)
    expect(run.result).toBeDefined()
  })

  it('not given: a header that is right is accepted', async () => {
    const run = await compare(await checked(), { skipBlockValidation: true })
    expect(run.error).toBeUndefined()
  })

  it.each(['wrongStateRoot', 'wrongReceipts', 'wrongGas', 'wrongBloom', 'wrongRequests'] as const)(
    'not given: %s is refused as stock refuses it',
    async (ending) => {
      const run = await compare(await checked(ending), { skipBlockValidation: true })
      expect(run.error).toBeInstanceOf(Error)
    },
  )
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
      const sides = await sidesOf(suite.world)
      for (const vm of [sides.stock, sides.ours]) {
        Object.assign(vm.blockchain, {
          validateHeader: async () => {
            if (refusal !== undefined) throw refusal
          },
        })
      }
      const run = await runBoth(suite.executor, sides, await checked(), {})
      expect(run.differences).toEqual([])
      expect(run.error).toBe(refusal)
    }
  })

  it('of the size of a block is done where it is asked for', async () => {
    await compare(await checked(), { skipHeaderValidation: true, validateBlockSize: true })
  })

  it('refuses a gas limit of 2^63 and more', async () => {
    const block = makeBlock(suite.world.common, { ...plainBlock, gasLimit: 1n << 63n })
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
  it.each([
    ['balances that do not suffice', poor, { skipBalance: true }],
    ['nonces that are wrong', unordered, { skipNonce: true }],
  ])('%s are refused, and accepted where they are skipped', async (_what, one, options) => {
    const block = makeBlock(suite.world.common, one)
    expect((await compare(block, fillHeader)).error).toBeInstanceOf(Error)
    expect((await compare(block, { ...fillHeader, ...options })).error).toBeUndefined()
  })
})

describe('hardforks', () => {
  it('that differ between block and VM are refused as stock refuses them', async () => {
    const shanghai = await makeWorld({ hardfork: 'shanghai' })
    const block = makeBlock(shanghai.common, plainBlock)
    const run = await compare(block, fillHeader, 'sequential')
    expect(run.error).toMatchObject({ message: expect.stringContaining('hardfork') })
  })

  it.each([
    ['osaka', 'prague', 'run', false],
    ['prague', 'osaka', 'run', false],
    ['shanghai', 'london', 'refused', true],
  ])(
    'that differ, %s for the VM and %s for the block, are %s by both where the check is skipped',
    async (vmFork, blockFork, _what, refused) => {
      const vmWorld = await makeWorld({ hardfork: vmFork, accounts: plainAccounts })
      const blockWorld = await makeWorld({ hardfork: blockFork })
      const block = makeBlock(blockWorld.common, plainBlock)
      const options = { ...fillHeader, skipHardForkValidation: true }
      const run = await compare(block, options, 'parallel', vmWorld)
      expect(run.error !== undefined).toBe(refused)
    },
  )

  it.each([
    ['an option', false],
    ['the VM', true],
  ])('are set by number and time where %s says so', async (_who, byVm) => {
    const sides = await sidesOf(suite.world)
    for (const vm of [sides.stock, sides.ours]) {
      vm.common.setHardfork('london')
      if (byVm) (vm as unknown as { _setHardfork: boolean })._setHardfork = true
    }
    const number = 23_000_000n
    const header = { timestamp: 1_750_000_000n }
    const block = makeBlock(suite.world.common, { ...plainBlock, number, header })
    const options = byVm ? fillHeader : { ...fillHeader, setHardfork: true }
    const run = await runBoth(suite.executor, sides, block, options)
    expect(run.differences).toEqual([])
    expect(run.report?.mode).toBe('parallel')
    expect(sides.ours.common.hardfork()).toBe(sides.stock.common.hardfork())
    expect(sides.ours.common.hardfork()).toBe('prague')
  })
})

describe('root and clearCache', () => {
  it.each([
    ['as stock chooses', {}],
    ['emptied', { clearCache: true }],
    ['kept', { clearCache: false }],
  ])('start the block from an earlier state, with the caches %s', async (_how, options) => {
    const sides = await sidesOf(suite.world)
    const root = await sides.ours.stateManager.getStateRoot()
    await sides.stock.stateManager.getStateRoot()
    const block = makeBlock(suite.world.common, plainBlock)
    for (let time = 0; time < 3; time++) {
      const run = await runBoth(suite.executor, sides, block, { ...fillHeader, root, ...options })
      expect(run.differences, `time ${time}`).toEqual([])
    }
  })

  it('refuse a root that does not exist as stock refuses it', async () => {
    const root = new Uint8Array(32).fill(3)
    const run = await compare(makeBlock(suite.world.common, plainBlock), { ...fillHeader, root })
    expect(run.error).toBeInstanceOf(Error)
  })
})

describe('reportPreimages', () => {
  it('runs sequentially, with the preimages that stock reports', async () => {
    const run = await compare(
      makeBlock(suite.world.common, plainBlock),
      { ...fillHeader, reportPreimages: true },
      'sequential',
    )
    expect(run.result?.preimages?.size).toBeGreaterThan(4)
    expect(run.report?.why).toContain('preimages')
  })
})

describe('a block without transactions', () => {
  it('is run by stock on the calling thread', async () => {
    await compare(
      makeBlock(suite.world.common, { ...plainBlock, transactions: [] }),
      fillHeader,
      'inline',
    )
  })
})
