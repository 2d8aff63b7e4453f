// Headers as users give them, blockchains, and others who want the workers, around blocks that are built.
// Authority on equality with stock's builder in these surroundings.
import { type Block, createBlock } from '@ethereumjs/block'
import { createTx } from '@ethereumjs/tx'
import { Address, setLengthLeft } from '@ethereumjs/util'
import {
  type BuildBlockOpts,
  buildBlock,
  createVM,
  runBlock as stockRunBlock,
  type VM,
} from '@ethereumjs/vm'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ParallelExecutor } from '../../../src/index.ts'
import { WorkerPool } from '../../../src/workers/pool.ts'
import {
  buildBoth,
  buildOptions,
  buildWithStock,
  noBlobs,
  sameBlock,
  signedPool,
} from '../../support/build-both.ts'
import { threadsOf } from '../../support/executor-internals.ts'
import { fullVm, fullWorld, type StateKind } from '../../support/full-world.ts'
import type { TransactionPlan, World } from '../../support/hand-made-block.ts'
import { flatVm, unchecked, wideChain, withWrongRoot } from '../../support/pipelined-chain.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter } = contracts
const [alice] = actors

let executor: ParallelExecutor
beforeAll(async () => {
  executor = await strictExecutor()
})
afterAll(() => executor?.close())

const calls = (count: number, gasLimit = 200_000n): TransactionPlan[] =>
  Array.from({ length: count }, (_, index) => ({ from: actors[index % 6]!, to: counter, gasLimit }))

const blobs = { type: 3, maxFeePerBlobGas: 9n, blobVersionedHashes: [`0x01${'11'.repeat(31)}`] }

describe('the header', () => {
  const parentOf = ({ common }: World) =>
    createBlock(
      {
        header: { number: 41n, gasLimit: 5_000_000n, gasUsed: 4_000_000n, baseFeePerGas: 9n },
      },
      { common, skipConsensusFormatValidation: true },
    )

  it.each([
    {},
    { gasLimit: '0x4c4b40' },
    { gasLimit: 1_000_000, coinbase: alice!.address.toString() },
    { coinbase: alice!.address.bytes, timestamp: 1_800_000_000, extraData: '0x1234' },
    { baseFeePerGas: '0x7', excessBlobGas: 131_072 * 40 },
    { number: 45, prevRandao: new Uint8Array(32).fill(3) },
    { gasLimit: 0n },
  ])('may be given as stock takes it: %s', async (header) => {
    const world = await fullWorld()
    const opts: BuildBlockOpts = {
      parentBlock: parentOf(world),
      headerData: { timestamp: 1_800_000_000n, ...header } as never,
      withdrawals: [],
      blockOpts: { putBlockIntoBlockchain: false },
    }
    const sides = { stock: await world.vm(), ours: await world.vm(), replay: await world.vm() }
    const both = await buildBoth(executor, sides, opts, signedPool(world, calls(12)))
    expect(both.differences).toEqual([])
  })

  it('that stock refuses rejects, and no transaction is blamed for it', async () => {
    const world = await fullWorld()
    const opts = buildOptions(world, { extraData: new Uint8Array(99) })
    const loose = { ...opts, blockOpts: { putBlockIntoBlockchain: false } }
    const stock = await buildBlock(await world.vm(), loose)
    const pool = signedPool(world, calls(8))
    const error = await stock.addTransaction(pool[0]!).catch((e: Error) => e)
    const builder = await executor.buildBlock(await world.vm(), loose)
    if (error instanceof Error) {
      await expect(builder.addTransactions(pool)).rejects.toThrow(error.message)
    } else expect((await builder.addTransactions(pool)).included).toHaveLength(8)
  })
})

