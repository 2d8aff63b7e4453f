// The report as a table: header, titles, and for each row a line of stock's and one of each contender.
// The authority on the columns of what parallel-bench prints; summary.ts has the sentences below them.
// Must not hide a losing row, a run that was not parallel, or an inequality.
import { variantText } from './contender.ts'
import { renderDetails } from './details.ts'
import type { Machine, Versions } from './machine.ts'
import type { ReportedOptions } from './report.ts'
import type { BenchRow, ParallelResult, StockResult } from './row.ts'
import { count, countText, milliseconds, percent, ratio } from './wording.ts'

interface Column {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
}

const rightAligned = (title: string, width: number): Column => ({ title, width, align: 'right' })

const ROW_COLUMNS: readonly Column[] = [
  { title: 'workload', width: 17, align: 'left' },
  rightAligned('txs', 6),
  rightAligned('Mgas', 7),
]
const TIME_COLUMNS: readonly Column[] = [
  { title: '  scheduler', width: 17, align: 'left' },
  rightAligned('workers', 8),
  rightAligned('ms', 8),
  rightAligned('speed-up', 14),
  rightAligned('CPU', 7),
]
const COUNT_COLUMNS: readonly Column[] = [
  rightAligned('re-runs', 8),
  rightAligned('conflicts', 10),
  rightAligned('levels', 7),
  rightAligned('planned', 8),
  rightAligned('right', 7),
  rightAligned('found', 7),
  rightAligned('equal', 7),
]
const COLUMNS = [...ROW_COLUMNS, ...TIME_COLUMNS, ...COUNT_COLUMNS]

/** Of ours; stock's is JavaScript always. */
const CRYPTO_TEXT: Readonly<Record<Machine['crypto'], string>> = {
  native: 'signatures by native secp256k1, hashes by WebAssembly',
  wasm: 'signatures by WebAssembly (no native secp256k1 for this machine), hashes by WebAssembly',
  javascript:
    'signatures by JavaScript (no faster secp256k1 for this machine), hashes by WebAssembly',
}

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
    `crypto    ${CRYPTO_TEXT[machine.crypto]}`,
    `options   seed ${options.seed}, ${count(options.runs, 'run')}, ` +
      `${count(options.transactions, 'transaction')} per generated block, ` +
      `workers ${options.workers.join(', ')}, ` +
      `scheduler${options.schedulers.length === 1 ? '' : 's'} ${options.schedulers.join(', ')}, state${options.states.length === 1 ? '' : 's'} ${options.states.join(', ')}`,
    'method    stock @ethereumjs/vm runBlock and ours in turn, in rotated order, after one discarded',
    '          warm-up round; medians, and the median speed-up of paired runs. Each run imports the',
    '          same valid block on a fresh VM (MerkleStateManager with empty Caches; "flat": our',
    '          FlatState, new for each run as well) with newly decoded transactions; ours includes the',
    '          recovery of senders. Executors stay up between runs. CPU: time of all threads as a share',
    '          of the time passed. Equal: state root, receipts, bloom, gas used and requests as stock',
    '          on every run.',
    '',
  ]
}

export function renderColumnTitles(): string[] {
  const titles = padAll(
    COLUMNS,
    COLUMNS.map(({ title }) => title),
  )
  return [titles, '-'.repeat(titles.length)]
}

export function renderRow(row: BenchRow): string[] {
  const own = padAll(ROW_COLUMNS, [row.name, String(row.transactions), (row.gas / 1e6).toFixed(2)])
  const indent = ' '.repeat(own.length)
  return [
    own + renderStock(row.stock),
    ...row.parallel.map((result) => indent + renderResult(result)),
    ...renderDetails(row),
  ]
}

/** Where its time went stands where ours has what stock has no notion of. */
function renderStock({ total, cpu, recovery, execution, root }: StockResult): string {
  const times = padAll(TIME_COLUMNS, ['  stock', '', milliseconds(total), '', cpuText(cpu, total)])
  const parts = { recovery, execution, root }
  const texts = Object.entries(parts).map(([part, spent]) => `${part} ${milliseconds(spent)}`)
  return `${times}  ${texts.join(', ')}`
}

function renderResult(result: ParallelResult): string {
  const cells = [
    `  ${variantText(result)}`,
    String(result.workers),
    result.total === null ? '-' : milliseconds(result.total),
    speedUpText(result),
    cpuText(result.cpu, result.total),
    countText(result.reExecutions),
    countText(result.conflicts),
    countText(result.levels),
    countText(result.graph?.levels ?? null),
    shareText(result.access?.precision),
    shareText(result.access?.recall),
    result.isEqual ? 'yes' : 'NO',
  ]
  return padAll([...TIME_COLUMNS, ...COUNT_COLUMNS], cells) + renderMarks(result)
}

/** What did not run in parallel, or not to its end, must not pass for a parallel result. */
function renderMarks({ mode, fallbacks, samples }: ParallelResult): string {
  const marks: string[] = []
  if (mode !== null && mode !== 'parallel') marks.push(mode)
  if (fallbacks > 0) marks.push(`fell back in ${fallbacks} of ${count(samples.length, 'run')}`)
  return marks.length === 0 ? '' : `  ${marks.join(', ')}`
}

function cpuText(cpu: number | null, total: number | null): string {
  return cpu === null || total === null ? '-' : percent(cpu / total)
}

/** "100 %" is said of all, not of nearly all. */
function shareText(share: number | undefined): string {
  return share === undefined ? '-' : percent(share < 1 ? Math.min(share, 0.99) : share)
}

function speedUpText({ speedUp }: ParallelResult): string {
  if (speedUp === null) return '-'
  return speedUp < 1 ? `${ratio(speedUp)} slower` : ratio(speedUp)
}

function padAll(columns: readonly Column[], cells: readonly string[]): string {
  return columns.map((column, index) => pad(cells[index] ?? '', column)).join('')
}

function pad(text: string, { width, align }: Column): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width)
}
