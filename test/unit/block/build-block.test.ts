// Blocks built by the workers against blocks built by stock, one transaction after the other.
// Authority on admission: what fits, what is refused with which words, and that nothing of it is left.
// It must not use a fallback: a rescued block would prove nothing.
import { buildBlock } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AddTransactionsOpts, ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import {
  buildBoth,
  buildOptions,
  buildWithStock,
  noBlobs,
  sameBlock,
  signedPool,
} from '../../support/build-both.ts'
import {
  makeWorld,
  sidesOf,
  type TransactionPlan,
  type World,
} from '../../support/hand-made-block.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { addOne } from '../../support/small-contracts.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter } = contracts
let executor: ParallelExecutor
let world: World

beforeAll(async () => {
  executor = await strictExecutor()
  world = await makeWorld({ accounts: { [counter.toString()]: { code: assembleHex(addOne) } } })
})
afterAll(() => executor?.close())

const calls = (count: number): TransactionPlan[] =>
  Array.from({ length: count }, (_, index) => ({
    from: actors[index % 8]!,
    to: counter,
    gasLimit: 100_000n,
  }))

async function build(plans: readonly TransactionPlan[], header: object = {}) {
  const sides = { ...(await sidesOf(world)), replay: await world.vm() }
  return buildBoth(executor, sides, buildOptions(world, header), signedPool(world, plans))
}

