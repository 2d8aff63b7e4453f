// The Hardhat 3 plugin: describes its config section and tasks, and loads nothing else.
// The authority on the tasks' names, options and their one-line descriptions.
// Must not import anything that runs: each Hardhat command loads this file.
import { task } from 'hardhat/config'
import { definePlugin } from 'hardhat/plugins'
import { ArgumentType } from 'hardhat/types/arguments'
import type { HardhatPlugin } from 'hardhat/types/plugins'

import { PLUGIN_ID } from './plugin-id.ts'

export type * from './type-extensions.ts'

const parallelBench = task(
  'parallel-bench',
  'Measures parallel block execution against stock ethereumjs, result by result equal',
)
  .addOption({
    name: 'workload',
    description: 'Comma-separated: mainnet, transfers, erc20, erc20-hot, amm, mint, mixed, or all',
    defaultValue: 'all',
  })
  .addOption({
    name: 'txs',
    description: 'Transactions in the block of each generated workload',
    type: ArgumentType.INT,
    defaultValue: 300,
  })
  .addOption({
    name: 'workers',
    description: 'Comma-separated worker counts to measure (default: 1 and parallel.workers)',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'schedulers',
    description: 'Comma-separated schedulers to compare (default: parallel.scheduler)',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'state',
    description:
      'Comma-separated: what ours keep their state in, merkle (as stock) or flat (FlatState)',
    defaultValue: 'merkle',
  })
  .addOption({
    name: 'runs',
    description: 'Measured runs of each row; medians are reported',
    type: ArgumentType.INT,
    defaultValue: 5,
  })
  .addOption({
    name: 'seed',
    description: 'Seed of the generated workloads',
    type: ArgumentType.INT,
    defaultValue: 1,
  })
  .addOption({
    name: 'json',
    description: 'File to write the whole report to',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'blocks',
    description: 'Folder of further mainnet blocks, files named N.json.gz',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addFlag({
    name: 'hot',
    description: 'Print the ten locations of each row at which most transactions meet',
  })
  .setAction(() => import('./tasks/parallel-bench.ts'))
  .build()

const plugin: HardhatPlugin = definePlugin({
  id: PLUGIN_ID,
  npmPackage: PLUGIN_ID,
  hookHandlers: { config: () => import('./hook-handlers/config.ts') },
  tasks: [parallelBench],
})

export default plugin
