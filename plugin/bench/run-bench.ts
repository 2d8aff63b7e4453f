// Runs a whole benchmark: header, each row as it is done, summary, JSON file.
// The authority on the order of output and on what ends a benchmark early.
// Must not leave an executor running, however it ends.
import { writeFileSync } from 'node:fs'

import { pluginError } from '../plugin-error.ts'
import { contendersOf, contenderText } from './contender.ts'
import { renderHottest } from './details.ts'
import { createExecutors, type ExecutorFactory } from './executors.ts'
import { readMachine, readVersions } from './machine.ts'
import { measureCase, WARM_UP_ROUNDS } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { type Plan, planRows } from './plan.ts'
import { createProgress, type ProgressStream } from './progress.ts'
import { type BenchReport, reportedOptions, toReport } from './report.ts'
import { type BenchRow, toRow } from './row.ts'
import { renderFailures, renderSummary } from './summary.ts'
import { renderColumnTitles, renderHeader, renderRow } from './table.ts'

/** Where the benchmark runs; tests give their own. */
export interface BenchHost {
  print(line: string): void
  printError(line: string): void
  readonly progressStream: ProgressStream
  readonly createExecutor: ExecutorFactory
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal
}

export async function runBench(
  options: BenchOptions,
  host: BenchHost,
  plan: Plan = planRows(options),
): Promise<BenchReport> {
  const { signal } = host
  const facts = { machine: await readMachine(), versions: readVersions() }
  const contenders = contendersOf(options)
  const stepsOfRow = 1 + (WARM_UP_ROUNDS + options.runs) * (1 + contenders.length)
  const progress = createProgress(host.progressStream, {
    rows: plan.rows.length,
    steps: plan.rows.length * stepsOfRow,
  })
  const printAll = (lines: readonly string[], print = host.print): void => {
    progress.clear()
    for (const line of lines) print(line)
  }

  const executors = createExecutors(host.createExecutor)
  // A block in flight rejects when its executor closes: an interrupt need not wait for it.
  const closeAtOnce = (): void => void executors.close().catch(() => {})
  signal.addEventListener('abort', closeAtOnce, { once: true })
  const rows: BenchRow[] = []
  const notes = [...plan.notes]
  try {
    printAll(renderHeader({ ...facts, options: reportedOptions(options) }))
    printAll(renderColumnTitles())
    for (const planned of plan.rows) {
      signal.throwIfAborted()
      progress.row(planned.name)
      progress.step(`${planned.name}: preparing`)
      const benchCase = await planned.prepare(signal)
      if (typeof benchCase === 'string') {
        notes.push(benchCase)
        continue
      }
      const measurement = await measureCase(benchCase, {
        contenders,
        runs: options.runs,
        executors,
        signal,
        onStep: (description) => progress.step(description),
      })
      const row = toRow(measurement)
      rows.push(row)
      notes.push(...incidentNotes(row))
      printAll(renderRow(row))
      if (options.showsHottest) printAll(renderHottest(row))
    }
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', closeAtOnce)
    progress.clear()
    await executors.close()
  }

  if (rows.length === 0) {
    throw pluginError(`there is nothing to run: ${notes.join('; ') || 'the plan has no rows'}`)
  }
  const report = toReport(options, facts, rows, notes)
  printAll(renderSummary(report))
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  printAll(renderFailures(report), host.printError)
  return report
}

/** Worker deaths and the like, each kind once with how often it happened. */
function incidentNotes(row: BenchRow): string[] {
  return row.parallel.flatMap((result) => {
    const counts = new Map<string, number>()
    for (const incident of result.samples.flatMap(({ incidents }) => incidents)) {
      counts.set(incident, (counts.get(incident) ?? 0) + 1)
    }
    return [...counts].map(([incident, times]) => {
      const often = times === 1 ? '' : ` (${times} times)`
      return `${row.name}, ${contenderText(result)}, incident: ${incident}${often}`
    })
  })
}
