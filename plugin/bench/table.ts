// The report as text: header, one line for each row and worker count, and a summary.
// The authority on wording and columns of what parallel-bench prints.
// Must not hide a losing row, a run that was not parallel, or an inequality.
import type { Machine, Versions } from './machine.ts'
import { workersText } from './measure.ts'
import type { BenchReport, BenchRow, ParallelResult, ReportedOptions } from './report.ts'

interface Column {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
}

const NAME: Column = { title: 'workload', width: 18, align: 'left' }
const ROW_COLUMNS: readonly Column[] = [
  { title: 'txs', width: 6, align: 'right' },
  { title: 'Mgas', width: 7, align: 'right' },
  { title: 'stock ms', width: 10, align: 'right' },
  { title: 'recovery', width: 9, align: 'right' },
  { title: 'execution', width: 10, align: 'right' },
  { title: 'root', width: 7, align: 'right' },
]
const WORKER_COLUMNS: readonly Column[] = [
  { title: 'workers', width: 9, align: 'right' },
  { title: 'ours ms', width: 9, align: 'right' },
  { title: 'speed-up', width: 14, align: 'right' },
  { title: 're-runs', width: 9, align: 'right' },
  { title: 'conflicts', width: 10, align: 'right' },
  { title: 'levels', width: 7, align: 'right' },
  { title: 'equal', width: 7, align: 'right' },
]
/** How many rows the summary names before it only counts them. */
const LISTED = 6
const COLUMNS = [NAME, ...ROW_COLUMNS, ...WORKER_COLUMNS]

export function renderHeader(facts: {
  readonly machine: Machine
  readonly versions: Versions
  readonly options: ReportedOptions
}): string[] {
  const { machine, versions, options } = facts
  const packages = Object.entries(versions)
    .filter(([name]) => name !== 'node')
    .map(([name, version]) => `${name} ${version}`)
  return [
    `machine   ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`,
    `versions  Node ${versions.node}, ${packages.join(', ')}`,
    `options   seed ${options.seed}, ${count(options.runs, 'run')}, ` +
      `${count(options.transactions, 'transaction')} per generated block, ` +
      `workers ${options.workers.join(', ')}, scheduler ${options.scheduler}`,
    'method    stock @ethereumjs/vm runBlock and ours in turn, in rotated order, after one discarded',
    '          warm-up round; medians, and the median speed-up of paired runs. Each run imports the',
    '          same valid block on a fresh VM (MerkleStateManager with empty Caches) with newly',
    '          decoded transactions; ours includes the recovery of senders. Executors stay up between',
    '          runs. Equal: state root, receipts, bloom, gas used and requests as stock on every run.',
    '',
  ]
}

export function renderColumnTitles(): string[] {
  const titles = COLUMNS.map((column) => pad(column.title, column)).join('')
  return [titles, '-'.repeat(titles.length)]
}

export function renderRow(row: BenchRow): string[] {
  const own = [
    pad(row.name, NAME),
    ...padAll(ROW_COLUMNS, [
      String(row.transactions),
      (row.gas / 1e6).toFixed(2),
      milliseconds(row.stock.total),
      milliseconds(row.stock.recovery),
      milliseconds(row.stock.execution),
      milliseconds(row.stock.root),
    ]),
  ].join('')
  return row.parallel.map((result, index) => {
    const left = index === 0 ? own : ' '.repeat(own.length)
    const cells = padAll(WORKER_COLUMNS, [
      String(result.workers),
      result.total === null ? '-' : milliseconds(result.total),
      speedUpText(result),
      countText(result.reExecutions),
      countText(result.conflicts),
      countText(result.levels),
      result.isEqual ? 'yes' : 'NO',
    ])
    return left + cells.join('') + renderMarks(result)
  })
}

/** What did not run in parallel, or not to its end, must not pass for a parallel result. */
function renderMarks({ mode, fallbacks, samples }: ParallelResult): string {
  const marks: string[] = []
  if (mode !== null && mode !== 'parallel') marks.push(mode)
  if (fallbacks > 0) marks.push(`fell back in ${fallbacks} of ${count(samples.length, 'run')}`)
  return marks.length === 0 ? '' : `  ${marks.join(', ')}`
}

