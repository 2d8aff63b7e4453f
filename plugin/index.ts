// The Hardhat 3 plugin: describes its config, network and tasks, and loads nothing else.
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
  .addOption({
    name: 'against',
    description: 'Instead: measure our network beside another one; hardhat = its own simulated one',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'againstTxs',
    description: 'With --against: transfers in a block',
    type: ArgumentType.INT,
    defaultValue: 2_000,
  })
  .addFlag({
    name: 'hot',
    description: 'Print the ten locations of each row at which most transactions meet',
  })
  .setAction(() => import('./tasks/parallel-bench.ts'))
  .build()

const parallelNode = task(
  'parallel-node',
  'Starts a JSON-RPC node, over HTTP and WebSocket, that builds its blocks in parallel',
)
  .addOption({
    name: 'port',
    description: 'The port to listen on; 0 takes one that is free',
    type: ArgumentType.INT,
    defaultValue: 8545,
  })
  .addOption({
    name: 'hostname',
    description: 'The name or address to listen on; 0.0.0.0 lets other machines in',
    defaultValue: '127.0.0.1',
  })
  .addOption({
    name: 'chainId',
    description: "The chain's id (default: the network's chainId)",
    type: ArgumentType.INT,
    defaultValue: -1,
  })
  .addOption({
    name: 'blockTime',
    description:
      'Milliseconds between blocks; 0 mines each transaction at once (default: as configured)',
    type: ArgumentType.INT,
    defaultValue: -1,
  })
  .addFlag({
    name: 'noMining',
    description: 'Mine nothing until a request such as evm_mine says so',
  })
  .addOption({
    name: 'order',
    description:
      'Which transactions come first in a block: priority or fifo (default: as configured)',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'workers',
    description: "Worker threads (default: the network's parallel.workers)",
    type: ArgumentType.INT,
    defaultValue: -1,
  })
  .addOption({
    name: 'accounts',
    description: 'How many accounts the mnemonic gives (default: as configured)',
    type: ArgumentType.INT,
    defaultValue: -1,
  })
  .addOption({
    name: 'dataDir',
    description: 'A directory to keep the chain in (default: memory only)',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'cors',
    description:
      'Comma-separated origins of web pages that may use the node, such as http://localhost:3000',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'allowedHosts',
    description:
      'Comma-separated names that the node may be reached by, beside localhost and addresses',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'maxConnections',
    description: 'Connections of clients at a time',
    type: ArgumentType.INT,
    defaultValue: 256,
  })
  .addFlag({
    name: 'quiet',
    description: 'Print no line for each block',
  })
  .setAction(() => import('./tasks/parallel-node.ts'))
  .build()

const plugin: HardhatPlugin = definePlugin({
  id: PLUGIN_ID,
  npmPackage: PLUGIN_ID,
  hookHandlers: {
    config: () => import('./hook-handlers/config.ts'),
    hre: () => import('./hook-handlers/hre.ts'),
  },
  tasks: [parallelBench, parallelNode],
})

export default plugin