describe('transactions', () => {
  it('with signatures that are none are refused as by stock', async () => {
    const world = await fullWorld()
    const pool = signedPool(world, calls(12))
    const plain = { to: counter, gasPrice: 20n, gasLimit: 100_000n, nonce: 0n, v: 37n }
    const order = secp256k1.Point.Fn.ORDER
    for (const [at, r, s] of [
      [2, 0n, 1n],
      [5, order, 1n],
      [6, 1n, order - 1n],
      [8, 5n, 5n],
    ] as const) {
      pool[at] = createTx({ ...plain, r, s }, { common: world.common })
    }
    const sides = { stock: await world.vm(), ours: await world.vm() }
    const both = await buildBoth(executor, sides, buildOptions(world), pool)
    expect(both.differences).toEqual([])
    expect(both.ours.skipped.length).toBeGreaterThan(3)
  })

  it('of another hardfork are taken where they are asked not to be checked', async () => {
    const options = { ...noBlobs, skipHardForkValidation: true }
    for (const [of, into] of [
      ['london', 'prague'],
      ['prague', 'shanghai'],
    ] as const) {
      const world = await fullWorld(into)
      const plans = calls(16)
      plans[4] = { ...plans[4]!, nonce: 9n }
      if (of === 'prague') plans[6] = { ...plans[6]!, fields: blobs }
      const pool = signedPool(await fullWorld(of), plans)
      const stock = await buildBlock(await world.vm(), buildOptions(world))
      const errors: unknown[] = []
      for (const tx of pool) {
        await stock.addTransaction(tx, options).catch((e: Error) => errors.push(e.message))
      }
      const ours = await executor.buildBlock(await world.vm(), buildOptions(world))
      const { skipped } = await ours.addTransactions(pool, options)
      expect(skipped.map(({ error }) => (error as Error).message)).toEqual(errors)
      expect(ours.transactionReceipts).toEqual(stock.transactionReceipts)
      const [expected, built] = [await stock.build(), await ours.build()]
      expect(sameBlock(built.block, expected.block)).toEqual([])
    }
  })
})

describe('a flat state that changes in many places', () => {
  it('is hashed on the workers, also after one of them was killed', async () => {
    const world = await fullWorld()
    const run = vi.spyOn(WorkerPool.prototype, 'run')
    const plans = Array.from({ length: 300 }, (_, index) => ({
      from: actors[index % 6]!,
      to: new Address(setLengthLeft(Uint8Array.of(77, index >> 8, index), 20)),
      value: 1n,
      gasLimit: 30_000n,
    }))
    for (const isKilled of [false, true]) {
      const sides = { stock: await world.vm(), ours: await fullVm(world, 'flat') }
      if (isKilled) await threadsOf(executor)[0]?.terminate()
      run.mockClear()
      const { differences } = await buildBoth(
        executor,
        sides,
        buildOptions(world),
        signedPool(world, plans),
      )
      expect(differences).toEqual([])
      expect(run.mock.calls.some(([task]) => task.kind === 'hash')).toBe(true)
    }
    run.mockRestore()
  })
})

describe.each(['london', 'prague'])('on a block of %s whose root comes later', (hardfork) => {
  const later = { ...unchecked, pipeline: true }
  const optionsOf = ({ common }: World, parentBlock: Block): BuildBlockOpts => ({
    parentBlock,
    headerData: { ...buildOptions({ common }).headerData, number: 21n, parentHash: undefined },
    ...(common.isActivatedEIP(4895) ? { withdrawals: [] } : {}),
    blockOpts: { putBlockIntoBlockchain: false },
  })

  it('a block is built as stock builds it', async () => {
    const { world, blocks } = await wideChain(hardfork, 2)
    const [parent, { transactions }] = blocks as [Block, Block]
    const [stockVm, vm] = [await world.vm(), await flatVm(world)]
    await stockRunBlock(stockVm, { block: parent, ...unchecked })
    const opts = optionsOf(world, parent)
    const stock = await buildWithStock(stockVm, opts, transactions)
    const { stateRootReady } = await executor.runBlock(vm, { block: parent, ...later })
    const builder = await executor.buildBlock(vm, opts)
    expect((await builder.addTransactions(transactions)).parallel.mode).toBe('parallel')
    const { block } = await builder.build()
    expect(sameBlock(block, stock.built.block)).toEqual([])
    expect(await stateRootReady).toEqual(parent.header.stateRoot)
  })

  it('none is begun if that root is wrong', async () => {
    const { world, blocks } = await wideChain(hardfork, 2)
    const vm = await flatVm(world)
    const wrong = withWrongRoot(blocks[0]!)
    const { stateRootReady } = await executor.runBlock(vm, { block: wrong, ...later })
    const refused = { code: 'PARENT_REFUSED' }
    const building = executor.buildBlock(vm, optionsOf(world, wrong))
    await expect(building).rejects.toMatchObject(refused)
    await expect(stateRootReady).rejects.toThrow('invalid block stateRoot')
    const again = executor.buildBlock(vm, optionsOf(world, wrong))
    await expect(again).rejects.toMatchObject(refused)
    const right = await executor.runBlock(vm, { block: blocks[0]!, ...later })
    const builder = await executor.buildBlock(vm, optionsOf(world, blocks[0]!))
    expect((await builder.addTransactions(blocks[1]!.transactions)).skipped).toEqual([])
    expect(await right.stateRootReady).toEqual(blocks[0]!.header.stateRoot)
  })
})

