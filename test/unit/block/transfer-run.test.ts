// Runs of plain transfers in a block being built: who does them, and when that is given up.
// Authority on the report's count of direct ones. That blocks equal stock's is compared in every case, and
// with random pools in random-transfers.test.ts.
import { Common, Mainnet } from '@ethereumjs/common'
import { MerkleStateManager, SimpleStateManager } from '@ethereumjs/statemanager'
import { createTx, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import { Account, type Address, createAddressFromString } from '@ethereumjs/util'
import { createVM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import {
  buildBoth,
  buildOptions,
  buildWithStock,
  sameBlock,
  signedPool,
} from '../../support/build-both.ts'
import {
  makeBlock,
  makeWorld,
  sidesOf,
  type TransactionPlan,
  type World,
} from '../../support/hand-made-block.ts'
import { compareAny } from '../../support/oracle.ts'
import { type Actor, actors, contracts, ether } from '../../support/random-world.ts'
import { addOne } from '../../support/small-contracts.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter } = contracts
const many = 100

let executor: ParallelExecutor
let world: World
beforeAll(async () => {
  executor = await strictExecutor({ scheduler: 'auto' })
  world = await makeWorld({ accounts: { [counter.toString()]: { code: assembleHex(addOne) } } })
})
afterAll(() => executor?.close())

const actor = (index: number) => actors[index % 6] as Actor
const transfer = (index: number): TransactionPlan => ({
  from: actor(index),
  to: actor(index + 1).address,
  value: 1n,
  gasLimit: 21_000n,
})
const call = (index: number): TransactionPlan => ({
  ...transfer(index),
  to: counter,
  gasLimit: 60_000n,
})
const callWithData = (index: number): TransactionPlan => ({
  ...call(index),
  data: Uint8Array.of(1),
})
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i))

function build(plans: readonly TransactionPlan[], by = executor) {
  return buildPool(signedPool(world, plans), world, {}, by)
}

async function buildPool(
  pool: readonly TypedTransaction[],
  where = world,
  header: object = {},
  by = executor,
) {
  const both = await buildBoth(by, await sidesOf(where), buildOptions(where, header), pool)
  expect(both.differences).toEqual([])
  return both.ours.parallel
}

describe('a run of plain transfers', () => {
  it('is done by the calling thread, but for the first', async () => {
    const report = await build(times(many, transfer))
    expect(report).toMatchObject({ mode: 'inline', direct: many - 1, workers: 0, executions: 0 })
    expect(report.why).toMatch(/plain transfers/)
  })

  it('goes to the workers where it is short', async () => {
    const report = await build(times(31, transfer))
    expect(report).toMatchObject({ mode: 'parallel', executions: 31 })
    expect(report.direct).toBeUndefined()
  })

  it('goes to the workers where another scheduler than auto is asked for', async () => {
    const graph = await strictExecutor({ scheduler: 'graph' })
    const report = await build(times(many, transfer), graph)
    expect(report).toMatchObject({ mode: 'parallel', executions: many })
    await graph.close()
  })

  it('is a part of its own between calls, which the workers run', async () => {
    const plans = [...times(20, callWithData), ...times(150, transfer), ...times(20, callWithData)]
    const report = await build(plans)
    expect(report).toMatchObject({ mode: 'parallel', direct: 149 })
    expect(report.executions).toBe(40 + report.reExecutions)
  })

  it('ends where the calls that it looks like are too many, and the workers run the rest', async () => {
    const report = await build(times(many, call))
    expect(report.mode).toBe('parallel')
    expect(report.executions - report.reExecutions).toBe(many - 8)
    expect(report.direct).toBeUndefined()
  })

  it('is left to stock where a listener is told of each', async () => {
    const sides = await sidesOf(world)
    let heard = 0
    sides.ours.events.on('afterTx', () => void heard++)
    const pool = signedPool(world, times(many, transfer))
    const { differences, ours } = await buildBoth(executor, sides, buildOptions(world), pool)
    expect(differences).toEqual([])
    expect(heard).toBe(many)
    expect(ours.parallel.direct).toBeUndefined()
  })

  it('is left to stock where a listener comes midway', async () => {
    const { stock, ours } = await sidesOf(world)
    const opts = buildOptions(world)
    const pool = signedPool(world, times(270, transfer))
    const expected = await buildWithStock(stock, opts, pool)
    const builder = await executor.buildBlock(ours, opts)
    let heard = 0
    const { transactions } = builder as unknown as { transactions: unknown[] }
    const listen = (): void => {
      if (transactions.length === 0) setImmediate(listen)
      else ours.events.on('afterTx', () => void heard++)
    }
    setImmediate(listen)
    const { included, parallel } = await builder.addTransactions(pool)
    expect(compareAny(expected.included, included, 'included')).toEqual([])
    expect(sameBlock((await builder.build()).block, expected.built.block)).toEqual([])
    expect(heard).toBeGreaterThan(0)
    expect(parallel.direct).toBeGreaterThan(0)
    expect(heard).toBe(270 - (parallel.direct ?? 0) - 1)
  })
})

