// Blocks that are not plain: with uncles, without signatures, with parameters or rules of their own.
// Authority on what of such blocks still runs in parallel; eligibility.test.ts has what does not.
// It must compare with stock, on states of one form.
import { Block, createBlockHeader } from '@ethereumjs/block'
import { Common, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { createTx, createTxFromRLP, paramsTx } from '@ethereumjs/tx'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import {
  blockOf,
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  type Sides,
  sidesOf,
} from '../../support/hand-made-block.ts'
import { compareResults } from '../../support/oracle.ts'
import { type Actor, actors, contracts } from '../../support/random-world.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import { fresh, plainAccounts, plainBlock } from './support/plain-block.ts'

const [alice, bob, carol, dave] = actors
const { counter } = contracts

const suite = strictSuite({ accounts: plainAccounts })

async function expectParallel(sides: Sides, block: Block, watchEvents = false): Promise<void> {
  const run = await runBoth(suite.executor, sides, block, fillHeader, watchEvents)
  expect(run.differences).toEqual([])
  expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
}

describe('uncles', () => {
  it('are paid as stock pays them', async () => {
    const london = await makeWorld({ hardfork: 'london', accounts: plainAccounts })
    const block = makeBlock(london.common, plainBlock)
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
    await expectParallel(await sidesOf(london), withUncles, true)
  })
})

describe('transactions that were never signed', () => {
  it('and name their sender themselves run in parallel, as development chains do it', async () => {
    const common = suite.world.common
    const unsigned = [alice, bob, alice, carol].map(({ address }, index) => {
      const data = { nonce: index === 2 ? 1 : 0, gasLimit: 100_000n, gasPrice: 9n, to: counter }
      const tx = createTx(data, { common, freeze: false })
      tx.getSenderAddress = () => address
      return tx
    })
    await expectParallel(await sidesOf(suite.world), blockOf(common, {}, unsigned))
  })

  it('and have no sender are refused as stock refuses them', async () => {
    const common = suite.world.common
    const signed = makeBlock(common, plainBlock).transactions[0]!
    const unsigned = createTx({ gasLimit: 100_000n, gasPrice: 9n, to: counter }, { common })
    const run = await runBoth(
      suite.executor,
      await sidesOf(suite.world),
      blockOf(common, {}, [signed, unsigned]),
    )
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({ message: expect.stringContaining('not signed') })
  })
})

describe('transactions that note what their data costs', () => {
  /** As somebody may have noted it: 0 would be right. */
  function noting(value: unknown, hardfork: string): Block {
    const block = makeBlock(suite.world.common, plainBlock)
    const transactions = block.transactions.map((tx) => {
      const open = createTxFromRLP(tx.serialize(), { common: tx.common, freeze: false })
      open.cache.dataFee = { value: value as bigint, hardfork }
      return open
    })
    return blockOf(suite.world.common, {}, transactions)
  }

  it('cost that, as with stock, and nothing else of another hardfork', async () => {
    const hardfork = suite.world.common.hardfork()
    for (const [value, of] of [
      [4_321n, hardfork],
      [0n, hardfork],
      [4_321n, 'homestead'],
      ['no number', 'homestead'],
    ] as const) {
      await expectParallel(await sidesOf(suite.world), noting(value, of))
    }
  })

  it('run sequentially where that cannot cross', async () => {
    const block = noting(2n ** 64n, suite.world.common.hardfork())
    const run = await runBoth(suite.executor, await sidesOf(suite.world), block)
    expect(run.differences).toEqual([])
    const far = noting(-5n, suite.world.common.hardfork())
    const { differences, report } = await runBoth(
      suite.executor,
      await sidesOf(suite.world),
      far,
      fillHeader,
    )
    expect(differences).toEqual([])
    expect(report).toMatchObject({ mode: 'sequential' })
  })
})

describe('transactions with parameters of their own', () => {
  it('run in parallel with what is in force for them, where it is the same for all', async () => {
    const params = { ...paramsTx, 1: { ...paramsTx[1], txGas: 22_222 } }
    for (const together of [true, false]) {
      const own = await makeWorld({ accounts: plainAccounts })
      const signed = [alice, bob, carol, dave].map(({ privateKey }) => {
        // Copies of one Common share the parameters that a transaction changes for itself.
        const common = together ? own.common : own.common.copy()
        const data = { gasLimit: 100_000n, gasPrice: 9n, to: counter }
        return createTx(data, { common, params }).sign(privateKey)
      })
      await expectParallel(await sidesOf(own), blockOf(own.common, {}, signed))
    }
  })
})

describe('copies of one Common, made at different times', () => {
  it.each(['transactions', 'EVM'] as const)(
    'of the %s, are the same rules: blocks run in parallel',
    async (whose) => {
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
        const stateManager = suite.world.template.copy(common)
        const evm =
          whose === 'EVM' ? await createEVM({ common: common.copy(), stateManager }) : undefined
        const vm = await createVM({ common, stateManager, ...(evm === undefined ? {} : { evm }) })
        sides.push(vm)
        blocks.push(blockOf(rules, {}, [...before, ...[carol, dave].map(make)]))
      }
      const [stock, ours] = sides as [VM, VM]
      const expected = await runBlock(stock, { ...fillHeader, block: blocks[0]! })
      const actual = await suite.executor.runBlock(ours, { ...fillHeader, block: blocks[1]! })
      expect(compareResults(expected, actual)).toEqual([])
      expect(actual.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    },
  )
})
