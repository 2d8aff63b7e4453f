// Runs of plain transfers, and of what is nearly one, come to what stock makes of them: done on the calling
// thread, by workers without an EVM, and by workers in blocks that are imported.
// RANDOM_TRANSFERS sets how many pools, RANDOM_SEED repeats a run.
// It must run with the fallback off, and must see that transfers were done directly.
import { runBlock } from '@ethereumjs/vm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { buildBoth } from '../support/build-both.ts'
import { compareAny } from '../support/oracle.ts'
import { transferCase, transferPlan } from '../support/random-transfers.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { randomSeed } from './random-runner.ts'

const pools = Number(process.env.RANDOM_TRANSFERS ?? 8)
const seed = Number(process.env.RANDOM_SEED ?? randomSeed())
const minute = 60_000

let direct: ParallelExecutor
let byWorkers: ParallelExecutor[]

beforeAll(async () => {
  direct = await strictExecutor({ scheduler: 'auto' })
  byWorkers = [
    await strictExecutor({ scheduler: 'optimistic' }),
    await strictExecutor({ scheduler: 'graph' }),
  ]
})
afterAll(async () => {
  for (const executor of [direct, ...(byWorkers ?? [])]) await executor?.close()
})

it(
  `${pools} random pools of transfers give stock's blocks, results, errors and state`,
  async () => {
    console.log(`random transfers: RANDOM_SEED=${seed}`)
    const tally = { included: 0, skipped: 0, direct: 0, parallel: 0 }
    let turn = 0
    await fc.assert(
      fc.asyncProperty(transferPlan, async (plan) => {
        const { pool, opts, vm, ours } = await transferCase(plan)
        const workers = byWorkers[turn++ % byWorkers.length]!
        for (const executor of [direct, workers]) {
          const sides = { stock: await vm(), ours: await ours(), replay: await vm() }
          const both = await buildBoth(executor, sides, opts, pool)
          expect(both.differences).toEqual([])
          tally.included += both.ours.included.length
          tally.skipped += both.ours.skipped.length
          const { direct: directs = 0, executions } = both.ours.parallel
          tally.direct += directs
          tally.parallel += executions
          if (executor === direct) continue
          const stock = await vm()
          const imported = await ours()
          const options = { block: both.block, skipHeaderValidation: true, generate: true }
          const expected = await runBlock(stock, { ...options, skipBlockValidation: true })
          const result = await workers.runBlock(imported, { ...options, skipBlockValidation: true })
          const { parallel, ...rest } = result
          expect(compareAny(expected, rest, 'imported')).toEqual([])
          expect(parallel.incidents).toEqual([])
        }
      }),
      { seed, numRuns: pools },
    )
    console.log(JSON.stringify(tally))
    // Else it were another test than it says.
    expect(tally.direct).toBeGreaterThan(10 * pools)
    expect(tally.parallel).toBeGreaterThan(10 * pools)
    expect(tally.skipped).toBeGreaterThan(pools)
  },
  Math.max(15 * minute, pools * 1_000),
)