describe('among transfers', () => {
  it('a signature of nobody is skipped, wherever it stands', async () => {
    const pool = signedPool(world, times(many, transfer))
    const fields = { ...pool[40]!.toJSON(), type: 0, r: 5n } as TypedTxData
    const forged = createTx(fields, { common: world.common })
    for (const at of [0, 70]) {
      await buildPool([...pool.slice(0, at), forged, ...pool.slice(at)])
    }
  })

  it('one to a precompile that has paid before is run by the precompile', async () => {
    const two = createAddressFromString(`0x${'2'.padStart(40, '0')}`)
    const where = await makeWorld({ accounts: { [two.toString()]: { balance: 10n * ether } } })
    const pool = signedPool(
      where,
      times(many, (i) => ({ ...transfer(i), gasLimit: 50_000n })),
    )
    const unsigned = { to: actor(1).address, value: 5n, gasLimit: 50_000n, gasPrice: 20n }
    const { common } = where
    const impersonated = createTx({ ...unsigned, v: 37n, r: 1n, s: 1n }, { common, freeze: false })
    impersonated.getSenderAddress = () => two
    const last = signedPool(where, [{ from: actors[8]!, to: two, value: 9n, gasLimit: 50_000n }])
    await buildPool([...pool, impersonated, ...last], where)
  })

  it('those that do not fit are refused, and workers run what follows them', async () => {
    const unfit = { ...transfer(7), from: actors[9]!, gasLimit: 26_000_000n, nonce: 0n, value: 0n }
    const plans = times(2, () => [...times(100, transfer), unfit]).flat()
    const parallel = await buildPool(signedPool(world, plans), world, { gasLimit: 25_000_000n })
    expect(parallel.executions - parallel.reExecutions).toBe(200)
  })
})

describe('a call without data among transfers of another type, which stock runs', () => {
  const pay = (from: number, to: number, type: number, more = {}): TransactionPlan => ({
    ...transfer(from),
    from: actor(from),
    to: actor(to).address,
    fields: { type },
    ...more,
  })
  const dear = { ...call(2), value: 5n * ether, fields: { type: 0 } }
  const rest = times(40, (i) => pay(3 + (i % 3), 3 + ((i + 1) % 3), 2))

  it.each<[string, TransactionPlan]>([
    ['a payment to its caller', pay(0, 2, 2)],
    ['a payment of its caller with the same nonce', pay(2, 1, 2, { nonce: 0n })],
    ['a payment of its caller with the next', pay(2, 1, 2)],
  ])('has been seen by what follows: %s', async (_, next) => {
    const report = await build([pay(0, 1, 2), dear, next, ...rest])
    expect(report.direct).toBeGreaterThan(30)
  })
})

