// The result of a benchmark as data: what --json writes and what the table shows.
// The authority on the report's schema; a change that breaks readers raises SCHEMA_VERSION.
// Must not format anything.
import type { BlockReport } from '../../src/index.ts'
import type { SchedulerName } from '../scheduler-names.ts'
import type { Contender } from './contender.ts'
import type { Machine, Versions } from './machine.ts'
import type { CaseMeasurement, ParallelMeasurement, StockSample } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { median, medianSample } from './statistics.ts'
import type { WorkloadName } from './workloads/names.ts'

export const SCHEMA_VERSION = 2

export interface BenchReport {
  readonly schemaVersion: typeof SCHEMA_VERSION
  readonly machine: Machine
  readonly versions: Versions
  readonly options: ReportedOptions
  readonly rows: readonly BenchRow[]
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
}

export interface BenchRow {
  readonly workload: WorkloadName
  readonly name: string
  readonly transactions: number
  readonly gas: number
  readonly stock: StockResult
  readonly parallel: readonly ParallelResult[]
}

/** Milliseconds of the run with the median total, so that the parts add up; of `cpu` the median. */
export interface StockResult extends Readonly<StockSample> {
  readonly samples: readonly StockSample[]
}

export interface ParallelResult extends Contender {
  /** Medians over the runs; null where no run completed. */
  readonly total: number | null
  /** CPU time of the process, in ms. */
  readonly cpu: number | null
  /** The median of the speed-ups of the paired runs. */
  readonly speedUp: number | null
  readonly reExecutions: number | null
  readonly conflicts: number | null
  readonly levels: number | null
  /** How the last run went, and the executor's reason. */
  readonly mode: BlockReport['mode'] | null
  readonly why: string | null
  /** Runs that began in parallel and ended sequentially. */
  readonly fallbacks: number
  readonly isEqual: boolean
  readonly failures: readonly string[]
  readonly samples: readonly ParallelSampleResult[]
}

export interface ParallelSampleResult {
  readonly total: number
  readonly cpu: number
  readonly speedUp: number
  readonly mode: BlockReport['mode']
  readonly executions: number
  readonly reExecutions: number
  readonly conflicts: number
  readonly levels: number
  readonly fallbackFrom: number | null
  readonly incidents: readonly string[]
  readonly phases: BlockReport['phases']
}

export function toRow({ benchCase, stock, parallel }: CaseMeasurement): BenchRow {
  return {
    workload: benchCase.workload,
    name: benchCase.name,
    transactions: benchCase.transactions,
    gas: Number(benchCase.gasUsed),
    stock: {
      ...medianSample(stock, 'total'),
      cpu: median(stock.map(({ cpu }) => cpu)),
      samples: stock,
    },
    parallel: parallel.map(toParallelResult),
  }
}

function toParallelResult(measurement: ParallelMeasurement): ParallelResult {
  const { scheduler, workers, samples, failures } = measurement
  const medianOf = (values: readonly number[]): number | null =>
    values.length === 0 ? null : median(values)
  const last = samples.at(-1)?.report
  return {
    scheduler,
    workers,
    total: medianOf(samples.map(({ total }) => total)),
    cpu: medianOf(samples.map(({ cpu }) => cpu)),
    speedUp: medianOf(samples.map(({ speedUp }) => speedUp)),
    reExecutions: medianOf(samples.map(({ report }) => report.reExecutions)),
    conflicts: medianOf(samples.map(({ report }) => report.conflicts)),
    levels: medianOf(samples.map(({ report }) => report.levels)),
    mode: last?.mode ?? null,
    why: last?.why ?? null,
    fallbacks: samples.filter(({ report }) => report.fallbackFrom !== undefined).length,
    isEqual: failures.length === 0 && samples.length > 0,
    failures,
    samples: samples.map(({ total, cpu, speedUp, report }) => ({
      total,
      cpu,
      speedUp,
      mode: report.mode,
      executions: report.executions,
      reExecutions: report.reExecutions,
      conflicts: report.conflicts,
      levels: report.levels,
      fallbackFrom: report.fallbackFrom ?? null,
      incidents: report.incidents,
      phases: report.phases,
    })),
  }
}

export function toReport(
  options: BenchOptions,
  facts: { readonly machine: Machine; readonly versions: Versions },
  rows: readonly BenchRow[],
  notes: readonly string[],
): BenchReport {
  return {
    schemaVersion: SCHEMA_VERSION,
    ...facts,
    options: reportedOptions(options),
    rows,
    notes,
    isEqual: rows.every((row) => row.parallel.every(({ isEqual }) => isEqual)),
  }
}

/** Without the options that are paths of the user's machine. */
export function reportedOptions(options: BenchOptions): ReportedOptions {
  const { workloads, transactions, workers, runs, seed, schedulers } = options
  return { workloads, transactions, workers, runs, seed, schedulers }
}