export function renderSummary(report: BenchReport): string[] {
  return [
    '',
    ...renderTotals(report),
    ...renderLosses(report),
    ...renderModes(report),
    ...report.notes.map((note) => `Note: ${note}`),
    ...renderEquality(report),
  ]
}

/** The loud part: nothing for a report in which all is equal. */
export function renderFailures(report: BenchReport): string[] {
  if (report.isEqual) return []
  const lines = [
    '',
    '!'.repeat(72),
    'NOT EQUAL TO STOCK ETHEREUMJS. The figures above are worthless; this is a defect',
    'of parallel-evm, please report it with the lines below.',
  ]
  for (const row of report.rows) {
    for (const { workers, failures, samples } of row.parallel) {
      for (const failure of failures) {
        lines.push(`  ${row.name}, ${workersText(workers)}, ${failure}`)
      }
      if (failures.length === 0 && samples.length === 0) {
        lines.push(`  ${row.name}, ${workersText(workers)}: no run completed`)
      }
    }
  }
  return [...lines, '!'.repeat(72)]
}

/** The sum over the mainnet blocks: a single block says little. */
function renderTotals({ rows, options }: BenchReport): string[] {
  const blocks = rows.filter((row) => row.workload === 'mainnet')
  if (blocks.length < 2) return []
  const stock = sum(blocks.map((row) => row.stock.total))
  const parts = options.workers.map((workers) => {
    const totals = blocks.map(
      (row) => row.parallel.find((result) => result.workers === workers)?.total ?? Number.NaN,
    )
    const total = sum(totals)
    if (Number.isNaN(total)) return `${workersText(workers)} incomplete`
    return `${workersText(workers)} ${milliseconds(total)} ms (${ratio(stock / total)})`
  })
  return [`mainnet, ${blocks.length} blocks: stock ${milliseconds(stock)} ms, ${parts.join(', ')}`]
}

function renderLosses({ rows }: BenchReport): string[] {
  const losses: string[] = []
  for (const row of rows) {
    for (const result of row.parallel) {
      if (!isSlower(result)) continue
      losses.push(`${row.name} with ${workersText(result.workers)} (${ratio(result.speedUp!)})`)
    }
  }
  return losses.length === 0
    ? ['No row is slower than stock.']
    : [`Slower than stock: ${listOf(losses)}.`]
}

function renderModes({ rows }: BenchReport): string[] {
  const reasons = new Map<string, string[]>()
  for (const row of rows) {
    const results = row.parallel.filter(({ mode }) => mode !== null && mode !== 'parallel')
    for (const { mode, why } of results) {
      const reason = `${mode}: ${why}`
      const names = reasons.get(reason) ?? []
      if (!names.includes(row.name)) names.push(row.name)
      reasons.set(reason, names)
    }
  }
  return [...reasons].map(([reason, names]) => `Note: ${listOf(names)} ran ${reason}`)
}

function renderEquality({ isEqual, rows, options }: BenchReport): string[] {
  if (!isEqual) return []
  // The warm-up round is checked too, but it is no measured run.
  const runs = rows.length * options.workers.length * options.runs
  return [
    `Equal to stock on every run: state root, receipts, bloom, gas used, requests (${runs} runs).`,
  ]
}

/** A long list says less than its length; the table above has each row. */
function listOf(texts: readonly string[]): string {
  const shown = texts.slice(0, LISTED)
  const others = texts.length - shown.length
  return shown.join(', ') + (others > 0 ? ` and ${others} more` : '')
}

function isSlower({ speedUp }: ParallelResult): boolean {
  return speedUp !== null && speedUp < 1
}

function speedUpText(result: ParallelResult): string {
  if (result.speedUp === null) return '-'
  return isSlower(result) ? `${ratio(result.speedUp)} slower` : ratio(result.speedUp)
}

function ratio(value: number): string {
  return `${value.toFixed(2)}x`
}

/** Enough digits to compare, no more: a tenth of a millisecond is noise in a second. */
function milliseconds(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}

function countText(value: number | null): string {
  return value === null ? '-' : String(Math.round(value))
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function padAll(columns: readonly Column[], cells: readonly string[]): string[] {
  return columns.map((column, index) => pad(cells[index] ?? '', column))
}

function pad(text: string, { width, align }: Column): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width)
}
