// The mark `parallel` of a network in Hardhat's config: who has it, what it takes, what it rules out.
// The authority on which networks this plugin runs and on the messages for what it cannot run.
// Must not load the devnet: every Hardhat command resolves the config.
import { resolve } from 'node:path'

import type {
  EdrNetworkConfig,
  HardhatConfig,
  HardhatUserConfig,
  NetworkConfig,
  NetworkUserConfig,
} from 'hardhat/types/config'
import type { HardhatUserConfigValidationError } from 'hardhat/types/hooks'

import type { ParallelNetworkConfig, ParallelNetworkUserConfig } from '../type-extensions.ts'
import { isPlainObject, isWorkerCount, MAXIMUM_WORKERS, show } from './config-values.ts'

/** Marked without being asked to, as Hardhat adds `default` and `node`. */
export const PARALLEL_NETWORK = 'parallel'

/** Those that have the block header of proof of stake; others need rules that the devnet has not. */
const HARDFORKS: readonly unknown[] = ['merge', 'shanghai', 'cancun', 'prague', 'osaka']

const KEYS: readonly (keyof ParallelNetworkUserConfig)[] = ['workers', 'dataDir']

export type MarkedNetworkConfig = EdrNetworkConfig & { readonly parallel: ParallelNetworkConfig }

export function isMarked(config: NetworkConfig | undefined): config is MarkedNetworkConfig {
  return config?.type === 'edr-simulated' && config.parallel !== undefined
}

/** One of the same name that is somebody else's stays as it is. */
export function addParallelNetwork(userConfig: HardhatUserConfig): HardhatUserConfig {
  // The config may come from JavaScript: what is no object is for the validation to name.
  const networks: unknown = userConfig.networks ?? {}
  if (!isPlainObject(networks)) return userConfig
  const given = networks[PARALLEL_NETWORK] ?? {}
  if (!isPlainObject(given) || (given.type ?? 'edr-simulated') !== 'edr-simulated') {
    return userConfig
  }
  // Not an error of somebody who has OP networks and never asked for this one.
  const defaultChainType: string | undefined = userConfig.defaultChainType
  const chainType = defaultChainType === 'op' ? { chainType: 'l1' } : {}
  const network = { parallel: true, ...chainType, ...given, type: 'edr-simulated' }
  return {
    ...userConfig,
    networks: { ...userConfig.networks, [PARALLEL_NETWORK]: network as NetworkUserConfig },
  }
}

export function validateNetworks(
  userConfig: HardhatUserConfig,
): HardhatUserConfigValidationError[] {
  const networks: unknown = userConfig.networks
  if (!isPlainObject(networks)) return []
  return Object.entries(networks).flatMap(([name, network]) =>
    isPlainObject(network) ? validateNetwork(name, network, userConfig.defaultChainType) : [],
  )
}

function validateNetwork(
  name: string,
  network: Record<string, unknown>,
  defaultChainType: unknown,
): HardhatUserConfigValidationError[] {
  const errors: HardhatUserConfigValidationError[] = []
  const report = (keys: readonly string[], message: string): void => {
    const path = ['networks', name, ...keys]
    errors.push({ path, message: `${path.join('.')} ${message}` })
  }
  const mark = network.parallel
  if (mark === undefined || mark === false) return []
  if (mark !== true && !isPlainObject(mark)) {
    report(['parallel'], `must be true, false or an object, not ${show(mark)}`)
    return errors
  }
  if (network.type !== 'edr-simulated') {
    report(['parallel'], `needs type "edr-simulated", not ${show(network.type)}`)
    return errors
  }
  if (mark !== true) {
    for (const [key, value] of Object.entries(mark)) {
      if (value !== undefined) checkMarkValue(key, value, report)
    }
  }
  if (isPlainObject(network.forking) && network.forking.enabled !== false) {
    report(
      ['forking'],
      'is not supported: it is out of the scope of parallel-evm, whose networks start empty. Remove it, set ' +
        'forking.enabled to false, or remove "parallel" to have Hardhat run the network',
    )
  }
  const { hardfork, transactionGasCap } = network
  if (hardfork !== undefined && !HARDFORKS.includes(hardfork)) {
    report(['hardfork'], `must be one of ${HARDFORKS.join(', ')}, not ${show(hardfork)}`)
  }
  if (transactionGasCap !== undefined) {
    report(['transactionGasCap'], 'is not supported: the cap is that of the hardfork. Remove it')
  }
  const [chainType, key] =
    network.chainType === undefined
      ? [defaultChainType, 'chainType (from defaultChainType)']
      : [network.chainType, 'chainType']
  if (chainType === 'op') report([key], 'must be "l1" or "generic": OP chains are not supported')
  return errors
}

function checkMarkValue(
  key: string,
  value: unknown,
  report: (keys: readonly string[], message: string) => void,
): void {
  if (!(KEYS as readonly string[]).includes(key)) {
    report(['parallel', key], `is not an option; allowed are ${KEYS.join(', ')}`)
  } else if (key === 'workers' && !isWorkerCount(value)) {
    const allowed = `an integer from 1 to ${MAXIMUM_WORKERS}`
    report(['parallel', key], `must be ${allowed}, not ${show(value)}`)
  } else if (key === 'dataDir' && (typeof value !== 'string' || value === '')) {
    report(['parallel', key], `must be a directory's path, not ${show(value)}`)
  }
}

/** Hardhat drops keys that it does not know from resolved networks. */
export function markResolvedNetworks(
  userConfig: HardhatUserConfig,
  resolved: HardhatConfig,
): Record<string, NetworkConfig> {
  const marked = { ...resolved.networks }
  for (const [name, network] of Object.entries(marked)) {
    const given = userConfig.networks?.[name]
    if (given?.type !== 'edr-simulated' || network.type !== 'edr-simulated') continue
    if (given.parallel === undefined || given.parallel === false) continue
    const parallel = resolveMark(
      given.parallel === true ? {} : given.parallel,
      userConfig.parallel?.workers,
      resolved.paths.root,
    )
    marked[name] = { ...network, parallel }
  }
  return marked
}

function resolveMark(
  mark: ParallelNetworkUserConfig,
  sectionWorkers: number | undefined,
  root: string,
): ParallelNetworkConfig {
  const workers = mark.workers ?? sectionWorkers
  return {
    ...(workers === undefined ? {} : { workers }),
    ...(mark.dataDir === undefined ? {} : { dataDir: resolve(root, mark.dataDir) }),
  }
}
