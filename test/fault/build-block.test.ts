// Builders whose workers die, whose memory is full, whose state cannot be read, whose executor is closed.
// Authority on what is in the block then: what stock would have put there, or what was found before.
// It must not wait for a time to pass: a block is held by an account that it needs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor, ParallelOptions } from '../../src/index.ts'
import { assembleHex } from '../support/assembler.ts'
import {
  buildBoth,
  buildOptions,
  buildWithStock,
  sameBlock,
  signedPool,
} from '../support/build-both.ts'
import { threadsOf } from '../support/executor-internals.ts'
import { expectTold } from '../support/expect-told.ts'
import {
  makeWorld,
  sidesOf,
  spin,
  type TransactionPlan,
  type World,
} from '../support/hand-made-block.ts'
import { farAway, holdAccount, nextTurn } from '../support/held-account.ts'
import { actors, addressWord, contracts } from '../support/random-world.ts'
import { addOne, witnessCode } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { counter, hot, reader } = contracts
const slow = hot[0]!
const workers = 2
let world: World
let executor: ParallelExecutor

/** Transaction `held` looks at the account that tests hold; by default, none does. */
const plansOf = (held = Number.NaN): TransactionPlan[] =>
  Array.from({ length: 32 }, (_, index) => ({
    from: actors[index % 8]!,
    ...(index === held
      ? { to: reader, data: addressWord(farAway) }
      : { to: index % 3 === 0 ? counter : slow }),
    ...(index % 9 === 5 ? { nonce: 1_000n } : {}),
  }))
const plans = plansOf()

beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { code: assembleHex(spin(500), addOne) },
      [slow.toString()]: { code: assembleHex(spin(5_000), ['CALLER', 'DUP1', 'SSTORE']) },
      [reader.toString()]: { code: witnessCode, nonce: 1n },
    },
  })
  executor = await strictExecutor({ workers, fallback: true })
})
afterAll(() => executor?.close())

/** Both ways; `disturb` is called when a worker has asked for what transaction `held` looks at. */
async function buildDisturbed(held: number, disturb: () => Promise<unknown>) {
  const sides = { ...(await sidesOf(world)), replay: await world.vm() }
  const { asked, answer } = holdAccount(sides.ours)
  const pool = signedPool(world, plansOf(held))
  const building = buildBoth(executor, sides, buildOptions(world), pool)
  await Promise.race([asked, building])
  await disturb()
  await nextTurn()
  answer()
  return building
}

/** The next block is the workers' alone. */
async function expectHealed(): Promise<void> {
  const sides = await sidesOf(world)
  const next = await buildBoth(executor, sides, buildOptions(world), signedPool(world, plans))
  expect(next.differences).toEqual([])
  expect(next.ours.parallel).toMatchObject({ mode: 'parallel', workers, incidents: [] })
}

describe('a worker that is killed', () => {
  it.each([0, 9, 18, 31])(
    'while transaction %i waits changes nothing in the block',
    async (held) => {
      const { differences, ours } = await buildDisturbed(held, async () => {
        await threadsOf(executor)[held % workers]?.terminate()
      })
      expect(differences).toEqual([])
      expectTold(ours.parallel, held)
      await expectHealed()
    },
  )

  it('with all others changes nothing in the block either', async () => {
    const { differences, ours } = await buildDisturbed(12, () =>
      Promise.all(threadsOf(executor).map((thread) => thread.terminate())),
    )
    expect(differences).toEqual([])
    expectTold(ours.parallel, 12)
    await expectHealed()
  })
})

describe('a listener that is added while workers run', () => {
  it('is told of the transactions that are left, and no incident is made of it', async () => {
    const told: unknown[] = []
    const sides = { ...(await sidesOf(world)), replay: await world.vm() }
    const { asked, answer } = holdAccount(sides.ours)
    const strict = await strictExecutor()
    const pool = signedPool(world, plansOf(12))
    const building = buildBoth(strict, sides, buildOptions(world), pool)
    await asked
    sides.ours.events.on('afterTx', ({ transaction }) => void told.push(transaction))
    answer()
    const { differences, ours } = await building
    expect(differences).toEqual([])
    expect(ours.parallel.incidents).toEqual([])
    const included = ours.included.map(({ index }) => pool[index])
    expect(told.length).toBeGreaterThan(0)
    expect(told).toEqual(included.slice(included.length - told.length))
    expect(included).toContain(pool[12])
    expect(told).toContain(pool[12])
    await strict.close()
  })
})

