// A block built of any pool of transactions, good and bad, is the one that stock builds of it.
// RANDOM_POOLS sets how many pools, RANDOM_SEED repeats a run.
// It must run with the fallback off: a rescued block would prove nothing about the parallel path.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { checkPool, poolPlan } from '../support/random-pool.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { randomSeed } from './random-runner.ts'

const pools = Number(process.env.RANDOM_POOLS ?? 80)
const seed = Number(process.env.RANDOM_SEED ?? randomSeed())
const schedulers = ['optimistic', 'graph', 'auto'] as const
const minute = 60_000

let executors: ParallelExecutor[]

beforeAll(async () => {
  executors = await Promise.all(schedulers.map((scheduler) => strictExecutor({ scheduler })))
})
afterAll(async () => {
  for (const executor of executors ?? []) await executor.close()
})

it(
  `${pools} random pools give stock's blocks, results, errors and state`,
  async () => {
    console.log(`random pools: RANDOM_SEED=${seed}`)
    const tally = { included: 0, skipped: 0, parallel: 0, conflicts: 0 }
    let turn = 0
    await fc.assert(
      fc.asyncProperty(poolPlan, async (plan) => {
        const executor = executors[turn++ % executors.length]!
        const { differences, ours } = await checkPool(plan, executor)
        tally.included += ours.included.length
        tally.skipped += ours.skipped.length
        tally.conflicts += ours.parallel.conflicts
        if (ours.parallel.mode === 'parallel') tally.parallel++
        expect(differences).toEqual([])
      }),
      { seed, numRuns: pools },
    )
    console.log(JSON.stringify(tally))
    // Else it were another test than it says.
    expect(tally.parallel).toBeGreaterThan(pools / 3)
    expect(tally.skipped).toBeGreaterThan(pools)
  },
  Math.max(15 * minute, pools * 1_000),
)
