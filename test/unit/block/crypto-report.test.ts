// What the report says that senders were recovered with, in every mode; and that blocks whose senders
// nobody knows yet come out as stock's do, precompile at 0x01 included.
// Where the addon is missing: crypto-fallback.test.ts.
import { Block } from '@ethereumjs/block'
import { Common, type CustomCrypto, Mainnet } from '@ethereumjs/common'
import { createTx, createTxFromRLP } from '@ethereumjs/tx'
import { concatBytes, hexToBytes } from '@ethereumjs/util'
import { createVM, runBlock } from '@ethereumjs/vm'
import { afterAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor, ParallelOptions } from '../../../src/index.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
} from '../../support/hand-made-block.ts'
import { withCheckedHeader } from '../../support/random-block.ts'
import { actors, contracts, numberWord } from '../../support/random-world.ts'
import { contractOf } from '../../support/small-contracts.ts'
import { strictExecutor } from '../../support/strict-executor.ts'
import { customCrypto as ownEcrecover } from '../../support/worker-setups/custom-ecrecover.ts'
import { plainAccounts, plainBlock } from './support/plain-block.ts'

const { creator: recovering } = contracts

const opened: ParallelExecutor[] = []
afterAll(async () => {
  for (const executor of opened) await executor.close()
})
async function open(options: ParallelOptions): Promise<ParallelExecutor> {
  const executor = await strictExecutor(options)
  opened.push(executor)
  return executor
}

/** The same block as it arrives from elsewhere: nobody has recovered its senders yet. */
function arrived(block: Block, common = block.common): Block {
  const transactions = block.transactions.map((tx) =>
    createTxFromRLP(tx.serialize(), { common: tx.common }),
  )
  return new Block(block.header, transactions, [], block.withdrawals, { common })
}

describe('the report names what recovers senders', () => {
  it('in parallel, inline and sequential blocks', async () => {
    const world = await makeWorld({ accounts: plainAccounts })
    for (const [scheduler, count, mode] of [
      ['graph', 5, 'parallel'],
      ['auto', 2, 'inline'],
      ['sequential', 5, 'sequential'],
    ] as const) {
      const executor = await open({ scheduler })
      const transactions = plainBlock.transactions.slice(0, count)
      const block = makeBlock(world.common, { ...plainBlock, transactions })
      const unknown = arrived(block)
      // Ours first: stock would leave the keys with the transactions.
      const { parallel } = await executor.runBlock(await world.vm(), {
        ...fillHeader,
        block: unknown,
      })
      expect(parallel).toMatchObject({ mode, crypto: 'native', incidents: [] })
      const keys = unknown.transactions.map((tx) => tx.cache.senderPubKey)
      expect(keys).toEqual(transactions.map(({ from }) => from.publicKey))
      const run = await runBoth(executor, await sidesOf(world), unknown)
      expect(run.differences).toEqual([])
    }
  })

  it('where that is a function of the user, on either side', async () => {
    const setup = new URL('../../support/worker-setups/custom-ecrecover.ts', import.meta.url)
    for (const [workerSetup, mode] of [
      [setup, 'parallel'],
      [undefined, 'sequential'],
    ] as const) {
      const executor = await open({
        scheduler: 'optimistic',
        workerSetup,
      })
      const world = await makeWorld({ accounts: plainAccounts })
      const common = withCrypto(world.common, ownEcrecover)
      const block = makeBlock(common, plainBlock)
      const vm = async () => await createVM({ common, stateManager: world.template.copy(common) })
      const sides = { stock: await vm(), ours: await vm() }
      const run = await runBoth(executor, sides, arrived(block, common))
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode, crypto: 'custom', incidents: [] })
    }
  })
})

function withCrypto(common: Common, customCrypto: CustomCrypto): Common {
  return new Common({
    chain: Mainnet,
    hardfork: common.hardfork(),
    customCrypto: { ...common.customCrypto, ...customCrypto },
  })
}

