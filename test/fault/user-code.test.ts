// The user's own functions inside workers: whatever they do there, the block is stock's.
// Authority on misbehaviour from within; the kinds are in support/worker-setups/misbehaving.ts.
// The main thread's VMs have the precompile that behaves, so stock tells what is right.
import { setFlagsFromString } from 'node:v8'
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
import { actors, contracts } from '../support/random-world.ts'
import { addOne } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { customPrecompiles, precompileAddress } from '../support/worker-setups/answering.ts'
import { misbehaviour } from '../support/worker-setups/misbehaving.ts'

const { counter, proxy } = contracts
const misbehaving = new URL('../support/worker-setups/misbehaving.ts', import.meta.url)

/** Calls the precompile with the transaction's data and stores the first word of its answer. */
const proxyCode = assembleHex(
  ['CALLDATASIZE', 0, 0, 'CALLDATACOPY'],
  [32, 0, 'CALLDATASIZE', 0, precompileAddress.toString() as `0x${string}`, 'GAS', 'STATICCALL'],
  [1, 'SSTORE', 0, 'MLOAD', 0, 'CALLDATALOAD', 'SSTORE'],
)

let world: World
let executor: ParallelExecutor

beforeAll(async () => {
  // Workers get their share from this flag; the default takes long to exhaust.
  setFlagsFromString('--max-old-space-size=300')
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { code: assembleHex(spin(500), addOne) },
      [proxy.toString()]: { code: proxyCode },
    },
    evmOpts: { customPrecompiles },
  })
  executor = await strictExecutor({ fallback: true, workerSetup: misbehaving })
})
afterAll(() => executor?.close())

/** Twenty transactions, of which those at `at` misbehave. */
function planWith(kind: number, at: readonly number[] = [7]) {
  return {
    transactions: Array.from({ length: 20 }, (_, index) => {
      const data = new Uint8Array(32).fill(index + 1)
      data[0] = at.includes(index) ? kind : misbehaviour.none
      return { from: actors[index % 8]!, to: index % 4 === 1 ? counter : proxy, data }
    }),
  }
}

/** The rest of the block, from the one on that misbehaves alone. */
const hoarding = Array.from({ length: 13 }, (_, index) => 7 + index)

async function expectHealed(): Promise<void> {
  const block = makeBlock(world.common, planWith(misbehaviour.none))
  const run = await runBoth(executor, await sidesOf(world), block)
  expect(run.differences).toEqual([])
  expect(run.report).toMatchObject({ mode: 'parallel', workers: 2, incidents: [] })
  expect(threadsOf(executor).length).toBe(2)
}

describe('a precompile that in a worker', () => {
  const reported: Record<Exclude<keyof typeof misbehaviour, 'none'>, RegExp> = {
    throws: /refused transaction 7, which stock accepts.*the precompile throws/,
    rejects: /refused transaction 7, which stock accepts.*the precompile rejects/,
    exits: /A worker died: worker exited with code: 3/,
    // The last collections before the limit can take longer than one call may, on a busy machine.
    exhaustsMemory: /A worker died: .*memory limit|A worker was ended/,
    loopsForever: /A worker was ended: a function of the workerSetup module took more than/,
    neverAnswers: /A worker was ended: a function of the workerSetup module took more than/,
    throwsLater: /A worker died: thrown outside of everything/,
    rejectsUnseen: /A worker died: rejected outside of everything/,
    answersWrongly: /./,
    overflowsTheStack: /refused transaction 7, which stock accepts/,
  }
  for (const [kind, why] of Object.entries(reported) as [keyof typeof reported, RegExp][]) {
    if (kind === 'answersWrongly') continue
    it(`${kind}: the block is equal, reports it, and the pool heals`, async () => {
      // Memory is exhausted in several calls, by whichever worker makes most of them.
      const at = kind === 'exhaustsMemory' ? hoarding : [7]
      const block = makeBlock(world.common, planWith(misbehaviour[kind], at))
      const run = await runBoth(executor, await sidesOf(world), block)
      expect(run.differences).toEqual([])
      expect(run.report?.mode).toBe('parallel')
      expect(run.report?.incidents.join('; ')).toMatch(why)
      expect(run.report?.fallbackFrom).toBeLessThanOrEqual(at.at(-1)!)
      await expectHealed()
    })
  }

  it('exits in many transactions at once: the block is equal', async () => {
    const block = makeBlock(world.common, planWith(misbehaviour.exits, [0, 2, 3, 8, 11, 19]))
    const run = await runBoth(executor, await sidesOf(world), block)
    expect(run.differences).toEqual([])
    await expectHealed()
  })

  it('is lost while another transaction is long: only what is lost is ended', async () => {
    const slow = await makeWorld({
      accounts: {
        [counter.toString()]: { code: assembleHex(spin(500_000)) },
        [proxy.toString()]: { code: proxyCode },
      },
      evmOpts: { customPrecompiles },
    })
    // Some seconds of one transaction are no reason to end a worker.
    const plan = (kind: number) => ({
      transactions: [0, 1, 2].map((index) => {
        const data = new Uint8Array(32).fill(index + 1)
        data[0] = index === 1 ? kind : misbehaviour.none
        const long = { to: counter, gasLimit: 25_000_000n }
        return { from: actors[index]!, ...(index === 0 ? long : { to: proxy, data }) }
      }),
      gasLimit: 60_000_000n,
    })
    const good = await sidesOf(slow)
    const calm = await runBoth(executor, good, makeBlock(slow.common, plan(misbehaviour.none)))
    expect(calm.differences).toEqual([])
    expect(calm.report?.incidents).toEqual([])
    const bad = await sidesOf(slow)
    const lost = await runBoth(
      executor,
      bad,
      makeBlock(slow.common, plan(misbehaviour.loopsForever)),
    )
    expect(lost.differences).toEqual([])
    expect(lost.report?.incidents[0]).toContain('A worker was ended')
    await expectHealed()
  })
})

describe('with the fallback off', () => {
  it('such a block is refused, with what happened as the cause', async () => {
    const strict = await strictExecutor({ workerSetup: misbehaving })
    try {
      for (const [kind, cause] of [
        ['exits', { code: 'WORKER_FAILED' }],
        ['throws', { code: 'INTERNAL' }],
        ['loopsForever', { code: 'WORKER_FAILED' }],
      ] as const) {
        const vm = await world.vm()
        const root = await vm.stateManager.getStateRoot()
        const block = makeBlock(world.common, planWith(misbehaviour[kind]))
        await expect(strict.runBlock(vm, { ...fillHeader, block })).rejects.toMatchObject({
          name: 'ParallelError',
          code: 'FALLBACK_DISABLED',
          cause,
        })
        expect(await vm.stateManager.getStateRoot()).toEqual(root)
      }
      const run = await runBoth(
        strict,
        await sidesOf(world),
        makeBlock(world.common, planWith(misbehaviour.none)),
      )
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    } finally {
      await strict.close()
    }
  })

  it('a precompile that answers otherwise in workers gives another result: nothing hides it', async () => {
    const strict = await strictExecutor({ workerSetup: misbehaving })
    try {
      const block = makeBlock(world.common, planWith(misbehaviour.answersWrongly))
      const run = await runBoth(strict, await sidesOf(world), block)
      expect(run.report?.mode).toBe('parallel')
      expect(run.differences).not.toEqual([])
    } finally {
      await strict.close()
    }
  })
})
