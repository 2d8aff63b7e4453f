// Stands before Hardhat's network manager: connections to marked networks are made here.
// Authority on which of the two makes a connection, and on what is cached for `getOrCreate`.
// Must hand everything else on untouched, to errors and to the deprecation that Hardhat prints at its end.
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type {
  ChainType,
  DefaultChainType,
  JsonRpcServer,
  NetworkConnection,
  NetworkConnectionParams,
  NetworkManager,
} from 'hardhat/types/network'

import {
  createParallelConnection,
  type DevnetFactory,
  type ParallelConnection,
  throughHandlers,
} from './parallel-connection.ts'
import { resolveNetwork } from './resolve-network.ts'

type Connection = NetworkConnection<ChainType | string>
type Params<ChainTypeT extends ChainType | string> = NetworkConnectionParams<ChainTypeT> | string

/** Hardhat's command line asks for it when it ends; it is in no type. */
const CONNECT_CALLED = 'wasConnectCalled'

export function wrapNetworkManager(
  hre: HardhatRuntimeEnvironment,
  inner: NetworkManager,
  createDevnet: DevnetFactory,
): NetworkManager {
  /** Promises, so that two who ask at once get the same. */
  const cache = new Map<string, Promise<Connection>>()
  let isConnectCalled = false

  const createOurs = async (
    params: Params<string> | undefined,
  ): Promise<ParallelConnection | undefined> => {
    const request = await resolveNetwork(hre, params)
    return request && createParallelConnection(hre, request, createDevnet)
  }

  const create = async <ChainTypeT extends ChainType | string = DefaultChainType>(
    params?: Params<ChainTypeT>,
  ): Promise<NetworkConnection<ChainTypeT>> => {
    const ours = await createOurs(params)
    if (ours === undefined) return inner.create(params)
    return ours.connection as NetworkConnection<ChainTypeT>
  }

  const manager: NetworkManager = {
    create,
    connect: (params) => {
      isConnectCalled = true
      return create(params)
    },
    getOrCreate: async <ChainTypeT extends ChainType | string = DefaultChainType>(
      params?: Params<ChainTypeT>,
    ): Promise<NetworkConnection<ChainTypeT>> => {
      const request = await resolveNetwork(hre, params)
      const hasOverride = typeof params === 'object' && 'override' in params
      // Overrides cannot be cached, and Hardhat refuses them with its own words.
      if (request === undefined || hasOverride) return inner.getOrCreate(params as string)
      const key = JSON.stringify([request.networkName, request.chainType])
      let cached = cache.get(key)
      if (cached === undefined) {
        cached = createParallelConnection(hre, request, createDevnet).then(
          (made) => made.connection,
        )
        cache.set(key, cached)
        cached.catch(() => cache.delete(key))
      }
      return cached as Promise<NetworkConnection<ChainTypeT>>
    },
    createServer: async (params, hostname, port): Promise<JsonRpcServer> => {
      const ours = await createOurs(params)
      if (ours === undefined) return inner.createServer(params, hostname, port)
      const { serveDevnet } = await import('../node/serve-devnet.ts')
      const server = serveDevnet(throughHandlers(ours), { hostname, port })
      return {
        listen: () => server.listen(),
        afterClosed: () => server.afterClosed(),
        // Nobody else has the connection.
        close: async () => {
          await server.close()
          await ours.connection.close()
        },
      }
    },
  }
  Object.defineProperty(manager, CONNECT_CALLED, {
    value: () => isConnectCalled || wasConnectCalled(inner),
    enumerable: false,
  })
  return manager
}

function wasConnectCalled(manager: NetworkManager): boolean {
  if (!(CONNECT_CALLED in manager)) return false
  const ask: unknown = manager[CONNECT_CALLED]
  return typeof ask === 'function' && ask.call(manager) === true
}