describe('what stock runs between chunks', () => {
  it('is seen by the workers that run the next', async () => {
    const other = new Common({ chain: Mainnet, hardfork: 'prague', eips: [7939] })
    const calls = (count: number) =>
      times(count, callWithData).map((it, i) => ({ ...it, from: actor(i % 3) }))
    const nonces = new Map<Actor, bigint>()
    const signedBy = (common: Common, count: number) =>
      makeBlock(common, { transactions: calls(count) }, nonces).transactions
    // Two are too few for the workers, and have rules of their own.
    await buildPool([
      ...signedBy(world.common, 12),
      ...signedBy(other, 2),
      ...signedBy(world.common, 12),
    ])
  })

  it('is all there is where nothing fits: stock then leaves touched accounts be', async () => {
    const { stock, ours } = await sidesOf(world)
    const touched = createAddressFromString(`0x${'abc2'.padStart(40, '0')}`)
    for (const { evm } of [stock, ours]) await evm.journal.putAccount(touched, new Account())
    const opts = buildOptions(world, { gasLimit: 20_000n })
    const { differences, ours: added } = await buildBoth(
      executor,
      { stock, ours },
      opts,
      signedPool(world, times(many, transfer)),
    )
    expect(differences).toEqual([])
    expect(added.skipped).toHaveLength(many)
    expect(await ours.stateManager.getAccount(touched)).toBeDefined()
  })
})

describe('a state manager', () => {
  it('that hands out what it holds is not changed before stock has run', async () => {
    const { common, blockchain } = await world.vm()
    const stateManager = new SimpleStateManager({ common })
    for (const { address } of actors) {
      await stateManager.putAccount(address, new Account(0n, 100n * ether))
    }
    const vm = await createVM({ common, blockchain, stateManager })
    const builder = await executor.buildBlock(vm, buildOptions(world))
    const { included, parallel } = await builder.addTransactions(
      signedPool(world, times(many, transfer)),
    )
    expect(included).toHaveLength(many)
    expect(parallel.direct).toBe(many - 1)
  })

  it('that cannot take what was done leaves a builder that can only be reverted', async () => {
    const { ours } = await sidesOf(world)
    const { stateManager } = ours
    const before = await stateManager.getStateRoot()
    const builder = await executor.buildBlock(ours, buildOptions(world))
    const own = stateManager.putAccount.bind(stateManager)
    let puts = 0
    stateManager.putAccount = async (...account) => {
      if (++puts > 9) throw new Error('the disk is full')
      return own(...account)
    }
    const pool = signedPool(world, times(many, transfer))
    await expect(builder.addTransactions(pool)).rejects.toThrow('the disk is full')
    stateManager.putAccount = own
    const isBroken = { code: 'BUILDER_BROKEN', cause: { message: 'the disk is full' } }
    await expect(builder.build()).rejects.toMatchObject(isBroken)
    await expect(builder.addTransaction(pool[0]!)).rejects.toMatchObject(isBroken)
    await expect(builder.addTransactions(pool)).rejects.toMatchObject(isBroken)
    await builder.revert()
    expect(await stateManager.getStateRoot()).toEqual(before)
  })
})

/** Takes a wei of whatever is put, which no transfer here foresees. */
class TaxingStateManager extends MerkleStateManager {
  override putAccount(address: Address, account?: Account): Promise<void> {
    if (account !== undefined && account.balance > 0n) account.balance -= 1n
    return super.putAccount(address, account)
  }
}

describe('a state manager that does otherwise', () => {
  it('has stock do all transfers, after some that came out otherwise', async () => {
    const taxing = await makeWorld({ StateManager: TaxingStateManager })
    const sides = await sidesOf(taxing)
    const pool = signedPool(taxing, times(many, transfer))
    const lenient = await strictExecutor({ scheduler: 'auto', fallback: true })
    const builder = await lenient.buildBlock(sides.ours, buildOptions(taxing))
    const { parallel } = await builder.addTransactions(pool)
    expect(parallel.direct).toBeUndefined()
    await builder.revert()
    await lenient.close()
  })
})