describe('a pool of transactions', () => {
  it('that are all valid is built as stock builds it', async () => {
    const { differences, ours } = await build(calls(24))
    expect(differences).toEqual([])
    expect(ours.included).toHaveLength(24)
    expect(ours.parallel).toMatchObject({ mode: 'parallel', incidents: [], transactions: 24 })
  })

  it('with invalid ones in between loses those, and those that built on them', async () => {
    const plans = calls(24)
    plans[3] = { ...plans[3]!, nonce: 7n }
    plans[4] = { ...plans[4]!, value: 10n ** 30n }
    plans[9] = { ...plans[9]!, gasLimit: 20_000n }
    plans[10] = { ...plans[10]!, fields: { gasPrice: 1n } }
    const { differences, ours } = await build(plans)
    expect(differences).toEqual([])
    expect(ours.skipped.map(({ index }) => index)).toEqual([3, 4, 9, 10, 12, 17, 18, 20])
    expect(ours.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
  })

  it('that ask for more than the block has are taken as long as they fit', async () => {
    const plans = calls(24).map((plan, index) => ({
      ...plan,
      from: actors[index % 8]!,
      gasLimit: index % 5 === 4 ? 300_000n : 60_000n,
    }))
    const { differences, ours } = await build(plans, { gasLimit: 600_000n })
    expect(differences).toEqual([])
    expect(ours.skipped.length).toBeGreaterThan(0)
    expect(ours.included.length).toBeGreaterThan(5)
    expect(ours.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
  })
})

/** Ours alone, with the builder left open. */
async function open(plans: readonly TransactionPlan[], header: object = {}) {
  const vm = await world.vm()
  const builder = await executor.buildBlock(vm, buildOptions(world, header))
  const pool = signedPool(world, plans)
  const add = (options: AddTransactionsOpts = {}, from = 0) =>
    builder.addTransactions(pool.slice(from), { ...noBlobs, ...options })
  return { vm, builder, pool, add }
}

const messageOf = (error: unknown): string => (error as Error).message

describe('onFull: stop', () => {
  it('leaves the first that asks for more than is left, and all after it', async () => {
    const plans = calls(24).map((plan) => ({ ...plan, gasLimit: 60_000n }))
    plans[2] = { ...plans[2]!, nonce: 9n }
    const { builder, add } = await open(plans, { gasLimit: 400_000n })
    const { included, skipped, left, parallel } = await add({ onFull: 'stop' })
    expect(skipped.map(({ index }) => index)).toContain(2)
    const first = left[0]!
    expect(left).toEqual(Array.from({ length: 24 - first }, (_, index) => first + index))
    expect(included.length + skipped.length).toBe(first)
    expect(builder.gasUsed).toBeGreaterThan(340_000n)
    expect(parallel).toMatchObject({ mode: 'parallel', incidents: [], transactions: first })
  })

  it('stops at one that does not fit into an empty block, before anything is run', async () => {
    const plans = calls(6)
    plans[0] = { ...plans[0]!, gasLimit: 9_000_000n }
    const { add } = await open(plans, { gasLimit: 8_000_000n })
    expect(await add({ onFull: 'stop' })).toMatchObject({ included: [], left: [0, 1, 2, 3, 4, 5] })
  })
})

describe('onInvalid: throw', () => {
  it('throws the first error, with the transactions before it in the block', async () => {
    const plans = calls(24)
    plans[11] = { ...plans[11]!, nonce: 77n }
    const { vm, builder, pool, add } = await open(plans)
    const stock = await buildWithStock(await world.vm(), buildOptions(world), pool.slice(0, 12))
    await expect(add({ onInvalid: 'throw' })).rejects.toThrow(messageOf(stock.skipped[0]!.error))
    expect(builder.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    expect(builder.transactionReceipts).toHaveLength(11)
    // The block goes on as if the bad one had not been there.
    await builder.build()
    const root = (await vm.stateManager.getStateRoot()).slice()
    expect(root).toEqual(stock.built.block.header.stateRoot)
  })

  it('throws for one that does not fit, too', async () => {
    const plans = calls(6)
    plans[3] = { ...plans[3]!, gasLimit: 9_000_000n }
    const { builder, add } = await open(plans, { gasLimit: 8_000_000n })
    await expect(add({ onInvalid: 'throw' })).rejects.toThrow('than the remaining gas in the block')
    expect(builder.transactionReceipts).toHaveLength(3)
  })
})

describe('a deadline', () => {
  it('that has passed leaves everything', async () => {
    const { add } = await open(calls(8))
    const { included, skipped, left } = await add({ deadlineMs: 0 })
    expect({ included, skipped, left }).toEqual({
      included: [],
      skipped: [],
      left: [0, 1, 2, 3, 4, 5, 6, 7],
    })
  })

  it('ends the call, and the rest of the list makes the same block afterwards', async () => {
    const plans = calls(40)
    plans[7] = { ...plans[7]!, nonce: 77n }
    const { builder, pool, add } = await open(plans)
    const stock = await buildWithStock(await world.vm(), buildOptions(world), pool)
    const first = await add({ deadlineMs: 15 })
    const next = first.included.length + first.skipped.length
    expect(first.left).toEqual(Array.from({ length: 40 - next }, (_, index) => next + index))
    const second = await add({}, next)
    expect(second.left).toEqual([])
    const { block } = await builder.build()
    expect(sameBlock(block, stock.built.block)).toEqual([])
  })
})

describe('the scheduler auto', () => {
  it('gives the same block, whoever it finds to execute', async () => {
    const auto = await strictExecutor({ scheduler: 'auto' })
    const chain = calls(12).map((plan) => ({ ...plan, from: actors[0]! }))
    chain[5] = { ...chain[5]!, nonce: 99n }
    const modes = new Set<string>()
    for (const count of [3, 12, 12, 12]) {
      const sides = await sidesOf(world)
      const pool = signedPool(world, chain.slice(0, count))
      const { differences, ours } = await buildBoth(auto, sides, buildOptions(world), pool)
      expect(differences).toEqual([])
      modes.add(ours.parallel.mode)
    }
    // The first is too short for threads, whatever was learned.
    expect(modes).toContain('inline')
    await auto.close()
  })
})

describe('a builder', () => {
  it('shows the state in between that stock shows', async () => {
    const { vm, builder, pool, add } = await open(calls(24))
    await add()
    const stockVm = await world.vm()
    const stock = await buildBlock(stockVm, buildOptions(world))
    for (const tx of pool) await stock.addTransaction(tx)
    for (const address of [counter, ...actors.map((actor) => actor.address)]) {
      const account = await vm.stateManager.getAccount(address)
      expect(account).toEqual(await stockVm.stateManager.getAccount(address))
    }
    expect(builder.gasUsed).toBe(stock.gasUsed)
    expect(builder.minerValue).toBe(stock.minerValue)
    expect(builder.transactionReceipts).toEqual(stock.transactionReceipts)
  })

  it('takes transactions one by one and many at once in turn', async () => {
    const plans = calls(24)
    plans[9] = { ...plans[9]!, nonce: 77n }
    const { builder, pool } = await open(plans)
    const stock = await buildWithStock(await world.vm(), buildOptions(world), pool)
    await builder.addTransaction(pool[0]!)
    await builder.addTransactions(pool.slice(1, 12))
    await builder.addTransaction(pool[12]!)
    await builder.addTransactions(pool.slice(13))
    const { block } = await builder.build()
    expect(sameBlock(block, stock.built.block)).toEqual([])
    expect(builder.getStatus()).toMatchObject({ status: 'build' })
  })

  it('that is reverted leaves the state as it was, and another can begin', async () => {
    const { vm, builder, pool, add } = await open(calls(24))
    const root = (await (await world.vm()).stateManager.getStateRoot()).slice()
    expect((await add()).included).toHaveLength(24)
    await builder.revert()
    expect(await vm.stateManager.getStateRoot()).toEqual(root)
    await expect(add()).rejects.toThrow('State has already been reverted')
    const stock = await buildWithStock(await world.vm(), buildOptions(world), pool)
    const other = await executor.buildBlock(vm, buildOptions(world))
    await other.addTransactions(pool)
    const { block } = await other.build()
    expect(sameBlock(block, stock.built.block)).toEqual([])
  })

  it('refuses more when the block is built, in the words of stock', async () => {
    const { builder, add } = await open(calls(4))
    await builder.build()
    await expect(add()).rejects.toThrow('Block has already been built')
    await expect(builder.build()).rejects.toThrow('Block has already been built')
    expect(() => builder.addWithdrawals([])).toThrow('Block has already been built')
  })

  it('does one thing at a time', async () => {
    const { builder, pool, add } = await open(calls(24))
    const adding = add()
    const isBusy = { name: 'ParallelError', code: 'BUILDER_BUSY' }
    await expect(builder.addTransaction(pool[0]!)).rejects.toMatchObject(isBusy)
    await expect(builder.build()).rejects.toMatchObject(isBusy)
    await expect(builder.revert()).rejects.toMatchObject(isBusy)
    await expect(add()).rejects.toMatchObject(isBusy)
    expect((await adding).included).toHaveLength(24)
  })

  it('pays withdrawals that are added later', async () => {
    const { vm, builder } = await open([])
    const address = actors[7]!.address
    const before = (await vm.stateManager.getAccount(address))?.balance ?? 0n
    builder.addWithdrawals([{ index: 0n, validatorIndex: 0n, address, amount: 5n }])
    const { block } = await builder.build()
    expect(block.withdrawals).toHaveLength(1)
    const after = await vm.stateManager.getAccount(address)
    expect(after?.balance).toBe(before + 5n * 10n ** 9n)
  })

  it('says why where the calling thread does all', async () => {
    const { vm, builder, add } = await open(calls(8))
    vm.events.on('beforeTx', () => {})
    expect((await add()).included).toHaveLength(8)
    expect(builder.parallel).toMatchObject({ mode: 'sequential', workers: 0 })
    expect(builder.parallel?.why).toContain('listeners')
  })

  it.each([
    [{ onFull: 'halt' }, 'Option "onFull" is "halt"; it must be "skip" or "stop"'],
    [{ onInvalid: 1 }, 'Option "onInvalid" is 1; it must be "skip" or "throw"'],
    [{ deadlineMs: -1 }, 'Option "deadlineMs" is -1'],
    [{ deadline: 5 }, 'Unknown option "deadline"'],
    [{ allowNoBlobs: 'yes' }, 'Option "allowNoBlobs" is "yes"; it must be true or false'],
  ])('refuses the options %j', async (options, message) => {
    const { builder } = await open([])
    const refused = builder.addTransactions([], options as AddTransactionsOpts)
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(refused).rejects.toThrow(message)
  })
})
