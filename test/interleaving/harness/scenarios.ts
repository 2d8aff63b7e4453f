// What a schedule is about, and which scenario a seed has.
// Authority on the share of each.

import { Random } from './random.ts'

export const SCENARIO = { BLOCK: 0, TABLE: 1, LISTS: 2, NOTICE: 3, POOL: 4 } as const
export type Scenario = (typeof SCENARIO)[keyof typeof SCENARIO]
export type ScenarioName = 'block' | 'table' | 'list' | 'notice' | 'pool'

export function scenarioNamed(name: ScenarioName): Scenario {
  const { BLOCK, TABLE, LISTS, NOTICE, POOL } = SCENARIO
  return { block: BLOCK, table: TABLE, list: LISTS, notice: NOTICE, pool: POOL }[name]
}

/** Most are blocks: they use the table and the lists too. */
export function scenarioOf(seed: number): Scenario {
  const draw = new Random(seed ^ 0x2545f491).below(10)
  if (draw === 0) return SCENARIO.TABLE
  if (draw === 1) return SCENARIO.LISTS
  if (draw === 2) return SCENARIO.NOTICE
  // A block that is being built.
  if (draw < 5) return SCENARIO.POOL
  return SCENARIO.BLOCK
}
