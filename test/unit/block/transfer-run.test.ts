// Runs of plain transfers in a block being built: who does them, and when that is given up.
// Authority on the report's count of direct ones. That blocks equal stock's is compared in every case, and
// with random pools in random-transfers.test.ts.
import { MerkleStateManager } from '@ethereumjs/statemanager'
import type { Account, Address } from '@ethereumjs/util'
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
  makeWorld,
  sidesOf,
  type TransactionPlan,
  type World,
} from '../../support/hand-made-block.ts'
import { compareAny } from '../../support/oracle.ts'
import { type Actor, actors, contracts } from '../../support/random-world.ts'
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

async function build(plans: readonly TransactionPlan[], by = executor, where = world) {
  const both = await buildBoth(
    by,
    await sidesOf(where),
    buildOptions(where),
    signedPool(where, plans),
  )
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
    const report = await build(times(63, transfer))
    expect(report).toMatchObject({ mode: 'parallel', executions: 63 })
    expect(report.direct).toBeUndefined()
  })

  it('goes to the workers where another scheduler than auto is asked for', async () => {
    const graph = await strictExecutor({ scheduler: 'graph' })
    const report = await build(times(many, transfer), graph)
    expect(report).toMatchObject({ mode: 'parallel', executions: many })
    await graph.close()
  })

  it('is a part of its own between calls, which the workers run', async () => {
    const plans = [...times(20, callWithData), ...times(many, transfer), ...times(20, callWithData)]
    const report = await build(plans)
    expect(report).toMatchObject({ mode: 'parallel', direct: many - 1 })
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
    const pool = signedPool(world, times(300, transfer))
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
    expect(heard).toBe(300 - (parallel.direct ?? 0) - 1)
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
