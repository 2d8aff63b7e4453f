// Ready-made benchmark options for tests. The authority on their small defaults.
// Must not repeat the checks of the option parser.
import type { BenchArguments, BenchOptions } from '../../../../plugin/bench/options.ts'

export const defaultArguments: BenchArguments = {
  workload: 'all',
  txs: 300,
  workers: undefined,
  schedulers: undefined,
  state: 'merkle',
  runs: 5,
  seed: 1,
  json: undefined,
  blocks: undefined,
  hot: false,
  against: undefined,
  againstTxs: 2_000,
}

export function optionsWith(changes: Partial<BenchOptions> = {}): BenchOptions {
  return {
    workloads: ['transfers'],
    isMainnetNamed: false,
    transactions: 4,
    workers: [1, 2],
    runs: 2,
    seed: 1,
    jsonFile: undefined,
    blocksFolder: undefined,
    schedulers: ['auto'],
    states: ['merkle'],
    showsHottest: false,
    ...changes,
  }
}
