// Proof that the interleaver finds what it is for: every mutant breaks a law within a few schedules.
// Authority on which law catches which mutant. Seeds are fixed, so a mutant is caught always or never.
import { describe, expect, it } from 'vitest'

import { LAW, type Law } from './harness/laws.ts'
import type { ScenarioName } from './harness/scenarios.ts'
import { MUTANT_NAMES, type MutantName } from './mutants.ts'
import { runSchedules } from './run-schedules.ts'

interface Conviction {
  mutant: MutantName
  scenario: ScenarioName
  /** The law it breaks first; where several are broken at once, any of these. */
  laws: readonly Law[]
}

/** A committed result or state that differs from sequential execution. */
const wrong: readonly Law[] = [LAW.results, LAW.state, LAW.halt]

const convictions: readonly Conviction[] = [
  { mutant: 'agreeing-validator', scenario: 'block', laws: wrong },
  { mutant: 'unrecorded-miss', scenario: 'block', laws: wrong },
  { mutant: 'lost-estimate', scenario: 'block', laws: [LAW.estimates] },
  { mutant: 'skipped-execution-rewind', scenario: 'block', laws: [LAW.rewinds] },
  { mutant: 'skipped-validation-rewind', scenario: 'block', laws: [LAW.rewinds] },
  { mutant: 'untold-write', scenario: 'block', laws: [LAW.rewinds] },
  { mutant: 'stale-wake-up', scenario: 'block', laws: [LAW.settled] },
  { mutant: 'no-second-look', scenario: 'block', laws: [LAW.found] },
  { mutant: 'hash-for-key', scenario: 'block', laws: [...wrong, LAW.identity] },
  { mutant: 'hash-for-key', scenario: 'table', laws: [LAW.identity] },
  { mutant: 'lost-withdrawal', scenario: 'block', laws: [...wrong, LAW.ends] },
  { mutant: 'lost-withdrawal', scenario: 'list', laws: [LAW.lists] },
  { mutant: 'unseen-list', scenario: 'block', laws: [...wrong, LAW.ends] },
  { mutant: 'lost-ring', scenario: 'block', laws: [LAW.awake] },
  { mutant: 'lost-ring', scenario: 'notice', laws: [LAW.awake] },
  { mutant: 'unseen-pass', scenario: 'notice', laws: [LAW.awake] },
  { mutant: 'lost-deferral', scenario: 'block', laws: [LAW.awake] },
  { mutant: 'open-commit-lock', scenario: 'block', laws: [LAW.transitions, LAW.order] },
  { mutant: 'forgotten-incarnation', scenario: 'block', laws: [LAW.transitions] },
  { mutant: 'torn-insertion', scenario: 'block', laws: [...wrong, LAW.lists, LAW.identity] },
  { mutant: 'torn-insertion', scenario: 'table', laws: [LAW.identity] },
  { mutant: 'torn-insertion', scenario: 'list', laws: [LAW.lists] },
  { mutant: 'open-gate', scenario: 'pool', laws: wrong },
  { mutant: 'uncounted-gas', scenario: 'pool', laws: wrong },
  { mutant: 'kept-refusal', scenario: 'pool', laws: [...wrong, LAW.lists] },
  { mutant: 'skipped-validation-rewind', scenario: 'pool', laws: [LAW.rewinds] },
  { mutant: 'open-commit-lock', scenario: 'pool', laws: [LAW.transitions, LAW.order] },
]

describe('the interleaver', () => {
  it.each(convictions)('catches the mutant $mutant in a $scenario', async (conviction) => {
    const { mutant, scenario, laws } = conviction
    const log: string[] = []
    const run = { schedules: 3000, seed: 1, mutant, scenario }
    const failure = await runSchedules({ ...run, log: (line) => log.push(line) })
    expect(laws, log.join('\n')).toContain(failure?.violation?.law)
  })

  it('has a conviction for every mutant', () => {
    expect([...new Set(convictions.map(({ mutant }) => mutant))].sort()).toEqual(
      [...MUTANT_NAMES].sort(),
    )
  })
})
