// The sentences below the table: sums, losses, reasons, notes, and whether all was equal.
// The authority on their wording and order.
// Must not claim anything of a report in which a result differed.
import { contendersOf, contenderText, variantsOf, variantText, workersText } from './contender.ts'
import type { BenchReport } from './report.ts'
import { type ReExecutions, resultOf } from './totals.ts'
import { countText, listOf, milliseconds, ratio } from './wording.ts'

export function renderSummary(report: BenchReport): string[] {
  return [
    '',
    ...renderMainnetTimes(report),
    ...renderLosses(report),
    ...renderReExecutions(report),
    ...renderPasses(report),
    ...renderSerialRows(report),
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
    for (const result of row.parallel) {
      const { failures, samples } = result
      for (const failure of failures) {
        lines.push(`  ${row.name}, ${contenderText(result)}, ${failure}`)
      }
      if (failures.length === 0 && samples.length === 0) {
        lines.push(`  ${row.name}, ${contenderText(result)}: no run completed`)
      }
    }
  }
  return [...lines, '!'.repeat(72)]
}

/** The sum over the mainnet blocks: a single block says little. */
function renderMainnetTimes({ rows, options }: BenchReport): string[] {
  const blocks = rows.filter((row) => row.workload === 'mainnet')
  if (blocks.length < 2) return []
  const stock = sum(blocks.map((row) => row.stock.total))
  const name = `mainnet, ${blocks.length} blocks`
  return variantsOf(options).map((variant) => {
    const parts = options.workers.map((workers) => {
      const total = sum(blocks.map((row) => resultOf(row, { ...variant, workers })?.total ?? NaN))
      if (Number.isNaN(total)) return `${workersText(workers)} incomplete`
      return `${workersText(workers)} ${milliseconds(total)} ms (${ratio(stock / total)})`
    })
    return `${name}: stock ${milliseconds(stock)} ms, ${variantText(variant)} with ${parts.join(', ')}`
  })
}

function renderLosses({ rows }: BenchReport): string[] {
  const losses: string[] = []
  for (const row of rows) {
    for (const result of row.parallel) {
      if (result.speedUp === null || result.speedUp >= 1) continue
      losses.push(`${row.name} (${contenderText(result)}, ${ratio(result.speedUp)})`)
    }
  }
  return losses.length === 0
    ? ['No row is slower than stock.']
    : [`Slower than stock: ${listOf(losses)}.`]
}

/** Of the measured rounds, and how many times as many there are without predictions. */
function renderReExecutions({ options, totals }: BenchReport): string[] {
  const parts = options.workers.map((workers) => {
    const texts = totals.reExecutions
      .filter((it) => it.workers === workers)
      .map((it) => `${variantText(it)} ${countText(it.later)}${blindRatioText(it)}`)
    return `${workersText(workers)}: ${texts.join(', ')}`
  })
  return [`Re-runs over all rows: ${parts.join('; ')}`]
}

function blindRatioText({ scheduler, blindRatio }: ReExecutions): string {
  return blindRatio === null ? '' : ` (optimistic/${scheduler} ${ratio(blindRatio)})`
}

/** A block met for the first time against the same block met again, by executors that learn. */
function renderPasses({ options, totals }: BenchReport): string[] {
  if (totals.mainnetReExecutions.length === 0) return []
  const parts = options.workers.map((workers) => {
    const texts = totals.mainnetReExecutions
      .filter((it) => it.workers === workers)
      .map((it) => `${variantText(it)} ${countText(it.firstPass)} / ${countText(it.later)}`)
    return `${workersText(workers)}: ${texts.join(', ')}`
  })
  return [`Re-runs of mainnet rows, first pass / later passes: ${parts.join('; ')}`]
}

function renderSerialRows({ totals }: BenchReport): string[] {
  return totals.serialRows.map((row) => {
    const { name, workers, total, single } = row
    return (
      `Serial: ${name}, ${variantText(row)}: ${workersText(workers)} ${milliseconds(total)} ms, ` +
      `1 worker ${milliseconds(single)} ms (${ratio(single / total)})`
    )
  })
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
  const runs = rows.length * contendersOf(options).length * options.runs
  return [
    `Equal to stock on every run: state root, receipts, bloom, gas used, requests (${runs} runs).`,
  ]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
