// A node from start to end: a server for a devnet, what it prints, and how it ends.
// The authority on the order of things at the end: clients first, then the chain.
// Must not meet the process: signals and streams are handed in.
import type { Devnet } from '../devnet/devnet-contract.ts'
import { pluginError } from '../plugin-error.ts'
import type { NodeOptions } from './options.ts'
import { serveDevnet } from './serve-devnet.ts'
import { accountLines, blockLine, isLoopback, urlOf } from './wording.ts'

export interface NodeSurroundings {
  readonly print: (line: string) => void
  readonly printError: (line: string) => void
  /** Ends the node. */
  readonly signal: AbortSignal
}

/** Resolves when the node has ended. @param devnet - not closed here: whoever made it does */
export async function runNode(
  devnet: Devnet,
  options: NodeOptions,
  { print, printError, signal }: NodeSurroundings,
): Promise<void> {
  const server = serveDevnet(devnet, {
    hostname: options.hostname,
    port: options.port,
    allowedHosts: options.allowedHosts,
    allowedOrigins: options.allowedOrigins,
    limits: { connections: options.maxConnections },
    processMetrics: true,
    onInternalError: (error, method) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      printError(`${method}: ${text}`)
    },
  })
  const { address, port } = await server.listen().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw pluginError(`cannot listen on ${options.hostname}:${options.port}: ${reason}`, error)
  })
  const stopLines = options.isQuiet
    ? () => {}
    : devnet.on('block', (block) => print(blockLine(block)))
  try {
    print(`JSON-RPC at ${urlOf(address, port, 'http')} and ${urlOf(address, port, 'ws')}`)
    print(`Metrics at ${urlOf(address, port, 'http')}metrics, chain id ${devnet.chainId}`)
    if (!isLoopback(address)) {
      print('WARNING: other machines can reach this node, and use its accounts')
    }
    print('')
    for (const line of accountLines(devnet.accounts)) print(line)
    await aborted(signal)
    print('Closing')
  } finally {
    await server.close()
    stopLines()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