describe('surroundings', () => {
  it('the block is put into the blockchain of the VM, which can refuse it', async () => {
    const world = await fullWorld()
    const put: Block[] = []
    const make = async (): Promise<VM> => {
      const { common, stateManager, blockchain } = await world.vm()
      const putBlock = async (block: Block): Promise<void> => {
        put.push(block)
        if (put.length > 4) throw new Error('no more blocks')
      }
      return createVM({ common, stateManager, blockchain: Object.assign(blockchain, { putBlock }) })
    }
    const [stockVm, vm] = [await make(), await make()]
    const plans = calls(24).map((plan, index) => ({ ...plan, nonce: BigInt((index / 6) | 0) }))
    const pool = signedPool(world, plans)
    let opts: BuildBlockOpts = { ...buildOptions(world), blockOpts: {} }
    for (const from of [0, 12]) {
      const part = pool.slice(from, from + 12)
      const stock = await buildWithStock(stockVm, opts, part)
      const builder = await executor.buildBlock(vm, opts)
      expect((await builder.addTransactions(part)).parallel.mode).toBe('parallel')
      const { block } = await builder.build()
      expect(sameBlock(block, stock.built.block)).toEqual([])
      const { parentHash, number, ...headerData } = opts.headerData!
      opts = { ...opts, parentBlock: block, headerData }
    }
    expect(put).toHaveLength(4)
    const root = (await vm.stateManager.getStateRoot()).slice()
    const refused = await executor.buildBlock(vm, opts)
    await refused.addTransactions(pool)
    await expect(refused.build()).rejects.toThrow('no more blocks')
    await refused.revert()
    const stock = await buildBlock(stockVm, opts)
    for (const tx of pool) await stock.addTransaction(tx).catch(() => {})
    await expect(stock.build()).rejects.toThrow('no more blocks')
    await stock.revert()
    expect(await vm.stateManager.getStateRoot()).toEqual(await stockVm.stateManager.getStateRoot())
    expect(await vm.stateManager.getStateRoot()).toEqual(root)
  })

  it('a builder that a listener of a block uses works on the calling thread', async () => {
    const world = await fullWorld()
    const pool = signedPool(world, calls(12))
    const opts = buildOptions(world)
    const stock = await buildWithStock(await world.vm(), opts, pool)
    const [outer, inner] = [await world.vm(), await world.vm()]
    let mode: string | undefined
    const found = Promise.withResolvers<unknown>()
    const onTransaction = async ({ index }: { index: number }): Promise<void> => {
      if (index !== 3) return
      const builder = await executor.buildBlock(inner, opts)
      mode = (await builder.addTransactions(pool)).parallel.mode
      found.resolve((await builder.build()).block)
    }
    const run = { skipHeaderValidation: true, skipBlockValidation: true }
    await executor.runBlock(outer, { block: stock.built.block, ...run, onTransaction })
    expect(sameBlock((await found.promise) as never, stock.built.block)).toEqual([])
    expect(mode).toBe('sequential')
  })

  it('two builders on two VMs and a block that runs share the workers', async () => {
    const world = await fullWorld()
    const pool = signedPool(world, calls(24))
    const opts = buildOptions(world)
    const stock = await buildWithStock(await world.vm(), opts, pool)
    const make = async (kind: StateKind) => {
      const builder = await executor.buildBlock(await fullVm(world, kind), opts)
      await builder.addTransactions(pool.slice(0, 12))
      await builder.addTransactions(pool.slice(12))
      return (await builder.build()).block
    }
    const run = { skipHeaderValidation: true, skipBlockValidation: true }
    const [one, other, ran] = await Promise.all([
      make('merkle'),
      make('flat'),
      executor.runBlock(await world.vm(), { block: stock.built.block, ...run }),
    ])
    expect(sameBlock(one, stock.built.block)).toEqual([])
    expect(sameBlock(other, stock.built.block)).toEqual([])
    expect(ran.stateRoot).toEqual(stock.built.block.header.stateRoot)
  })
})
