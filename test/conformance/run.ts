// Script: the official ethereum/tests BlockchainTests, ours against stock, case by case.
// Every case stock passes must pass here, and refused blocks must be refused with stock's error.
// Exits 1 on any difference; it must not skip what stock fails, which has to fail equally.
// npm run test:conformance -- [--dir DIR] [--workers 2] [--filter REGEX] [--limit N] [--slow] [--stock]
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { type CaseReport, runBlockchainCase } from '../support/blockchain-case.ts'
import { readTestFiles } from '../support/ethereum-tests.ts'
import { type Implementation, loadImplementation } from '../support/implementation.ts'

const slowCase = 5_000
/** Loops for minutes on stock; left out, and counted as left out, unless `--slow` is given. */
const verySlow = /vmPerformance\/loopMul/
const shownDifferences = 40

const { values: options } = parseArgs({
  options: {
    dir: {
      type: 'string',
      default: fileURLToPath(new URL('../fixtures/ethereum-tests', import.meta.url)),
    },
    workers: { type: 'string', default: '2' },
    filter: { type: 'string' },
    limit: { type: 'string' },
    slow: { type: 'boolean', default: false },
    stock: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})

class Summary {
  cases = 0
  passedByStock = 0
  equal = 0
  leftOut = 0
  blocksRun = 0
  blocksRefused = 0
  transactions = 0
  stockMilliseconds = 0
  readonly modes = new Map<string, number>()
  readonly stockFailures: string[] = []
  readonly different: string[] = []

  add(name: string, report: CaseReport): void {
    this.cases++
    this.blocksRun += report.blocksRun
    this.blocksRefused += report.blocksRefused
    this.stockMilliseconds += report.stockMilliseconds
    if (report.passedByStock) this.passedByStock++
    else this.stockFailures.push(`${name}: ${report.stockFailure}`)
    if (report.differences.length === 0) this.equal++
    else this.different.push(`${name}\n    ${report.differences.join('\n    ')}`)
    for (const { mode, why, transactions } of report.reports) {
      this.transactions += transactions
      const key = mode === 'parallel' ? mode : `${mode}: ${why}`
      this.modes.set(key, (this.modes.get(key) ?? 0) + 1)
    }
  }
}

async function main(): Promise<void> {
  const started = performance.now()
  const summary = new Summary()
  const implementation = await loadImplementation({
    stock: options.stock,
    workers: Number(options.workers),
  })
  try {
    await runAll(implementation, summary)
  } finally {
    await implementation.close()
  }
  print(summary, (performance.now() - started) / 1000)
  if (summary.different.length > 0 || summary.cases === 0) process.exitCode = 1
}

async function runAll(implementation: Implementation, summary: Summary): Promise<void> {
  const filter = options.filter === undefined ? undefined : new RegExp(options.filter)
  const limit = Number(options.limit ?? Number.POSITIVE_INFINITY)
  let files = 0
  for (const file of readTestFiles(options.dir)) {
    for (const [caseName, test] of file.cases) {
      const name = `${file.name} ${caseName}`
      if (filter?.test(name) === false) continue
      if (summary.cases >= limit) return
      if (!options.slow && verySlow.test(name)) {
        summary.leftOut++
        continue
      }
      const started = performance.now()
      summary.add(name, await runSafely(name, () => runBlockchainCase(test, implementation)))
      const milliseconds = performance.now() - started
      if (milliseconds > slowCase || options.verbose) {
        console.log(`${name}: ${(milliseconds / 1000).toFixed(1)} s`)
      }
    }
    files++
    if (files % 100 === 0) {
      console.log(`${files} files, ${summary.cases} cases, ${summary.different.length} different`)
    }
  }
}

/** A case the harness cannot even set up counts as different, with the reason. */
async function runSafely(name: string, run: () => Promise<CaseReport>): Promise<CaseReport> {
  try {
    return await run()
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return {
      passedByStock: false,
      stockFailure: `the harness failed on ${name}`,
      differences: [text],
      reports: [],
      blocksRun: 0,
      blocksRefused: 0,
      stockMilliseconds: 0,
    }
  }
}

function print(summary: Summary, seconds: number): void {
  const { different, stockFailures } = summary
  for (const line of different.slice(0, shownDifferences)) console.log(`DIFFERENT ${line}`)
  if (different.length > shownDifferences) {
    console.log(`… and ${different.length - shownDifferences} more`)
  }
  for (const line of stockFailures) console.log(`stock fails ${line.slice(0, 300)}`)
  console.log(
    `\n${summary.cases} cases in ${seconds.toFixed(0)} s ` +
      `(stock alone ${(summary.stockMilliseconds / 1000).toFixed(0)} s), ` +
      `${summary.passedByStock} passed by stock, ${summary.equal} equal, ` +
      `${different.length} different`,
  )
  if (summary.leftOut > 0) console.log(`${summary.leftOut} very slow cases left out (--slow)`)
  console.log(`${summary.blocksRun} blocks run, ${summary.blocksRefused} blocks refused`)
  console.log(`${summary.transactions} transactions in blocks that ran`)
  for (const [mode, count] of [...summary.modes].sort(([, left], [, right]) => right - left)) {
    console.log(`  ${count} blocks ${mode}`)
  }
}

await main()
