// The scheduler option: what each of its values does with a block, and what the report says of it.
// Authority on the choice between sequential, inline and parallel by the option alone.
// It must not meet other reasons for running sequentially: eligibility.test.ts has those.
import { beforeAll, describe, expect, it } from 'vitest'
import { createParallelExecutor } from '../../../src/index.ts'
import {
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  type World,
} from '../../support/hand-made-block.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { kzgSetup } from '../../support/strict-executor.ts'
import { countedAccounts, threeCalls } from './support/odd-block.ts'

const { counter } = contracts

describe('the scheduler', () => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld({ hardfork: 'shanghai', accounts: countedAccounts })
  })

  it('sequential: says that it was asked for', async () => {
    const sequential = await createParallelExecutor({ workers: 1, scheduler: 'sequential' })
    const run = await runBoth(sequential, await sidesOf(world), makeBlock(world.common, threeCalls))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({
      mode: 'sequential',
      why: 'asked for by the scheduler option',
    })
    await sequential.close()
  })

  it('automatic: runs the smallest blocks inline, with the events of stock, and others on workers', async () => {
    const auto = await createParallelExecutor({ workers: 2, workerSetup: kzgSetup })
    for (const [count, mode] of [
      [1, 'inline'],
      [3, 'inline'],
      [40, 'parallel'],
    ] as const) {
      const transactions = Array.from({ length: count }, (_, index) => ({
        from: actors[index % 8]!,
        to: counter,
      }))
      const run = await runBoth(
        auto,
        await sidesOf(world),
        makeBlock(world.common, { transactions }),
        fillHeader,
        true,
      )
      expect(run.differences).toEqual([])
      expect(run.report?.mode).toBe(mode)
      expect(run.report?.transactions).toBe(count)
      expect(run.report?.why).not.toBe('')
    }
    await auto.close()
  })
})
