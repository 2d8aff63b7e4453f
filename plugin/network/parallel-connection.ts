// A connection to a parallel network, made the way Hardhat makes its own, so that plugins extend it.
// Authority on what a connection is created from and on what it runs when it is closed.
// Must use Hardhat's public hooks only.
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { ChainType, NetworkConnection } from 'hardhat/types/network'

import type { Devnet, DevnetConnection, DevnetOptions } from '../devnet/devnet-contract.ts'
import { pluginError } from '../plugin-error.ts'
import { devnetOptions } from './devnet-options.ts'
import type { MarkedNetworkConfig } from './network-config.ts'
import { ParallelProvider, type RequestChain } from './parallel-provider.ts'
import { toProviderError } from './provider-error.ts'

/** From Osaka on no transaction may have more gas (EIP-7825). */
const TRANSACTION_GAS_CAP = 16_777_216n
const DEFAULT_BLOCK_GAS_LIMIT = 60_000_000n
const HARDFORKS_WITH_GAS_CAP: readonly string[] = ['osaka', 'amsterdam']

export type DevnetFactory = (options: DevnetOptions) => Promise<Devnet>

export interface ConnectionRequest {
  readonly networkName: string
  readonly chainType: string
  readonly networkConfig: MarkedNetworkConfig
}

export interface ParallelConnection {
  readonly connection: NetworkConnection<ChainType | string>
  readonly devnet: Devnet
  /** The handlers that each of the connection's requests goes through. */
  readonly runHandlers: RequestChain
}

type BareConnection = Pick<
  NetworkConnection<ChainType | string>,
  'id' | 'networkName' | 'networkConfig' | 'chainType' | 'provider' | 'close'
>

/** Hardhat counts its own from 0, and the two must not meet in a log. */
let nextId = 1_000_000

/**
 * @param changeOptions - what a caller knows better than the config, such as a command's options
 */
export async function createParallelConnection(
  hre: HardhatRuntimeEnvironment,
  request: ConnectionRequest,
  createDevnet: DevnetFactory,
  changeOptions: (options: DevnetOptions) => DevnetOptions = (options) => options,
): Promise<ParallelConnection> {
  const { networkName, networkConfig, chainType } = request
  const configured = await devnetOptions(networkConfig)
  // Only failures need it, and it brings much along.
  const contracts = async () => (await import('./known-contracts.ts')).knownContracts(hre.artifacts)
  const options = { ...configured, contracts }
  const devnet = await created(createDevnet, changeOptions(options))
  let connection: NetworkConnection<ChainType | string> | undefined
  const runHandlers: RequestChain = (rpcRequest, last) => {
    if (connection === undefined) return last(rpcRequest)
    return hre.hooks.runHandlerChain(
      'network',
      'onRequest',
      [connection, rpcRequest],
      async (_context, _connection, handled) => last(handled),
    )
  }
  const provider = new ParallelProvider(devnet, {
    runHandlers,
    defaultTransactionGasLimit: defaultGasLimit(networkConfig),
    isBlockGasLimitEnforced: networkConfig.blockGasLimit !== false,
  })
  const bare: BareConnection = {
    id: nextId++,
    networkName,
    networkConfig,
    chainType,
    provider,
    close: () =>
      hre.hooks.runHandlerChain('network', 'closeConnection', [own], async (_context, closing) =>
        closing.provider.close(),
      ),
  }
  // What else the type has, plugins add: that is what `newConnection` is for.
  const own = bare as NetworkConnection<ChainType | string>
  connection = own
  try {
    const extended = await hre.hooks.runHandlerChain(
      'network',
      'newConnection',
      [],
      // Generic in the chain type, which is a type only: it is `chainType` that this connection has.
      async () => own as NetworkConnection<never>,
    )
    return { connection: extended, devnet, runHandlers }
  } catch (error) {
    await provider.close()
    throw error
  }
}

/** A directory that cannot be used is for the user to set right, and no defect. */
async function created(createDevnet: DevnetFactory, options: DevnetOptions): Promise<Devnet> {
  const { dataDir } = options
  if (dataDir === undefined) return createDevnet(options)
  return createDevnet(options).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw pluginError(`cannot use the data directory ${dataDir}: ${reason}`, error)
  })
}

/** The devnet as clients of a server meet it: their requests go through the handlers as well. */
export function throughHandlers({ devnet, runHandlers }: ParallelConnection): Devnet {
  const connect = (): DevnetConnection => {
    const inner = devnet.connect()
    let nextRequest = 1
    return {
      request: async (method, params) => {
        const response = await runHandlers(
          { jsonrpc: '2.0', id: nextRequest++, method, params: [...(params ?? [])] },
          async (last) => ({
            jsonrpc: '2.0',
            id: last.id,
            result: await inner.request(last.method, last.params as unknown[]),
          }),
        )
        if ('error' in response && response.error !== undefined) {
          throw toProviderError(response.error)
        }
        return 'result' in response ? response.result : null
      },
      onNotification: (listener) => inner.onNotification(listener),
      close: () => inner.close(),
    }
  }
  return {
    connect,
    on: (event, listener) => devnet.on(event, listener),
    accounts: devnet.accounts,
    chainId: devnet.chainId,
    get pooled() {
      return devnet.pooled
    },
    close: () => devnet.close(),
  }
}

function defaultGasLimit(config: MarkedNetworkConfig): bigint {
  const blockGasLimit =
    typeof config.blockGasLimit === 'bigint' ? config.blockGasLimit : DEFAULT_BLOCK_GAS_LIMIT
  if (typeof config.transactionGasCap === 'bigint') return config.transactionGasCap
  if (config.transactionGasCap === false) return blockGasLimit
  return HARDFORKS_WITH_GAS_CAP.includes(config.hardfork) ? TRANSACTION_GAS_CAP : blockGasLimit
}
