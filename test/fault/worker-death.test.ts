// Workers that are killed, at any point: the block completes as stock's, and the pool heals.
// Authority on deaths from outside; see user-code.test.ts for deaths from within.
// It must not wait for a time to pass: a block is held by an account that it needs while workers are killed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { assembleHex } from '../support/assembler.ts'
import { threadsOf } from '../support/executor-internals.ts'
import { expectTold } from '../support/expect-told.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  type Sides,
  sidesOf,
  spin,
  type World,
} from '../support/hand-made-block.ts'
import { farAway, holdAccount, nextTurn } from '../support/held-account.ts'
import { type Actor, actors, addressWord, contracts } from '../support/random-world.ts'
import { addOne, witnessCode } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { counter, hot, reader } = contracts
const slow = hot[0]!
const endless = hot[1]!
const workers = 2
const length = 24

let world: World
let executor: ParallelExecutor

/** A block of which transaction `held` looks at the account that tests hold; by default, none does. */
function planOf(held = Number.NaN) {
  return {
    transactions: Array.from({ length }, (_, index) => ({
      from: actors[index % 8]!,
      ...(index === held
        ? { to: reader, data: addressWord(farAway) }
        : { to: index % 3 === 0 ? counter : slow }),
    })),
  }
}

beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { code: assembleHex(spin(500), addOne) },
      [slow.toString()]: { code: assembleHex(spin(5_000), ['CALLER', 'DUP1', 'SSTORE']) },
      [endless.toString()]: { code: assembleHex(spin(0xffffffff)) },
      [reader.toString()]: { code: witnessCode, nonce: 1n },
    },
  })
  executor = await strictExecutor({ workers, fallback: true })
  await expectHealed()
})
afterAll(() => executor?.close())

/** Runs a block, and calls `disturb` when a worker has asked for what transaction `held` looks at. */
async function runDisturbed(
  held: number,
  disturb: () => Promise<unknown>,
  { sides, number = 20n, nonces = new Map() }: Partial<Chain> = {},
) {
  const on = sides ?? (await sidesOf(world))
  const block = makeBlock(world.common, { ...planOf(held), number }, nonces)
  const { asked, answer } = holdAccount(on.ours)
  const running = runBoth(executor, on, block)
  await Promise.race([asked, running])
  await disturb()
  await nextTurn()
  answer()
  return await running
}

interface Chain {
  readonly sides: Sides
  readonly number: bigint
  readonly nonces: Map<Actor, bigint>
}

/** All workers are there again, and a block is theirs alone. */
async function expectHealed(which = executor): Promise<void> {
  const run = await runBoth(which, await sidesOf(world), makeBlock(world.common, planOf()))
  expect(run.differences).toEqual([])
  expect(run.report).toMatchObject({ mode: 'parallel', workers, incidents: [] })
  expect(run.report?.fallbackFrom).toBeUndefined()
  expect(threadsOf(which).length).toBe(workers)
}

async function killAll(which = executor): Promise<void> {
  await Promise.all(threadsOf(which).map((thread) => thread.terminate()))
}

describe('a worker that is killed', () => {
  it('at twenty random points: the block is equal, and the report says what happened', async () => {
    for (let time = 0; time < 20; time++) {
      const held = Math.floor(Math.random() * length)
      const pauseMs = Math.random() * 40
      const run = await runDisturbed(held, async () => {
        // Meanwhile the workers go on with what they can.
        await pause(pauseMs)
        await threadsOf(executor)[time % workers]?.terminate()
      })
      expect(run.differences, `killed at ${held} after ${pauseMs} ms`).toEqual([])
      expectTold(run.report!, held)
      if (time % 4 === 3) await expectHealed()
    }
  })

  it('together with all others: the block is equal, and the next one runs on all of them', async () => {
    for (const held of [0, 8, 20]) {
      const run = await runDisturbed(held, () => killAll())
      expect(run.differences).toEqual([])
      expect(run.report!.incidents).toHaveLength(1)
      expectTold(run.report!, held)
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
      await pause(delay)
      await killAll()
      await killAll()
      await expectHealed()
    }
  })

  it('while it replaces another and the next block waits for it: that block is equal', async () => {
    for (const delay of [0, 5, 40, 150]) {
      await killAll()
      const sides = await sidesOf(world)
      // The block needs the account, so it has not ended when they are killed.
      const { answer } = holdAccount(sides.ours)
      const running = runBoth(executor, sides, makeBlock(world.common, planOf(0)))
      await pause(delay)
      await killAll()
      answer()
      expect((await running).differences).toEqual([])
      await killAll()
      await expectHealed()
    }
  })

  it('again and again during one block: the block is equal', async () => {
    const run = await runDisturbed(12, async () => {
      for (let time = 0; time < 5; time++) {
        await killAll()
        await pause(15)
      }
    })
    expect(run.differences).toEqual([])
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
      const kill = async () => threadsOf(executor)[Number(number) % 2]?.terminate()
      const held = Math.floor(Math.random() * length)
      const run = await runDisturbed(held, kill, { sides, number, nonces })
      expect(run.differences, `block ${number}, killed at ${held}`).toEqual([])
      expectTold(run.report!, held)
    }
  })
})

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
