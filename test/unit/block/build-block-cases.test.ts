import { Common, Mainnet } from '@ethereumjs/common'
import { createTx, type TypedTransaction } from '@ethereumjs/tx'
import { type BuildBlockOpts, buildBlock, type VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../../src/index.ts'
import { deployer } from '../../support/assembler.ts'
import {
  buildBoth,
  buildOptions,
  buildWithStock,
  noBlobs,
  replayed,
  sameBlock,
  signedPool,
} from '../../support/build-both.ts'
import { fullVm, fullWorld, type StateKind, stateKinds } from '../../support/full-world.ts'
import { authorize, type TransactionPlan } from '../../support/hand-made-block.ts'
import { compareAny, compareStateRoots } from '../../support/oracle.ts'
import {
  actors,
  addressWord,
  childInit,
  contracts,
  ether,
  systemContracts,
} from '../../support/random-world.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter } = contracts
const [alice, bob, carol, dave, eve] = actors

let executor: ParallelExecutor
beforeAll(async () => {
  executor = await strictExecutor()
})
afterAll(() => executor?.close())

interface Case {
  readonly hardfork?: string
  readonly plans: readonly TransactionPlan[]
  readonly header?: object
  readonly options?: Partial<BuildBlockOpts>
}

async function build(kind: StateKind, { hardfork, plans, header, options }: Case) {
  const world = await fullWorld(hardfork)
  const sides = {
    stock: await world.vm(),
    ours: await fullVm(world, kind),
    replay: await world.vm(),
  }
  const opts = { ...buildOptions(world, header), ...options }
  const both = await buildBoth(executor, sides, opts, signedPool(world, plans))
  expect(both.differences).toEqual([])
  return both
}

const calls = (count: number, gasLimit = 200_000n): TransactionPlan[] =>
  Array.from({ length: count }, (_, index) => ({ from: actors[index % 6]!, to: counter, gasLimit }))

const blob = (count: number, fields: object = {}) => ({
  type: 3,
  maxFeePerBlobGas: 100n,
  blobVersionedHashes: Array.from({ length: count }, (_, i) => `0x01${`1${i}`.repeat(31)}`),
  ...fields,
})

describe.each(stateKinds)('on a %s state', (kind) => {
  it.each(['cancun', 'prague', 'osaka'])('blobs are counted in %s', async (hardfork) => {
    const plans = calls(16).map((plan, index) =>
      index % 2 === 0 ? { ...plan, fields: blob(1 + (index % 4)) } : plan,
    )
    plans[4] = { ...plans[4]!, fields: blob(1, { maxFeePerBlobGas: 0n }) }
    const { ours, stock } = await build(kind, { hardfork, plans })
    expect(ours.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    const reasons = stock.skipped.map(({ error }) => (error as Error).message).join()
    expect(reasons).toContain('block blob gas limit reached')
  })

  it('delegations of EIP-7702 count from the next transaction on', async () => {
    const plans: TransactionPlan[] = calls(12)
    const delegate = (nonce: bigint) => ({
      type: 4,
      authorizationList: [authorize(eve!, counter, nonce)],
    })
    plans[2] = { from: alice!, to: eve!.address, nonce: 1n, fields: delegate(0n) }
    plans[5] = { from: bob!, to: eve!.address }
    plans[6] = { from: eve!, to: eve!.address, nonce: 1n }
    plans[8] = { from: carol!, to: eve!.address, fields: delegate(9n) }
    await build(kind, { plans })
  })

  it('withdrawals are paid and requests of Prague are made', async () => {
    const plans = calls(16)
    for (const [index, to] of Object.values(systemContracts).entries()) {
      plans[2 * index] = { ...plans[2 * index]!, to, data: addressWord(counter), value: 1n }
    }
    const withdrawals = [
      { index: 0n, validatorIndex: 1n, address: dave!.address, amount: 5n },
      { index: 1n, validatorIndex: 1n, address: contracts.children[0]!, amount: 0n },
    ]
    const { stock } = await build(kind, { plans, options: { withdrawals } })
    expect(stock.built.requests?.length).toBeGreaterThan(1)
  })

  it('the coinbase sends, receives and is paid', async () => {
    const plans = calls(12).map((plan, index) =>
      index % 3 === 1 ? { ...plan, to: alice!.address, value: 3n } : plan,
    )
    plans[7] = { from: bob!, to: contracts.reader, data: addressWord(alice!.address) }
    plans[8] = { from: alice!, to: carol!.address, value: 100n * ether }
    plans[9] = { from: alice!, to: carol!.address, value: 99n * ether }
    await build(kind, { plans, header: { coinbase: alice!.address } })
  })

  it('a nonce gap is refused although its filler follows, and repeated ones are', async () => {
    const plans = [1n, 0n, 1n, 1n, 0n, 3n, 2n, 3n, 4n].map((nonce) => ({
      from: alice!,
      to: counter,
      nonce,
    }))
    const { ours } = await build(kind, { plans })
    expect(ours.skipped.map(({ index }) => index)).toEqual([0, 3, 4, 5])
  })

  it('of one sender the poor transaction falls out, and those that need its nonce', async () => {
    const plans = calls(12)
    plans[3] = { from: alice!, to: counter, nonce: 1n, value: 1_000n * ether }
    await build(kind, { plans })
  })

  it('contracts come, go and come again from chunk to chunk', async () => {
    // Far more gas is asked for than used, so the workers get a few at a time.
    const { factory, children } = contracts
    const plans = Array.from({ length: 48 }, (_, index) => ({
      from: actors[index % 6]!,
      to: [factory, children[0]!, counter, contracts.reader][index % 4]!,
      data: addressWord(children[0]!),
      gasLimit: 1_000_000n,
    }))
    for (const hardfork of ['london', 'shanghai', 'prague']) {
      const { ours } = await build(kind, { hardfork, plans, header: { gasLimit: 8_000_000n } })
      expect(ours.included.length).toBeGreaterThan(12)
      expect(ours.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })

  it('a transaction of a foreign chain spoils the block as it does with stock', async () => {
    const world = await fullWorld()
    const pool = signedPool(world, calls(16))
    const common = new Common({ chain: { ...Mainnet, chainId: 99 }, hardfork: 'prague' })
    const plain = { gasPrice: 20n, gasLimit: 100_000n, to: counter, nonce: 2n }
    pool[9] = createTx(plain, { common }).sign(bob!.privateKey)
    const opts = buildOptions(world)
    const stock = await buildBlock(await world.vm(), opts)
    const errors: unknown[] = []
    for (const tx of pool)
      await stock.addTransaction(tx).catch((e: Error) => errors.push(e.message))
    const ours = await executor.buildBlock(await fullVm(world, kind), opts)
    const { skipped } = await ours.addTransactions(pool)
    expect(skipped.map(({ error }) => (error as Error).message)).toEqual(errors)
    expect(errors.length).toBeGreaterThan(0)
    const error = await stock.build().catch((e: Error) => e)
    expect(error).toBeInstanceOf(Error)
    await expect(ours.build()).rejects.toThrow((error as Error).message)
  })

  it('creations with too much code, unsigned ones and odd rules end as with stock', async () => {
    const world = await fullWorld()
    const pool = signedPool(world, calls(24))
    const old = new Common({ chain: Mainnet, hardfork: 'london' })
    const plain = { gasPrice: 20n, gasLimit: 2_000_000n, to: counter }
    const bare = (nonce: bigint, common: Common, fields: object = {}): TypedTransaction =>
      createTx({ ...plain, nonce, ...fields }, { common }).sign(bob!.privateKey)
    pool[5] = createTx({ ...plain, nonce: 0n }, { common: world.common })
    pool[9] = bare(2n, old)
    pool[13] = bare(2n, world.common.copy())
    pool[15] = createTx(
      { ...plain, to: undefined, gasLimit: 9_000_000n, nonce: 2n, data: new Uint8Array(50_000) },
      { common: world.common, allowUnlimitedInitCodeSize: true },
    ).sign(carol!.privateKey)
    const sides = { stock: await world.vm(), ours: await fullVm(world, kind) }
    const both = await buildBoth(executor, sides, buildOptions(world), pool)
    expect(both.differences).toEqual([])
  })

  it('one by one and all at once alternate, and revert takes all of it back', async () => {
    const world = await fullWorld()
    const vm = await fullVm(world, kind)
    const stockVm = await world.vm()
    const root = (await stockVm.stateManager.getStateRoot()).slice()
    const plans = calls(24)
    plans[3] = { from: alice!, data: deployer(childInit, [0x2a, 5, 'SSTORE']) }
    const pool = signedPool(world, plans)
    const opts = buildOptions(world)
    const reverted = await executor.buildBlock(vm, opts)
    await reverted.addTransaction(pool[0]!)
    await reverted.addTransactions(pool.slice(1, 12), noBlobs)
    await reverted.addTransaction(pool[12]!)
    await reverted.revert()
    expect(await vm.stateManager.getStateRoot()).toEqual(root)
    const stock = await buildWithStock(stockVm, opts, pool)
    const builder = await executor.buildBlock(vm, opts)
    await builder.addTransactions(pool.slice(0, 8), noBlobs)
    await builder.addTransaction(pool[8]!)
    await builder.addTransactions(pool.slice(9), noBlobs)
    const { block } = await builder.build()
    expect(sameBlock(block, stock.built.block)).toEqual([])
    expect(await compareStateRoots(stockVm, vm)).toEqual([])
    expect(await replayed(await world.vm(), block)).toEqual([])
  })

  it('writes of the user between two calls are seen', async () => {
    const world = await fullWorld()
    const opts = buildOptions(world)
    const pool = signedPool(world, calls(16))
    const meddle = async ({ stateManager }: VM): Promise<void> => {
      await stateManager.modifyAccountFields(alice!.address, { balance: 1n })
      await stateManager.putStorage(counter, new Uint8Array(32), Uint8Array.of(77))
    }
    const [stockVm, vm] = [await world.vm(), await fullVm(world, kind)]
    const stock = await buildBlock(stockVm, opts)
    const ours = await executor.buildBlock(vm, opts)
    for (const tx of pool.slice(0, 8)) await stock.addTransaction(tx)
    await ours.addTransactions(pool.slice(0, 8))
    await meddle(stockVm)
    await meddle(vm)
    for (const tx of pool.slice(8)) await stock.addTransaction(tx).catch(() => {})
    const { skipped } = await ours.addTransactions(pool.slice(8))
    expect(skipped.map(({ index }) => index)).toEqual([4])
    const [expected, built] = [await stock.build(), await ours.build()]
    expect(sameBlock(built.block, expected.block)).toEqual([])
  })

  it('blocks follow blocks, built and run in turn', async () => {
    const world = await fullWorld()
    const [stockVm, vm] = [await world.vm(), await fullVm(world, kind)]
    const plans = calls(30).map((plan, index) => ({
      ...plan,
      nonce: BigInt(Math.floor(index / 6)),
    }))
    const pool = signedPool(world, plans)
    for (let number = 20; number < 25; number++) {
      const part = pool.slice((number - 20) * 6, (number - 19) * 6)
      const opts = buildOptions(world, { number: BigInt(number) })
      const stock = await buildWithStock(stockVm, opts, part)
      if (number % 2 === 0) {
        const builder = await executor.buildBlock(vm, opts)
        await builder.addTransactions(part)
        const { block } = await builder.build()
        expect(sameBlock(block, stock.built.block)).toEqual([])
      } else {
        const run = { skipHeaderValidation: true, skipBlockValidation: true }
        await executor.runBlock(vm, { block: stock.built.block, ...run })
      }
      expect(await compareStateRoots(stockVm, vm)).toEqual([])
    }
  })

  it('a listener for steps hears all of them, from the calling thread', async () => {
    const world = await fullWorld()
    const sides = { stock: await world.vm(), ours: await fullVm(world, kind) }
    const [heardByStock, heard]: [string[], string[]] = [[], []]
    sides.stock.evm.events!.on('step', ({ opcode }) => void heardByStock.push(opcode.name))
    sides.ours.evm.events!.on('step', ({ opcode }) => void heard.push(opcode.name))
    const both = await buildBoth(executor, sides, buildOptions(world), signedPool(world, calls(8)))
    expect(both.differences).toEqual([])
    expect(heard.length).toBeGreaterThan(8)
    expect(heard).toEqual(heardByStock)
    expect(both.ours.parallel.mode).toBe('sequential')
  })

  it.each(['homestead', 'dao', 'tangerineWhistle', 'byzantium', 'amsterdam'])(
    'the rules of %s are kept',
    async (hardfork) => {
      const world = await fullWorld(hardfork)
      const plans = calls(12)
      plans[4] = { ...plans[4]!, nonce: 50n }
      const sides = { stock: await world.vm(), ours: await fullVm(world, kind) }
      const pool = signedPool(world, plans)
      const header = hardfork === 'dao' ? { number: 1_920_000n } : {}
      const opts = buildOptions(world, header)
      const both = await buildBoth(executor, sides, opts, pool).catch((error: Error) => error)
      if (both instanceof Error) {
        const stock = await buildWithStock(await world.vm(), opts, pool).catch((e: Error) => e)
        expect(compareAny(String(stock), String(both), 'error')).toEqual([])
      } else expect(both.differences).toEqual([])
    },
  )
})
