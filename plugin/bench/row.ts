// One row of a report as data: a block, stock's figures, and those of each contender.
// The authority on the schema of rows, and on which figures are medians.
// Must not format anything.
import type {
  AccessReport,
  BlockPhases,
  BlockReport,
  ConflictCauses,
  GraphReport,
} from '../../src/index.ts'
import type { BenchCase } from './bench-case.ts'
import type { Contender } from './contender.ts'
import { type AccessResult, accessOf, causesOf, graphOf, medianFields } from './foresight.ts'
import type { CaseMeasurement, ParallelMeasurement, StockSample } from './measure.ts'
import { median, medianSample } from './statistics.ts'
import type { WorkloadName } from './workloads/names.ts'

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
  /** Failed validations by what had changed. */
  readonly causes: ConflictCauses | null
  /** The predicted graph; null where none was made. */
  readonly graph: GraphReport | null
  /** Predictions against what happened; null where there were none. */
  readonly access: AccessResult | null
  /** In ms, each the median by itself. */
  readonly phases: BlockPhases | null
  /** ms that its garbage collector stopped each worker, medians; null where none ran. */
  readonly collectorMs: readonly number[] | null
  /** How the last run went, and the executor's reason. */
  readonly mode: BlockReport['mode'] | null
  readonly why: string | null
  /** Runs that began in parallel and ended sequentially. */
  readonly fallbacks: number
  readonly isEqual: boolean
  readonly failures: readonly string[]
  /** The warm-up round, which is in none of the medians; null where it did not complete. */
  readonly firstPass: ReportResult | null
  readonly samples: readonly ParallelSampleResult[]
}

export interface ParallelSampleResult extends ReportResult {
  readonly total: number
  readonly cpu: number
  readonly speedUp: number
}

/** What the executor said of one run. */
export interface ReportResult {
  readonly mode: BlockReport['mode']
  readonly executions: number
  readonly reExecutions: number
  readonly conflicts: number
  readonly levels: number
  readonly causes: ConflictCauses
  readonly graph: GraphReport | null
  /** The hottest locations are in the result of all runs. */
  readonly access: Omit<AccessReport, 'hottest'> | null
  readonly fallbackFrom: number | null
  readonly incidents: readonly string[]
  readonly phases: BlockPhases
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
    parallel: parallel.map((measurement) => toParallelResult(measurement, benchCase)),
  }
}

function toParallelResult(
  measurement: ParallelMeasurement,
  { contractNames }: BenchCase,
): ParallelResult {
  const { scheduler, workers, state, samples, firstPass, failures } = measurement
  const medianOf = (values: readonly number[]): number | null =>
    values.length === 0 ? null : median(values)
  const reports = samples.map(({ report }) => report)
  const last = reports.at(-1)
  return {
    scheduler,
    workers,
    ...(state === undefined ? {} : { state }),
    total: medianOf(samples.map(({ total }) => total)),
    cpu: medianOf(samples.map(({ cpu }) => cpu)),
    speedUp: medianOf(samples.map(({ speedUp }) => speedUp)),
    reExecutions: medianOf(reports.map(({ reExecutions }) => reExecutions)),
    conflicts: medianOf(reports.map(({ conflicts }) => conflicts)),
    levels: medianOf(reports.map(({ levels }) => levels)),
    causes: causesOf(reports),
    graph: graphOf(reports),
    access: accessOf(reports, contractNames),
    phases: medianFields(reports.map(({ phases }) => phases)),
    collectorMs: collectorOf(reports),
    mode: last?.mode ?? null,
    why: last?.why ?? null,
    fallbacks: reports.filter(({ fallbackFrom }) => fallbackFrom !== undefined).length,
    isEqual: failures.length === 0 && samples.length > 0,
    failures,
    firstPass: firstPass === undefined ? null : toReportResult(firstPass),
    samples: samples.map(({ total, cpu, speedUp, report }) => ({
      ...{ total, cpu, speedUp },
      ...toReportResult(report),
    })),
  }
}

function collectorOf(reports: readonly BlockReport[]): number[] | null {
  const runs = reports.flatMap(({ collectorMs }) =>
    collectorMs === undefined ? [] : [collectorMs],
  )
  return runs[0]?.map((_, worker) => median(runs.map((run) => run[worker] ?? 0))) ?? null
}

function toReportResult(report: BlockReport): ReportResult {
  const { mode, executions, reExecutions, conflicts, levels, causes, incidents, phases } = report
  return {
    ...{ mode, executions, reExecutions, conflicts, levels, causes, incidents, phases },
    graph: report.graph ?? null,
    access: withoutHottest(report.access),
    fallbackFrom: report.fallbackFrom ?? null,
  }
}

function withoutHottest(access: AccessReport | undefined): ReportResult['access'] {
  if (access === undefined) return null
  const { hottest: _, ...shares } = access
  return shares
}
