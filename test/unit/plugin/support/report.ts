// Ready-made reports for tests of what is printed. The authority on their uneventful defaults.
// Must not be measured: every figure in it is made up.
import type { BenchReport } from '../../../../plugin/bench/report.ts'
import type { BenchRow, ParallelResult } from '../../../../plugin/bench/row.ts'
import { totalsOf } from '../../../../plugin/bench/totals.ts'

const result: ParallelResult = {
  scheduler: 'auto',
  workers: 1,
  total: 80.04,
  cpu: 100.05,
  speedUp: 1.25,
  reExecutions: 0,
  conflicts: 0,
  levels: 1,
  causes: { existence: 0, balance: 0, nonce: 0, code: 0, reset: 0, slot: 0 },
  graph: null,
  access: null,
  phases: { prepare: 1, plan: 0.5, execute: 60, write: 3, learn: 0.25, finish: 16, total: 80 },
  collectorMs: null,
  mode: 'parallel',
  why: 'the block is large enough',
  fallbacks: 0,
  isEqual: true,
  failures: [],
  firstPass: null,
  samples: [],
}

const firstPass: NonNullable<ParallelResult['firstPass']> = {
  mode: 'parallel',
  executions: 300,
  reExecutions: 0,
  conflicts: 0,
  levels: 1,
  causes: { existence: 0, balance: 0, nonce: 0, code: 0, reset: 0, slot: 0 },
  graph: null,
  access: null,
  fallbackFrom: null,
  incidents: [],
  phases: { prepare: 1, plan: 0.5, execute: 60, write: 3, learn: 0.25, finish: 16, total: 80 },
}

/** Re-executions of the first pass, and of the later ones. */
export function reRuns(first: number | null, later: number | null): Partial<ParallelResult> {
  return {
    firstPass: first === null ? null : { ...firstPass, reExecutions: first },
    reExecutions: later,
  }
}

/** What a contender that predicts says besides. */
export const predicted = {
  scheduler: 'graph',
  graph: { levels: 10, criticalGas: 516_000, bound: 30 },
  access: {
    right: 950,
    wrong: 19,
    missed: 50,
    precision: 0.98,
    recall: 0.95,
    hottest: [
      {
        field: 'slot',
        address: `0x${'a1'.repeat(20)}`,
        slot: `0x${'00'.repeat(31)}02`,
        readers: 1,
        writers: 120,
        adders: 0,
        contract: 'Pool 1',
      },
      {
        field: 'slot',
        address: `0x${'b2'.repeat(20)}`,
        slot: `0x${'c3'.repeat(32)}`,
        readers: 0,
        writers: 12,
        adders: 0,
        contract: null,
      },
      {
        field: 'balance',
        address: `0x${'b2'.repeat(20)}`,
        readers: 2,
        writers: 0,
        adders: 7,
        contract: null,
      },
    ],
  },
} as const satisfies Partial<ParallelResult>

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
  changes: Partial<BenchReport['options']> = {},
): BenchReport {
  const options: BenchReport['options'] = {
    workloads: ['erc20'],
    transactions: 300,
    workers: [1, 2],
    runs: 5,
    seed: 7,
    schedulers: ['auto'],
    states: ['merkle'],
    ...changes,
  }
  return {
    schemaVersion: 2,
    machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 16, platform: 'linux x64', crypto: 'native' },
    versions: {
      node: '24.0.0',
      'parallel-evm': '0.1.0',
      '@ethereumjs/vm': '10.1.3',
      hardhat: '3.17.0',
    },
    options,
    rows,
    totals: totalsOf(rows, options),
    notes,
    isEqual: rows.every((row) => row.parallel.every(({ isEqual }) => isEqual)),
  }
}
