// The result of a benchmark as data: what --json writes and what is printed.
// The authority on the report's schema, together with row.ts and totals.ts; a change that breaks readers
// raises SCHEMA_VERSION.
// Must not format anything.
import type { SchedulerName } from '../scheduler-names.ts'
import type { StateName } from './contender.ts'
import type { Machine, Versions } from './machine.ts'
import type { BenchOptions } from './options.ts'
import type { BenchRow } from './row.ts'
import { type BenchTotals, totalsOf } from './totals.ts'
import type { WorkloadName } from './workloads/names.ts'

export const SCHEMA_VERSION = 2

export interface BenchReport {
  readonly schemaVersion: typeof SCHEMA_VERSION
  readonly machine: Machine
  readonly versions: Versions
  readonly options: ReportedOptions
  readonly rows: readonly BenchRow[]
  readonly totals: BenchTotals
  /** Sentences about what was left out, or ran otherwise than one would expect. */
  readonly notes: readonly string[]
  /** Whether every parallel run of every row equalled stock's result. */
  readonly isEqual: boolean
}

export interface ReportedOptions {
  readonly workloads: readonly WorkloadName[]
  readonly transactions: number
  readonly workers: readonly number[]
  readonly runs: number
  readonly seed: number
  readonly schedulers: readonly SchedulerName[]
  readonly states: readonly StateName[]
}

export function toReport(
  options: BenchOptions,
  facts: { readonly machine: Machine; readonly versions: Versions },
  rows: readonly BenchRow[],
  notes: readonly string[],
): BenchReport {
  const reported = reportedOptions(options)
  return {
    schemaVersion: SCHEMA_VERSION,
    ...facts,
    options: reported,
    rows,
    totals: totalsOf(rows, reported),
    notes,
    isEqual: rows.every((row) => row.parallel.every(({ isEqual }) => isEqual)),
  }
}

/** Without the options that are paths of the user's machine. */
export function reportedOptions(options: BenchOptions): ReportedOptions {
  const { workloads, transactions, workers, runs, seed, schedulers, states } = options
  return { workloads, transactions, workers, runs, seed, schedulers, states }
}
