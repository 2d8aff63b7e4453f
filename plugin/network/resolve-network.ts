// The config of the network that a connection is asked for, overrides and chain type included.
// Authority on how overrides are merged: as Hardhat merges them, by resolving the whole config again.
// Must leave errors to Hardhat, whose messages users know: it answers undefined where there is one.
import type { HardhatUserConfig, NetworkConfig } from 'hardhat/types/config'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { NetworkConnectionParams } from 'hardhat/types/network'

import { isPlainObject } from './config-values.ts'
import { isMarked, type MarkedNetworkConfig } from './network-config.ts'
import type { ConnectionRequest } from './parallel-connection.ts'
import { keptVariableResolver } from './variable-resolver.ts'

/** What Hardhat calls the network of those who name none. */
const DEFAULT_NETWORK = 'default'

/**
 * Undefined where the connection is Hardhat's to make: the network is not marked, is not there, or its
 * overrides are wrong.
 */
export async function resolveNetwork(
  hre: HardhatRuntimeEnvironment,
  params: NetworkConnectionParams<string> | string | undefined,
): Promise<ConnectionRequest | undefined> {
  const given = typeof params === 'string' ? { network: params } : (params ?? {})
  const networkName = given.network ?? hre.globalOptions.network ?? DEFAULT_NETWORK
  const { override = {} } = given as { override?: object }
  const existing = hre.config.networks[networkName]
  if (existing === undefined) return undefined
  const isMarkOverridden = 'parallel' in override
  if (!isMarked(existing) && !isMarkOverridden) return undefined

  const chainType = given.chainType ?? existing.chainType ?? hre.config.defaultChainType
  const networkConfig = await resolveConfig(hre, networkName, existing, override, chainType)
  return networkConfig === undefined ? undefined : { networkName, chainType, networkConfig }
}

async function resolveConfig(
  hre: HardhatRuntimeEnvironment,
  networkName: string,
  existing: NetworkConfig,
  override: object,
  chainType: string,
): Promise<MarkedNetworkConfig | undefined> {
  const hasOverrides = Object.keys(override).length > 0
  if (!hasOverrides && isMarked(existing)) {
    if (chainType === existing.chainType) return existing
    const isDefault = existing.chainType === undefined && chainType === hre.config.defaultChainType
    if (isDefault) return { ...existing, chainType: hre.config.defaultChainType }
  }
  // Neither can be overridden, and Hardhat says so.
  if ('type' in override && override.type !== existing.type) return undefined
  if ('chainType' in override && override.chainType !== existing.chainType) return undefined
  const merged = merge(hre.userConfig, { networks: { [networkName]: { ...override, chainType } } })
  return resolveAgain(hre, merged as HardhatUserConfig, networkName)
}

async function resolveAgain(
  hre: HardhatRuntimeEnvironment,
  userConfig: HardhatUserConfig,
  networkName: string,
): Promise<MarkedNetworkConfig | undefined> {
  const resolver = keptVariableResolver(hre.config.parallel)
  if (resolver === undefined) return undefined
  const { hooks } = hre
  const extended = await hooks.runHandlerChain(
    'config',
    'extendUserConfig',
    [userConfig],
    async (config) => config,
  )
  const errors = await hooks.runParallelHandlers('config', 'validateUserConfig', [extended])
  if (errors.flat().length > 0) return undefined
  const resolved = await hooks.runHandlerChain(
    'config',
    'resolveUserConfig',
    [extended, resolver],
    async () => hre.config,
  )
  const network = resolved.networks[networkName]
  return isMarked(network) ? network : undefined
}

/** Plain objects are merged, and everything else replaces. */
function merge(target: object, source: object): Record<string, unknown> {
  const result: Record<string, unknown> = { ...target }
  for (const [key, value] of Object.entries(source)) {
    const isPlain = isPlainObject(value) && Object.getPrototypeOf(value) === Object.prototype
    const old = result[key]
    result[key] = isPlain ? merge(isPlainObject(old) ? old : {}, value) : value
  }
  return result
}
