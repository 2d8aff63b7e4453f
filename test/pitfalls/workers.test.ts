// Workers and what they share: wake-ups, estimates, identities, memory used again, deaths and waits.
// Authority on pitfalls 11, 12, 13, 17, 18, 20 and 22. It must not use a fallback but where it is about it.
import { Address, generateAddress } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodeCache } from '../../src/execution/code-cache.ts'
import { BASE_WRITER, type LocationId, NOTHING } from '../../src/ids.ts'
import { createParallelExecutor, type ParallelExecutor } from '../../src/index.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import { ACCOUNT, LOCATION, SLOT } from '../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../src/memory/shared-region.ts'
import { LocationTable } from '../../src/mvcc/location-table.ts'
import { ReadSetRecorder } from '../../src/mvcc/read-set.ts'
import { FOUND } from '../../src/mvcc/version-store.ts'
import { LaneBoard } from '../../src/workers/lanes.ts'
import { assemble, assembleHex, deployer } from '../support/assembler.ts'
import { collidingAddresses, collidingSlotKeys } from '../support/colliding-keys.ts'
import { threadsOf } from '../support/executor-internals.ts'
import {
  type BlockPlan,
  expectEqualInParallel,
  makeBlock,
  makeWorld,
  runBoth,
  type World,
} from '../support/hand-made-block.ts'
import { parallelImplementation } from '../support/implementation.ts'
import { compareAny } from '../support/oracle.ts'
import { type Actor, actors, numberWord } from '../support/random-world.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { customPrecompiles, precompileAddress } from '../support/worker-setups/answering.ts'
import { misbehaviour } from '../support/worker-setups/misbehaving.ts'
import { LayersInMemory, transactionAt } from './layers-in-memory.ts'
import {
  cells,
  delay,
  expectEqualEveryTime,
  logged,
  named,
  readSlot,
  relayed,
  stage,
  turnsOf,
  visit,
  writeSlot,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave] = actors as [Actor, Actor, Actor, Actor]
const counter = named('counter')
const options = { generate: true, skipBlockValidation: true }
const misbehaving = new URL('../support/worker-setups/misbehaving.ts', import.meta.url)

let executor: ParallelExecutor
let world: World
/** The same with a precompile of the user, which is good on this thread. */
let userWorld: World

beforeAll(async () => {
  const accounts = {
    ...stage,
    // Waits between reading and writing, so that every transaction is overtaken.
    [counter.toString()]: {
      nonce: 1n,
      code: assembleHex(
        [0, 'SLOAD'],
        delay(0, 'think'),
        [1, 'ADD', 'DUP1', 0, 'SSTORE'],
        [...([0, 'MSTORE', 32, 0, 'LOG0'] as const)],
      ),
    },
  }
  executor = await strictExecutor()
  world = await makeWorld({ accounts })
  userWorld = await makeWorld({ accounts, evmOpts: { customPrecompiles } })
})
afterAll(() => executor?.close())

function chain(length: number, turns: (most?: number) => number, senders = 4): BlockPlan {
  return {
    transactions: Array.from({ length }, (_, index) => ({
      from: actors[index % senders]!,
      to: counter,
      data: numberWord(turns()),
    })),
  }
}

async function pair(where = world): Promise<{ stock: VM; ours: VM }> {
  return { stock: await where.vm(), ours: await where.vm() }
}

