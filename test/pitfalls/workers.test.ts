// Workers that are closed or killed in the middle of a block, and the fallback that could hide a bug.
// Authority on pitfalls 17 and 18. It must not use a fallback but where it is about it.
import { beforeAll, describe, expect, it } from 'vitest'
import { createParallelExecutor } from '../../src/index.ts'
import { threadsOf } from '../support/executor-internals.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  type World,
} from '../support/hand-made-block.ts'
import { farAway, holdAccount, nextTurn } from '../support/held-account.ts'
import { parallelImplementation } from '../support/implementation.ts'
import { actors } from '../support/random-world.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { customPrecompiles, precompileAddress } from '../support/worker-setups/answering.ts'
import { misbehaviour } from '../support/worker-setups/misbehaving.ts'
import { lookAt, turnsOf } from './pitfall-blocks.ts'
import { chain, slowCounter, slowStage } from './slow-counter.ts'

const [alice, bob, carol] = actors
const misbehaving = new URL('../support/worker-setups/misbehaving.ts', import.meta.url)

let world: World
/** The same with a precompile of the user, which is good on this thread. */
let userWorld: World

beforeAll(async () => {
  world = await makeWorld({ accounts: slowStage })
  userWorld = await makeWorld({ accounts: slowStage, evmOpts: { customPrecompiles } })
})

describe('workers', () => {
  it('17. shutdown while work is in flight: the block is refused, the state is as before, nothing hangs', async () => {
    for (const held of [undefined, 0, 12]) {
      const closing = await strictExecutor()
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const { transactions } = chain(24, turnsOf(1))
      const look = lookAt(carol, farAway)
      const block = makeBlock(world.common, {
        transactions: transactions.map((one, index) => (index === held ? look : one)),
      })
      const { asked, answer } = holdAccount(vm)
      const running = closing.runBlock(vm, { ...fillHeader, block })
      const outcome = running.catch((error: unknown) => error)
      if (held !== undefined) await Promise.race([asked, outcome])
      const closed = closing.close()
      answer()
      await closed
      expect(await outcome).toMatchObject({ name: 'ParallelError', code: 'EXECUTOR_CLOSED' })
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      expect(threadsOf(closing).length).toBe(0)
    }
  })

  it('17. a worker that dies neither hangs the block nor loses it', async () => {
    const rescuing = await strictExecutor({ workerSetup: misbehaving, fallback: true })
    try {
      const { transactions } = chain(12, turnsOf(1))
      const block = makeBlock(world.common, {
        transactions: [...transactions, lookAt(carol, farAway), ...transactions],
      })
      const sides = await sidesOf(world)
      const { asked, answer } = holdAccount(sides.ours)
      const killed = runBoth(rescuing, sides, block)
      await Promise.race([asked, killed])
      await threadsOf(rescuing)[0]?.terminate()
      await nextTurn()
      answer()
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
        await sidesOf(userWorld),
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
        { from: alice, to: slowCounter },
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
        const refused = each.runBlock(await userWorld.vm(), { ...fillHeader, block })
        await expect(refused).rejects.toMatchObject({ code: 'FALLBACK_DISABLED' })
      }
      // With the fallback, which is the default, the very same block succeeds, and says how.
      const run = await runBoth(usual, await sidesOf(userWorld), block)
      expect(run.differences).toEqual([])
      expect(run.report?.fallbackFrom).toBeLessThan(2)
    } finally {
      await Promise.all([strict.close(), suites.close(), usual.close()])
    }
  })
})