describe('memory that is too small', () => {
  const tiny: ParallelOptions = { maxBlockMiB: 1, maxStateMiB: 1 }
  const big = Array.from({ length: 40 }, (_, index) => ({
    from: actors[index % 8]!,
    to: counter,
    data: new Uint8Array(60_000).fill(1),
    gasLimit: 2_700_000n,
  }))

  it('is made up for by the calling thread', async () => {
    const small = await strictExecutor({ ...tiny, fallback: true })
    const opts = buildOptions(world, { gasLimit: 200_000_000n })
    const both = await buildBoth(small, await sidesOf(world), opts, signedPool(world, big))
    expect(both.differences).toEqual([])
    expect(both.ours.parallel.incidents.length).toBeGreaterThan(0)
    expect(both.ours.parallel.fallbackFrom).toBeDefined()
    await small.close()
  })

  it('rejects without a fallback, and the builder stays usable', async () => {
    const small = await strictExecutor(tiny)
    const opts = buildOptions(world, { gasLimit: 200_000_000n })
    const pool = signedPool(world, big)
    const builder = await small.buildBlock(await world.vm(), opts)
    await expect(builder.addTransactions(pool)).rejects.toMatchObject({ code: 'FALLBACK_DISABLED' })
    const found = builder.transactionReceipts.length
    const stock = await buildWithStock(await world.vm(), opts, pool.slice(0, found))
    const { block } = await builder.build()
    expect(sameBlock(block, stock.built.block)).toEqual([])
    await small.close()
  })
})

it('a state that cannot be read rejects, and no transaction is blamed for it', async () => {
  const vm = await world.vm()
  const builder = await executor.buildBlock(vm, buildOptions(world))
  vm.stateManager.getStorage = () => Promise.reject(new Error('the disk is gone'))
  const pool = signedPool(world, plans)
  await expect(builder.addTransactions(pool)).rejects.toThrow('the disk is gone')
  const stock = await buildWithStock(await world.vm(), buildOptions(world), pool)
  const found = builder.transactionReceipts
  expect(found).toEqual(stock.included.slice(0, found.length).map(({ result }) => result.receipt))
})

it.each([undefined, 0, 17])(
  'close() rejects a call (held at %s), and the builder can be reverted',
  async (held) => {
    const closing = await strictExecutor()
    const vm = await world.vm()
    const root = (await vm.stateManager.getStateRoot()).slice()
    const { asked, answer } = holdAccount(vm)
    const builder = await closing.buildBlock(vm, buildOptions(world))
    const adding = builder.addTransactions(signedPool(world, plansOf(held)))
    const refused = expect(adding).rejects.toMatchObject({ code: 'EXECUTOR_CLOSED' })
    if (held !== undefined) await Promise.race([asked, adding])
    const closed = closing.close()
    answer()
    await closed
    await refused
    await builder.revert()
    expect(await vm.stateManager.getStateRoot()).toEqual(root)
  },
)

it('a closed executor leaves a builder that builds what it has', async () => {
  const closing = await strictExecutor()
  const builder = await closing.buildBlock(await world.vm(), buildOptions(world))
  const pool = signedPool(world, plans)
  await builder.addTransactions(pool.slice(0, 12))
  await closing.close()
  const more = builder.addTransactions(pool.slice(12))
  await expect(more).rejects.toMatchObject({ code: 'EXECUTOR_CLOSED' })
  const stock = await buildWithStock(await world.vm(), buildOptions(world), pool.slice(0, 12))
  const { block } = await builder.build()
  expect(sameBlock(block, stock.built.block)).toEqual([])
})