describe('workers', () => {
  it('11. writes of a failed validation stay estimates until re-executed: readers wait and do not guess', () => {
    const layers = new LayersInMemory(3)
    const { scheduler, store } = layers
    const slot = layers.slot(layers.account(1), 1)
    const other = layers.slot(layers.account(1), 2)
    const [head, otherHead] = [slot + SLOT.HEAD, other + SLOT.HEAD] as [LocationId, LocationId]
    for (let index = 0; index < 3; index++) scheduler.claimExecution(3)

    // Transaction 1 ran on the base and wrote; then transaction 0 wrote what it had read.
    const reads = new ReadSetRecorder()
    reads.recordSlot(otherHead, BASE_WRITER, 0, undefined, 0)
    const write = layers.publish(1, 0, LOCATION.SLOT, head, 5n)
    layers.leave(1, reads, [write])
    scheduler.finish(transactionAt(1), true)
    const cause = layers.publish(0, 0, LOCATION.SLOT, otherHead, 1n)
    layers.leave(0, new ReadSetRecorder(), [cause])
    scheduler.finish(transactionAt(0), true)
    while (scheduler.validateNext());
    scheduler.commit()

    const seen = (): number => store.find(head, transactionAt(2))
    expect(scheduler.incarnation(transactionAt(1))).toBe(1)
    expect([seen(), store.writer]).toEqual([FOUND.ESTIMATE, 1])
    // Neither other work nor the claim of the repetition changes that.
    expect(scheduler.commit()).toBe(false)
    expect(scheduler.claimExecution(3)).toBe(1)
    while (scheduler.validateNext());
    expect([seen(), store.writer]).toEqual([FOUND.ESTIMATE, 1])
    layers.publish(1, 1, LOCATION.SLOT, head, 6n)
    expect([seen(), store.incarnation]).toEqual([FOUND.VERSION, 1])
    store.markEstimate(write.node)
    store.withdraw(write.node)
    expect(seen()).toBe(FOUND.BASE)
  })

  it('11. writes of a failed validation stay estimates until re-executed: a block that aborts a lot', async () => {
    await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: [
        relayed(alice, cells, turns(3000), writeSlot(1, 2)),
        ...chain(6, turns).transactions.map((one) => ({ ...one, from: bob })),
        relayed(carol, cells, 0, readSlot(1)),
        ...chain(6, turns).transactions.map((one) => ({ ...one, from: dave })),
        relayed(carol, cells, turns(), writeSlot(1, 3)),
        relayed(dave, cells, 0, readSlot(1)),
      ],
    }))
  })

  it('12. stale wake-ups: a verdict on one incarnation does not abort the next', () => {
    let validating = false
    const layers: LayersInMemory = new LayersInMemory(2, {
      refutes: (transaction, isFinal) => {
        if (transaction !== 0 || isFinal || validating) return true
        // While this verdict is being formed, another worker aborts and repeats the transaction.
        validating = true
        layers.scheduler.commit()
        expect(layers.scheduler.claimExecution(2)).toBe(0)
        layers.scheduler.finish(transactionAt(0), false)
        return true
      },
      markEstimates: (transaction) => aborted.push(layers.scheduler.incarnation(transaction)),
      committed: () => {},
    })
    const aborted: number[] = []
    layers.scheduler.claimExecution(2)
    layers.scheduler.finish(transactionAt(0), true)
    layers.scheduler.validateNext()
    expect(aborted).toEqual([0])
    expect(layers.scheduler.incarnation(transactionAt(0))).toBe(1)
    expect(layers.scheduler.isSettled(0)).toBe(true)
  })

  it('12. stale wake-ups: who is woken looks again, and sleeps on if what it waits for was undone', async () => {
    let refuted = false
    const layers = new LayersInMemory(3, {
      refutes: (transaction) => transaction === 1 && refuted,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler, control, state } = layers
    const board = new LaneBoard(control, state, scheduler, nativeAtomics)
    for (let index = 0; index < 3; index++) scheduler.claimExecution(3)
    let resumed = 0
    await board.run(() => {
      void board
        .waits(transactionAt(2))
        .transaction(1)
        .then(() => resumed++)
    })
    scheduler.finish(transactionAt(0), false)
    expect(board.takeReady()).toBeUndefined()
    scheduler.finish(transactionAt(1), false)
    refuted = true
    while (scheduler.validateNext());
    expect(scheduler.isSettled(1)).toBe(false)
    expect(board.takeReady()).toBeUndefined()
    refuted = false
    expect(scheduler.claimExecution(3)).toBe(1)
    expect(board.takeReady()).toBeUndefined()
    scheduler.finish(transactionAt(1), false)
    board.takeReady()?.()
    await Promise.resolve()
    expect(resumed).toBe(1)
    expect(board.takeReady()).toBeUndefined()
  })

  it('12. stale wake-ups: a transaction deferred to one that has just settled is not forgotten', () => {
    const layers = new LayersInMemory(2, {
      refutes: () => false,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler } = layers
    expect([scheduler.claimExecution(2), scheduler.claimExecution(2)]).toEqual([0, 1])
    scheduler.finish(transactionAt(0), true)
    scheduler.defer(transactionAt(1), transactionAt(0))
    expect(scheduler.claimExecution(2)).toBe(1)
    // Its wait is over: nothing that happens to the blocker later makes it ready a second time.
    scheduler.commit()
    expect(scheduler.claimExecution(2)).toBe(NOTHING)
  })

  it('13. block n+1 starts on what block n left, and leaves the results of block n alone', async () => {
    const sides = await pair()
    const nonces = new Map<Actor, bigint>()
    const kept: { result: unknown; copy: unknown }[] = []
    for (let number = 20n; number < 26n; number++) {
      const turns = turnsOf(Number(number))
      const plan = { ...chain(8, turns), number, coinbase: carol.address }
      const block = makeBlock(world.common, plan, nonces)
      const run = await runBoth(executor, sides, block)
      expect(run.differences).toEqual([])
      const { receipts, logsBloom, stateRoot, gasUsed } = run.result!
      const result = { receipts, logsBloom, stateRoot, gasUsed }
      kept.push({ result, copy: structuredClone(result) })
    }
    for (const { result, copy } of kept) {
      expect(
        compareAny(JSON.stringify(copy, plain), JSON.stringify(result, plain), 'kept'),
      ).toEqual([])
    }
  })

  it("13. block n+1 with another state waits its turn, and bytes of results are nobody else's", async () => {
    const { runBlock } = await import('@ethereumjs/vm')
    const plans = [0, 1, 2, 3].map((round) => chain(8, turnsOf(round)))
    const blocks = plans.map((plan) => makeBlock(world.common, plan))
    // All at once on one executor, and each spoils the bytes that it gets.
    const ours = await Promise.all(
      blocks.map(async (block) => {
        const vm = await world.vm()
        const { results, stateRoot, logsBloom } = await executor.runBlock(vm, { ...options, block })
        const root = stateRoot.slice()
        const gas = results.map(({ totalGasSpent }) => totalGasSpent)
        for (const { execResult, bloom } of results) {
          execResult.returnValue.fill(0xff)
          bloom.bitvector.fill(0xff)
          for (const [address, topics, data] of execResult.logs ?? []) {
            for (const bytes of [address, ...topics, data]) bytes.fill(0xff)
          }
        }
        logsBloom.fill(0xff)
        return { root, gas }
      }),
    )
    for (const [index, block] of blocks.entries()) {
      const stock = await runBlock(await world.vm(), { ...options, block })
      expect(ours[index]!.root).toEqual(stock.stateRoot)
      expect(ours[index]!.gas).toEqual(stock.results.map(({ totalGasSpent }) => totalGasSpent))
    }
  })

  it('17. shutdown while work is in flight: the block is refused, the state is as before, nothing hangs', async () => {
    for (const wait of [0, 3, 10]) {
      const closing = await strictExecutor()
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const block = makeBlock(
        world.common,
        chain(24, () => 4000),
      )
      const running = closing.runBlock(vm, { ...options, block })
      const outcome = running.catch((error: unknown) => error)
      await new Promise((resolve) => setTimeout(resolve, wait))
      await closing.close()
      expect(await outcome).toMatchObject({ name: 'ParallelError', code: 'EXECUTOR_CLOSED' })
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      expect(threadsOf(closing).length).toBe(0)
    }
  })

  it('17. a worker that dies neither hangs the block nor loses it', async () => {
    const rescuing = await strictExecutor({ workerSetup: misbehaving, fallback: true })
    try {
      const killed = runBoth(
        rescuing,
        await pair(),
        makeBlock(
          world.common,
          chain(12, () => 3000),
        ),
      )
      setTimeout(() => void threadsOf(rescuing)[0]?.terminate(), 15)
      expect((await killed).differences).toEqual([])
      const plan = {
        transactions: [
          ...chain(4, turnsOf(1)).transactions,
          { from: bob, to: precompileAddress, data: Uint8Array.of(misbehaviour.exits) },
          ...chain(4, turnsOf(2)).transactions,
        ],
      }
      const exited = await runBoth(
        rescuing,
        await pair(userWorld),
        makeBlock(userWorld.common, plan),
      )
      expect(exited.differences).toEqual([])
      expect(exited.report?.incidents.length).toBeGreaterThan(0)
    } finally {
      await rescuing.close()
    }
  })

  it('18. a fallback that hides a bug: the executors of the suites have none', async () => {
    const plan = {
      transactions: [
        { from: alice, to: counter },
        { from: bob, to: precompileAddress, data: Uint8Array.of(misbehaviour.exits) },
      ],
    }
    const block = makeBlock(userWorld.common, plan)
    const strict = await strictExecutor({ workerSetup: misbehaving })
    const suites = await parallelImplementation({ workers: 2, workerSetup: misbehaving })
    const usual = await createParallelExecutor({
      workers: 2,
      scheduler: 'optimistic',
      workerSetup: misbehaving,
    })
    try {
      for (const each of [strict, suites]) {
        const refused = each.runBlock(await userWorld.vm(), { ...options, block })
        await expect(refused).rejects.toMatchObject({ code: 'FALLBACK_DISABLED' })
      }
      // With the fallback, which is the default, the very same block succeeds, and says how.
      const run = await runBoth(usual, await pair(userWorld), block)
      expect(run.differences).toEqual([])
      expect(run.report?.fallbackFrom).toBeLessThan(2)
    } finally {
      await Promise.all([strict.close(), suites.close(), usual.close()])
    }
  })

  it('20. a cached code does not outlive its version: the same places hold other code in other blocks', async () => {
    for (let round = 0; round < 8; round++) {
      // Equal but for one byte, so that all lies where the former block's lay.
      const runtime = assemble([round + 1, 0, 'MSTORE', 32, 0, 'RETURN'])
      const made = named('nothing yet')
      const turns = turnsOf(round)
      const run = await expectEqualInParallel(executor, world, {
        transactions: [
          { from: alice, data: deployer(runtime) },
          visit(bob, made, turns()),
          { from: carol, data: deployer(runtime, [1, 1, 'SSTORE']) },
          visit(dave, createdBy(alice), turns()),
          visit(bob, createdBy(carol), turns()),
        ],
      })
      expect([3, 4].map((index) => logged(run, index)[4])).toEqual([
        BigInt(round + 1),
        BigInt(round + 1),
      ])
    }
  })

  it('20. a cached code does not outlive its version: what the block region held is forgotten', () => {
    const region = SharedRegion.create(1 << 16)
    const codes = new CodeCache()
    const write = (byte: number): void => {
      region.words[100] = 1
      region.bytes[101 * 4] = byte
    }
    write(1)
    expect([...codes.ofBlock(region, 100)]).toEqual([1])
    codes.forgetBlock()
    write(2)
    expect([...codes.ofBlock(region, 100)]).toEqual([2])
    expect([...codes.ofState(region, 100)]).toEqual([2])
    codes.forgetState()
    write(3)
    expect([...codes.ofState(region, 100)]).toEqual([3])
  })

  it('20. an id computed from a hash: keys with one hash have two records, always the same two', () => {
    const seed = 12345
    const state = SharedRegion.create(1 << 20)
    const buckets = new Int32Array(new SharedArrayBuffer(16))
    const newTable = (): LocationTable =>
      new LocationTable(buckets, seed, state, new RegionAllocator(state), nativeAtomics)
    const table = newTable()
    const addresses = collidingAddresses(seed)
    const accounts = addresses.map((address) => table.account(address))
    const hashes = accounts.map((record) => state.words[record + ACCOUNT.HASH])
    expect(hashes[0]).toBe(hashes[1])
    expect(accounts[0]).not.toBe(accounts[1])

    const owner = accounts[0]!
    const keys = collidingSlotKeys(seed, owner)
    const slots = keys.map((key) => table.slot(owner, key))
    expect(state.words[slots[0]! + SLOT.HASH]).toBe(state.words[slots[1]! + SLOT.HASH])
    expect(slots[0]).not.toBe(slots[1])
    // Another account's slot of the same key is another one, too.
    expect(slots).not.toContain(table.slot(accounts[1]!, keys[0]))

    const again = newTable()
    expect(addresses.map((address) => again.account(address))).toEqual(accounts)
    expect(keys.map((key) => again.slot(owner, key))).toEqual(slots)
  })

  it('22. no deadlock: a worker with suspended lanes only takes what is below all of them', async () => {
    let refuted = -1
    const layers = new LayersInMemory(6, {
      refutes: (transaction) => transaction === refuted,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler, control, state } = layers
    const board = new LaneBoard(control, state, scheduler, nativeAtomics)
    for (let index = 0; index < 5; index++) scheduler.claimExecution(6)
    for (const [waiting, lower] of [
      [4, 3],
      [3, 1],
    ] as const) {
      await board.run(() => void board.waits(transactionAt(waiting)).transaction(lower))
    }
    expect(board.lowestSuspended()).toBe(3)
    expect(scheduler.claimExecution(board.lowestSuspended())).toBe(NOTHING)
    // The last lane stays free for what they wait for, when it has to run again.
    for (const done of [0, 1, 2]) scheduler.finish(transactionAt(done), false)
    refuted = 1
    while (scheduler.validateNext());
    expect(scheduler.isSettled(1)).toBe(false)
    expect(scheduler.claimExecution(board.lowestSuspended())).toBe(1)
    refuted = -1
    scheduler.finish(transactionAt(1), false)
    board.takeReady()?.()
    expect(board.lowestSuspended()).toBe(4)
  })

  it('22. no deadlock: chains longer than all lanes together end, with one worker and with two', async () => {
    const one = await strictExecutor({ workers: 1 })
    try {
      for (const each of [one, executor]) {
        const run = await expectEqualEveryTime(
          each,
          world,
          (turns) => ({
            transactions: [
              relayed(alice, cells, turns(3000), writeSlot(1, 2)),
              ...chain(48, (most) => turns(most && most / 3), 8).transactions,
            ],
          }),
          4,
        )
        expect(run.report.levels).toBeGreaterThanOrEqual(48)
      }
    } finally {
      await one.close()
    }
  }, 60_000)
})

/** JSON for results with big integers and bytes. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

function createdBy(actor: Actor): Address {
  return new Address(generateAddress(actor.address.bytes, new Uint8Array(0)))
}
