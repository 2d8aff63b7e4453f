// What the rows of a report come to together: re-executions by contender, and serial rows by workers.
// The authority on what is added up, and on which rows count as serial.
// Must not add up where a row has no figure: a sum of the others would look better than the truth.
import type { SchedulerName } from '../scheduler-names.ts'
import { type Contender, type ContenderLists, contendersOf } from './contender.ts'
import type { BenchRow, ParallelResult } from './row.ts'

/** Re-executions of one contender, summed over rows. */
export interface ReExecutions extends Contender {
  /** Of the warm-up round, the first time that this contender met the blocks; null if any is missing. */
  readonly firstPass: number | null
  /** Medians of the measured rounds, which know what the ones before have taught. */
  readonly later: number | null
  /** How many times as many the scheduler without predictions has later; null where it has no part. */
  readonly blindRatio: number | null
}

/** A row in which each transaction needs the one before: more workers can only recover senders. */
export interface SerialRow extends Contender {
  readonly name: string
  /** Milliseconds, medians, with these workers and with one. */
  readonly total: number
  readonly single: number
}

export interface BenchTotals {
  readonly reExecutions: readonly ReExecutions[]
  readonly mainnetReExecutions: readonly ReExecutions[]
  readonly serialRows: readonly SerialRow[]
}

/** Parallel, without predictions: what the others are compared with. */
const BLIND: SchedulerName = 'optimistic'

export function totalsOf(rows: readonly BenchRow[], lists: ContenderLists): BenchTotals {
  const contenders = contendersOf(lists)
  const mainnet = rows.filter(({ workload }) => workload === 'mainnet')
  const sums = (of: readonly BenchRow[]): readonly ReExecutions[] =>
    contenders.map((contender) => reExecutionsOf(of, contender))
  return {
    reExecutions: sums(rows),
    mainnetReExecutions: mainnet.length === 0 ? [] : sums(mainnet),
    serialRows: rows.flatMap((row) => contenders.flatMap((contender) => serialOf(row, contender))),
  }
}

export function resultOf(
  row: BenchRow,
  { scheduler, workers, state }: Contender,
): ParallelResult | undefined {
  return row.parallel.find(
    (it) => it.scheduler === scheduler && it.workers === workers && it.state === state,
  )
}

function reExecutionsOf(rows: readonly BenchRow[], contender: Contender): ReExecutions {
  const results = rows.map((row) => resultOf(row, contender))
  const later = laterOf(rows, contender)
  const blind =
    contender.scheduler === BLIND ? null : laterOf(rows, { ...contender, scheduler: BLIND })
  return {
    ...contender,
    firstPass: sumOf(results.map((result) => result?.firstPass?.reExecutions)),
    later,
    blindRatio: blind === null || later === null || later === 0 ? null : blind / later,
  }
}

function laterOf(rows: readonly BenchRow[], contender: Contender): number | null {
  return sumOf(rows.map((row) => resultOf(row, contender)?.reExecutions))
}

function serialOf(row: BenchRow, contender: Contender): SerialRow[] {
  if (contender.workers === 1 || row.transactions < 2) return []
  const total = resultOf(row, contender)
  const single = resultOf(row, { ...contender, workers: 1 })
  if (total?.levels !== row.transactions) return []
  if (total.total === null || single?.total == null) return []
  return [{ ...contender, name: row.name, total: total.total, single: single.total }]
}

function sumOf(values: readonly (number | null | undefined)[]): number | null {
  let sum = 0
  for (const value of values) {
    if (value === null || value === undefined) return null
    sum += value
  }
  return sum
}
