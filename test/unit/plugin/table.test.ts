// The text that parallel-bench prints.
import { describe, expect, it } from 'vitest'
import type { BenchReport, BenchRow, ParallelResult } from '../../../plugin/bench/report.ts'
import {
  renderColumnTitles,
  renderFailures,
  renderHeader,
  renderRow,
  renderSummary,
} from '../../../plugin/bench/table.ts'

const result: ParallelResult = {
  workers: 1,
  total: 80.04,
  speedUp: 1.25,
  reExecutions: 0,
  conflicts: 0,
  levels: 1,
  mode: 'parallel',
  why: 'the block is large enough',
  fallbacks: 0,
  isEqual: true,
  failures: [],
  samples: [],
}

function rowWith(changes: Partial<BenchRow>, ...results: Partial<ParallelResult>[]): BenchRow {
  return {
    workload: 'erc20',
    name: 'erc20',
    transactions: 300,
    gas: 15_480_000,
    stock: { total: 1004.4, recovery: 540.2, execution: 400.1, root: 64.1, samples: [] },
    parallel: results.map((change) => ({ ...result, ...change })),
    ...changes,
  }
}

function reportWith(rows: BenchRow[], notes: string[] = []): BenchReport {
  return {
    schemaVersion: 1,
    machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 16, platform: 'linux x64' },
    versions: {
      node: '24.0.0',
      'parallel-evm': '0.1.0',
      '@ethereumjs/vm': '10.1.3',
      hardhat: '3.17.0',
    },
    options: {
      workloads: ['erc20'],
      transactions: 300,
      workers: [1, 2],
      runs: 5,
      seed: 7,
      scheduler: 'auto',
    },
    rows,
    notes,
    isEqual: rows.every((row) => row.parallel.every(({ isEqual }) => isEqual)),
  }
}

describe('the printed benchmark', () => {
  it('begins with machine, versions, seed and runs', () => {
    const header = renderHeader(reportWith([])).join('\n')
    expect(header).toContain('machine   Some CPU, 2 cores, 16 GiB, linux x64')
    expect(header).toContain(
      'versions  Node 24.0.0, parallel-evm 0.1.0, @ethereumjs/vm 10.1.3, hardhat 3.17.0',
    )
    expect(header).toContain(
      'options   seed 7, 5 runs, 300 transactions per generated block, workers 1, 2, scheduler auto',
    )
  })

  it('has a line for each worker count, under titles of the same width', () => {
    const [titles, rule] = renderColumnTitles()
    const lines = renderRow(
      rowWith({}, {}, { workers: 2, total: 502.2, speedUp: 2, conflicts: 12, reExecutions: 7.5 }),
    )
    expect([titles, ...lines]).toEqual([
      'workload             txs   Mgas  stock ms recovery execution   root  workers  ours ms      speed-up  re-runs conflicts levels  equal',
      'erc20                300  15.48      1004      540       400   64.1        1     80.0         1.25x        0         0      1    yes',
      '                                                                           2      502         2.00x        8        12      1    yes',
    ])
    expect(rule).toHaveLength(titles!.length)
  })

  it('marks a row that loses and one that did not run in parallel', () => {
    const [line] = renderRow(rowWith({}, { speedUp: 0.8, mode: 'inline' }))
    expect(line).toContain(' 0.80x slower ')
    expect(line).toMatch(/yes {2}inline$/)
  })

  it('marks a row whose runs fell back', () => {
    const [line] = renderRow(rowWith({}, { fallbacks: 2 }))
    expect(line).toMatch(/yes {2}fell back in 2 of 0 runs$/)
  })

  it('marks a result that is not equal, and one that there is none of', () => {
    const [line] = renderRow(
      rowWith({}, { total: null, speedUp: null, levels: null, mode: null, isEqual: false }),
    )
    expect(line).toMatch(/ - +- +0 +0 +- +NO$/)
  })

  it('ends with the losers, the reasons, the notes and the equality', () => {
    const rows = [
      rowWith({}, { speedUp: 0.8 }),
      rowWith({ name: 'mint' }, { speedUp: 0.9, mode: 'inline', why: 'the block is tiny' }),
    ]
    expect(renderSummary(reportWith(rows, ['one block is left out']))).toEqual([
      '',
      'Slower than stock: erc20 with 1 worker (0.80x), mint with 1 worker (0.90x).',
      'Note: mint ran inline: the block is tiny',
      'Note: one block is left out',
      'Equal to stock on every run: state root, receipts, bloom, gas used, requests (20 runs).',
    ])
  })

  it('sums up the mainnet blocks', () => {
    const block = (name: string) =>
      rowWith({ workload: 'mainnet', name }, { total: 502.2 }, { workers: 2, total: 251.1 })
    const [, total, losses] = renderSummary(reportWith([block('mainnet 1'), block('mainnet 2')]))
    expect(total).toBe(
      'mainnet, 2 blocks: stock 2009 ms, 1 worker 1004 ms (2.00x), 2 workers 502 ms (4.00x)',
    )
    expect(losses).toBe('No row is slower than stock.')
  })

  it('counts the rows of a long list instead of naming each', () => {
    const rows = Array.from({ length: 9 }, (_, index) =>
      rowWith({ name: `row ${index}` }, { speedUp: 0.5 }),
    )
    expect(renderSummary(reportWith(rows))[1]).toMatch(
      /row 5 with 1 worker \(0.50x\) and 3 more\.$/,
    )
  })

  it('is loud about every unequal run, and claims nothing then', () => {
    const report = reportWith([
      rowWith({}, { isEqual: false, failures: ['run 1 of 5: gas used is 1 instead of 2'] }),
      rowWith({ name: 'mint' }, { isEqual: false }),
    ])
    const text = renderFailures(report).join('\n')
    expect(text).toContain('NOT EQUAL TO STOCK ETHEREUMJS')
    expect(text).toContain('  erc20, 1 worker, run 1 of 5: gas used is 1 instead of 2')
    expect(text).toContain('  mint, 1 worker: no run completed')
    expect(renderSummary(report).join('\n')).not.toContain('Equal to stock')
    expect(renderFailures(reportWith([rowWith({}, {})]))).toEqual([])
  })
})
