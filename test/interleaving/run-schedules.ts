// Runs consecutive seeds until enough schedules have passed or one breaks a law.
// Authority on seeds: schedule k of a run with seed S is the schedule of seed S + k, alone or not.

import {
  Controller,
  type Counts,
  describeReport,
  type ScheduleReport,
} from './harness/controller.ts'
import { type ScenarioName, scenarioNamed } from './harness/scenarios.ts'
import type { MutantName } from './mutants.ts'

const LINES_SHOWN = 60
const REPORT_EVERY_MS = 10_000

export interface ScheduleRun {
  schedules: number
  /** Drawn if undefined. */
  seed?: number | undefined
  mutant?: MutantName | undefined
  /** All schedules of one scenario; undefined mixes them. */
  scenario?: ScenarioName | undefined
  wholeJournal?: boolean
  log: (line: string) => void
}

/** Undefined when every schedule kept all laws. */
export async function runSchedules(run: ScheduleRun): Promise<ScheduleReport | undefined> {
  const { schedules, mutant, log } = run
  const seed = run.seed ?? randomSeed()
  const scenario = run.scenario === undefined ? undefined : scenarioNamed(run.scenario)
  const controller = new Controller(mutant)
  const started = performance.now()
  let reported = started
  let steps = 0
  let switches = 0
  const totals: Counts = {
    transactions: 0,
    executions: 0,
    aborts: 0,
    estimateWaits: 0,
    baseWaits: 0,
  }
  const summary = (count: number): string => {
    const seconds = (performance.now() - started) / 1000
    return (
      `${count} schedules from seed ${seed} in ${seconds.toFixed(1)} s ` +
      `(${Math.round(count / seconds)} per second), ${steps} steps, ${switches} switches\n  ` +
      `${totals.executions} executions of ${totals.transactions} transactions, ` +
      `${totals.aborts} aborts, ${totals.estimateWaits} waits for estimates, ` +
      `${totals.baseWaits} for base values`
    )
  }
  log(`interleavings: seed ${seed}, ${schedules} schedules${mutant ? `, mutant ${mutant}` : ''}`)
  try {
    for (let done = 0; done < schedules; done++) {
      const report = await controller.run((seed + done) | 0, scenario)
      steps += report.steps
      switches += report.switches
      for (const name of Object.keys(totals) as (keyof Counts)[])
        totals[name] += report.counts[name]
      if (report.violation !== undefined) {
        const shown =
          run.wholeJournal === true ? report.journal : report.journal.slice(-LINES_SHOWN)
        for (const line of shown) log(line)
        log(describeReport(report))
        log(`${summary(done + 1)}; reproduce with --seed ${report.seed} --schedules 1`)
        return report
      }
      if (performance.now() - reported > REPORT_EVERY_MS) {
        reported = performance.now()
        log(summary(done + 1))
      }
    }
    log(`${summary(schedules)}: all laws hold`)
    return undefined
  } finally {
    await controller.close()
  }
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 0x3fffffff)
}
