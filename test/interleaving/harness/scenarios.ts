// What a schedule is about, and which scenario a seed has.
// Authority on the share of each.

import { Random } from './random.ts'

export const SCENARIO = { BLOCK: 0, TABLE: 1, LISTS: 2, NOTICE: 3 } as const
export type Scenario = (typeof SCENARIO)[keyof typeof SCENARIO]
export type ScenarioName = 'block' | 'table' | 'list' | 'notice'

export function scenarioNamed(name: ScenarioName): Scenario {
  const { BLOCK, TABLE, LISTS, NOTICE } = SCENARIO
  return { block: BLOCK, table: TABLE, list: LISTS, notice: NOTICE }[name]
}

/** Most are blocks: they use the table and the lists too. */
export function scenarioOf(seed: number): Scenario {
  const draw = new Random(seed ^ 0x2545f491).below(10)
  if (draw === 0) return SCENARIO.TABLE
  if (draw === 1) return SCENARIO.LISTS
  if (draw === 2) return SCENARIO.NOTICE
  return SCENARIO.BLOCK
}
