// The action of `npx hardhat parallel-node`: arguments in, a node that runs until it is interrupted.
// The authority on how a node meets the process: signals, streams, exit codes.
// Must not load the devnet before the arguments have been checked.
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'

import { PARALLEL_NETWORK } from '../network/network-config.ts'
import { type NodeArguments, parseNodeOptions } from '../node/options.ts'
import { pluginError } from '../plugin-error.ts'

/** 128 plus the number of SIGINT, as shells report it. */
const INTERRUPTED = 130
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Resolves when the node was asked to end and has. */
export default async function parallelNode(
  given: NodeArguments,
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  const options = parseNodeOptions(given)
  const { resolveNetwork } = await import('../network/resolve-network.ts')
  const network = hre.globalOptions.network ?? PARALLEL_NETWORK
  const request = await resolveNetwork(hre, { network })
  if (request === undefined) {
    const isThere = network in hre.config.networks
    throw pluginError(
      isThere
        ? `--network ${network}: it is not a network of parallel-evm; mark it with "parallel: true"`
        : `--network ${network}: there is no such network in the config`,
    )
  }
  const interrupt = new AbortController()
  const onSignal = (): void => {
    // The second one does not wait for anything.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED)
    interrupt.abort()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    const { createParallelConnection, throughHandlers } = await import(
      '../network/parallel-connection.ts'
    )
    const { createPrintingDevnet } = await import('../network/printing-devnet.ts')
    const made = await createParallelConnection(hre, request, createPrintingDevnet, options.change)
    try {
      const { runNode } = await import('../node/run-node.ts')
      await runNode(throughHandlers(made), options, {
        print: (line) => console.log(line),
        printError: (line) => console.error(line),
        signal: interrupt.signal,
      })
    } finally {
      await made.connection.close()
    }
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}