describe('a block that is validated', () => {
  it('has its senders before stock asks for them, and its transactions keep them', async () => {
    const executor = await open({ scheduler: 'optimistic' })
    const world = await makeWorld({ accounts: plainAccounts })
    const four = plainBlock.transactions
    const block = makeBlock(world.common, {
      ...plainBlock,
      transactions: [...four, ...four, ...four],
    })
    const filled = await runBlock(await world.vm(), {
      block,
      generate: true,
      skipBlockValidation: true,
    })
    const checked = arrived(await withCheckedHeader(block, filled, 'right'))
    const result = await executor.runBlock(await world.vm(), {
      block: checked,
      skipHeaderValidation: true,
    })
    expect(result.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    for (const [index, tx] of checked.transactions.entries()) {
      expect(tx.cache.senderPubKey).toEqual(four[index % four.length]!.from.publicKey)
    }
  })

  it('is refused in the words of stock where a signature is wrong', async () => {
    const executor = await open({ scheduler: 'optimistic' })
    const world = await makeWorld({ accounts: plainAccounts })
    const block = makeBlock(world.common, plainBlock)
    const wrong = block.transactions.map((tx, index) =>
      index === 3 ? createTx({ ...tx.toJSON(), r: 5n }, { common: tx.common }) : tx,
    )
    const spoiled = new Block(block.header, wrong, [], block.withdrawals, {
      common: world.common,
    })
    for (const options of [
      { skipHeaderValidation: true },
      { generate: true, skipBlockValidation: true },
    ]) {
      const run = await runBoth(executor, await sidesOf(world), arrived(spoiled), options)
      expect(run.differences).toEqual([])
      expect(run.error).toMatchObject({ message: expect.stringContaining('Invalid Signature') })
    }
  })
})

describe('the precompile at 0x01', () => {
  const hash = '456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3'
  const r = '9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608'
  const s = '4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada'
  const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
  const zero = '0'.repeat(64)
  const ones = 'f'.repeat(64)
  const v = (value: number): string => value.toString(16).padStart(64, '0')
  const inputs = [
    [hash, v(28), r, s],
    [hash, v(27), r, s],
    [hash, v(0), r, s],
    [hash, v(1), r, s],
    [hash, v(29), r, s],
    [hash, ones, r, s],
    [hash, v(28), zero, s],
    [hash, v(28), r, zero],
    [hash, v(28), order, s],
    [hash, v(28), r, order],
    [hash, v(28), ones, ones],
    [zero, v(28), r, s],
    [ones, v(27), r, s],
    [hash, v(28), r],
    [],
    [hash, v(28), r, s, ones],
  ].map((words) => hexToBytes(`0x${words.join('')}`))

  it('answers as in stock, whatever it is given', async () => {
    const world = await makeWorld({
      accounts: {
        // Logs what the precompile returns for the calldata, and how long it is.
        [recovering.toString()]: contractOf([
          [
            'CALLDATASIZE',
            0,
            0,
            'CALLDATACOPY',
            32,
            512,
            'CALLDATASIZE',
            0,
            1,
            'GAS',
            'STATICCALL',
          ],
          [480, 'MSTORE', 'RETURNDATASIZE', 544, 'MSTORE', 96, 480, 'LOG0'],
        ]),
      },
    })
    const executor = await open({ scheduler: 'optimistic' })
    const block = makeBlock(world.common, {
      transactions: inputs.map((data, index) => ({
        from: actors[index % actors.length]!,
        to: recovering,
        data,
      })),
    })
    const run = await runBoth(executor, await sidesOf(world), arrived(block))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ mode: 'parallel', crypto: 'native', incidents: [] })
    const logged = run.result!.results.map(({ execResult }) => execResult.logs![0]![2])
    const found = logged.filter((data) => data[95] === 32)
    expect(found.length).toBeGreaterThanOrEqual(3)
    expect(found.length).toBeLessThan(inputs.length)
    expect(logged[0]!.slice(32, 64)).toEqual(
      concatBytes(new Uint8Array(12), hexToBytes('0x7156526fbd7a3c72969b54f64e42c10fbb768c8a')),
    )
    expect(numberWord(32)).toEqual(logged[0]!.slice(64))
  })
})
