// The store and the scheduler under a deterministic interleaver: seeded schedules, every law, no exception.
// INTERLEAVING_SCHEDULES sets how many, INTERLEAVING_SEED repeats a run; run.ts does the many.
// It must not retry a schedule: each is the same every time, and a broken law is a bug.
import { afterAll, describe, expect, it } from 'vitest'

import { Controller, describeReport } from './harness/controller.ts'
import { SCENARIO, type Scenario } from './harness/scenarios.ts'
import { randomSeed, runSchedules } from './run-schedules.ts'

const schedules = Number(process.env.INTERLEAVING_SCHEDULES ?? 500)
const seed = Number(process.env.INTERLEAVING_SEED ?? randomSeed())
const minute = 60_000

describe('the store and the scheduler, one atomic step at a time', () => {
  it(
    `keep every law in ${schedules} schedules of blocks, pools, tables, lists and notices`,
    async () => {
      const failure = await runSchedules({ schedules, seed, log: console.log })
      expect(failure && describeReport(failure)).toBeUndefined()
    },
    15 * minute + schedules * 100,
  )
})

describe('a seed', () => {
  const controller = new Controller()
  afterAll(() => controller.close())

  const scenarios: [string, Scenario][] = [
    ['block', SCENARIO.BLOCK],
    ['table', SCENARIO.TABLE],
    ['list', SCENARIO.LISTS],
    ['notice', SCENARIO.NOTICE],
    ['pool', SCENARIO.POOL],
  ]
  it.each(scenarios)('always gives the same %s schedule, step by step', async (_, scenario) => {
    for (let seed = 1; seed <= 20; seed++) {
      const first = await controller.run(seed, scenario)
      // Between the two something else uses the same memory and the same threads.
      await controller.run(seed + 1000, SCENARIO.BLOCK)
      const second = await controller.run(seed, scenario)
      expect(second).toEqual(first)
    }
  })

  it('gives, in a run of many, the schedule that it gives alone', async () => {
    const alone = new Controller()
    try {
      const reports = []
      for (const seed of [11, 12, 13]) reports.push(await controller.run(seed))
      expect(await alone.run(13)).toEqual(reports[2])
    } finally {
      await alone.close()
    }
  })

  it('gives blocks in which transactions conflict, wait, are aborted and repeated', async () => {
    const totals = { executions: 0, transactions: 0, aborts: 0, estimateWaits: 0, baseWaits: 0 }
    for (let seed = 1; seed <= 150; seed++) {
      const { counts } = await controller.run(seed, SCENARIO.BLOCK)
      for (const name of Object.keys(totals) as (keyof typeof totals)[])
        totals[name] += counts[name]
    }
    expect(totals.executions).toBeGreaterThan(totals.transactions)
    expect(totals.aborts).toBeGreaterThan(20)
    expect(totals.estimateWaits).toBeGreaterThan(0)
    expect(totals.baseWaits).toBeGreaterThan(20)
  })
})
