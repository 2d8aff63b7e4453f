// Ready-made reports for tests of what is printed. The authority on their uneventful defaults.
// Must not be measured: every figure in it is made up.
import type { BenchReport, BenchRow, ParallelResult } from '../../../../plugin/bench/report.ts'

const result: ParallelResult = {
  scheduler: 'auto',
  workers: 1,
  total: 80.04,
  cpu: 100.05,
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

export function rowWith(
  changes: Partial<BenchRow>,
  ...results: Partial<ParallelResult>[]
): BenchRow {
  return {
    workload: 'erc20',
    name: 'erc20',
    transactions: 300,
    gas: 15_480_000,
    stock: {
      total: 1004.4,
      recovery: 540.2,
      execution: 400.1,
      root: 64.1,
      cpu: 1104.8,
      samples: [],
    },
    parallel: results.map((change) => ({ ...result, ...change })),
    ...changes,
  }
}

export function reportWith(
  rows: BenchRow[],
  notes: string[] = [],
  options: Partial<BenchReport['options']> = {},
): BenchReport {
  return {
    schemaVersion: 2,
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
      schedulers: ['auto'],
      ...options,
    },
    rows,
    notes,
    isEqual: rows.every((row) => row.parallel.every(({ isEqual }) => isEqual)),
  }
}
