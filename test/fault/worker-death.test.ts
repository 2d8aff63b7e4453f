// Workers that are killed, at any point: the block completes as stock's, and the pool heals.
// Authority on deaths from outside; see user-code.test.ts for deaths from within.
// It must not wait for a particular point of a block: the points are random, and many.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { assembleHex } from '../support/assembler.ts'
import { threadsOf } from '../support/executor-internals.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  spin,
  type World,
} from '../support/hand-made-block.ts'
import { type Actor, actors, contracts } from '../support/random-world.ts'
import { addOne } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { counter, hot } = contracts
const slow = hot[0]!
const endless = hot[1]!
const workers = 2
/** What a block may take beyond twice its time on one thread: a hang would be for good. */
const patienceMs = 10_000

let world: World
let sequentialMs: number
/** What a block took when it last ran undisturbed: how busy the machine is changes. */
let parallelMs: number
let executor: ParallelExecutor

const plan = {
  transactions: Array.from({ length: 24 }, (_, index) => ({
    from: actors[index % 8]!,
    to: index % 3 === 0 ? counter : slow,
  })),
}

beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { code: assembleHex(spin(500), addOne) },
      [slow.toString()]: { code: assembleHex(spin(5_000), ['CALLER', 'DUP1', 'SSTORE']) },
      [endless.toString()]: { code: assembleHex(spin(0xffffffff)) },
    },
  })
  executor = await strictExecutor({ workers, fallback: true })
  const { runBlock } = await import('@ethereumjs/vm')
  const block = makeBlock(world.common, plan)
  const stockStart = performance.now()
  await runBlock(await world.vm(), { ...fillHeader, block })
  sequentialMs = performance.now() - stockStart
  // The first block is slower than those that follow.
  for (let warm = 0; warm < 2; warm++) await expectHealed()
})
afterAll(() => executor?.close())

/** Runs the block and calls `disturb` when it has run for a part of its time. */
async function runDisturbed(part: number, disturb: () => void, which = executor) {
  const sides = await sidesOf(world)
  const timed = {
    runBlock: async (...args: Parameters<ParallelExecutor['runBlock']>) => {
      const start = performance.now()
      const timer = setTimeout(disturb, part * parallelMs)
      try {
        return await which.runBlock(...args)
      } finally {
        clearTimeout(timer)
        took = performance.now() - start
      }
    },
  }
  let took = 0
  const run = await runBoth(timed, sides, makeBlock(world.common, plan))
  return { ...run, took }
}

/** All workers are there again, and a block is theirs alone. */
async function expectHealed(which = executor): Promise<void> {
  const run = await runBoth(which, await sidesOf(world), makeBlock(world.common, plan))
  expect(run.differences).toEqual([])
  expect(run.report).toMatchObject({ mode: 'parallel', workers, incidents: [] })
  parallelMs = run.report!.phases.total
  expect(run.report?.fallbackFrom).toBeUndefined()
  expect(threadsOf(which).length).toBe(workers)
}

async function killAll(which = executor): Promise<void> {
  await Promise.all(threadsOf(which).map((thread) => thread.terminate()))
}

describe('a worker that is killed', () => {
  it('at twenty random points: the block is equal, in time, and the report says what happened', async () => {
    let reported = 0
    for (let time = 0; time < 20; time++) {
      const part = Math.random() * 1.1
      const victim = time % workers
      const run = await runDisturbed(part, () => void threadsOf(executor)[victim]?.terminate())
      expect(run.differences, `killed at ${part}`).toEqual([])
      expect(run.took).toBeLessThan(sequentialMs * 2 + patienceMs)
      if (run.report!.incidents.length > 0) {
        reported++
        expect(run.report!.incidents[0]).toContain('A worker died')
        // It can die when it has nothing left to do.
        expect(run.report!.fallbackFrom ?? 0).toBeLessThan(plan.transactions.length)
      }
      if (time % 4 === 3) await expectHealed()
    }
    expect(reported).toBeGreaterThan(3)
  })

  it('together with all others: the block is equal, and the next one runs on all of them', async () => {
    for (const part of [0, 0.3, 0.8]) {
      const run = await runDisturbed(part, () => {
        for (const thread of threadsOf(executor)) void thread.terminate()
      })
      expect(run.differences).toEqual([])
      expect(run.took).toBeLessThan(sequentialMs * 2 + patienceMs)
      await expectHealed()
    }
  })

  it('between two blocks: the next one does not notice', async () => {
    for (const thread of threadsOf(executor)) await thread.terminate()
    await expectHealed()
    await threadsOf(executor)[0]?.terminate()
    await expectHealed()
  })

  it('while it replaces another that was killed: the pool heals all the same', async () => {
    for (const delay of [0, 5, 40, 150, 400]) {
      await killAll()
      // These are the replacements, in some stage of their start.
      await new Promise((resolve) => setTimeout(resolve, delay))
      await killAll()
      await killAll()
      await expectHealed()
    }
  })

  it('while it replaces another and the next block waits for it: that block is equal', async () => {
    for (const delay of [0, 5, 40, 150]) {
      await killAll()
      setTimeout(() => void killAll(), delay)
      const run = await runBoth(executor, await sidesOf(world), makeBlock(world.common, plan))
      expect(run.differences).toEqual([])
      await killAll()
      await expectHealed()
    }
  })

  it('again and again during one block: the block is equal', async () => {
    const timer = setInterval(() => {
      for (const thread of threadsOf(executor)) void thread.terminate()
    }, 15)
    try {
      const run = await runBoth(executor, await sidesOf(world), makeBlock(world.common, plan))
      expect(run.differences).toEqual([])
    } finally {
      clearInterval(timer)
    }
    await expectHealed()
  })

  it('is refused with its death as the cause where the fallback is off', async () => {
    const strict = await strictExecutor({ workers })
    try {
      // Every worker is still busy when the first transaction commits, however fast the machine is.
      const gasLimit = 1_000_000_000n
      const stuck = Array.from({ length: workers }, (_, index) => ({
        from: actors[index + 1]!,
        to: endless,
        gasLimit,
      }))
      const block = makeBlock(world.common, {
        transactions: [{ from: actors[0]!, to: counter }, ...stuck],
        gasLimit: gasLimit * 3n,
      })
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const onTransaction = () => void killAll(strict)
      await expect(
        strict.runBlock(vm, { ...fillHeader, block, onTransaction }),
      ).rejects.toMatchObject({
        name: 'ParallelError',
        code: 'FALLBACK_DISABLED',
        cause: { code: 'WORKER_FAILED' },
      })
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      await expectHealed(strict)
    } finally {
      await strict.close()
    }
  })

  it('in a chain of blocks on one state: every block is equal', async () => {
    const sides = await sidesOf(world)
    const nonces = new Map<Actor, bigint>()
    for (let number = 20n; number < 28n; number++) {
      const timer = setTimeout(
        () => void threadsOf(executor)[Number(number) % 2]?.terminate(),
        Math.random() * parallelMs,
      )
      const block = makeBlock(world.common, { ...plan, number }, nonces)
      const run = await runBoth(executor, sides, block)
      clearTimeout(timer)
      expect(run.differences, `block ${number}`).toEqual([])
    }
  })
})
