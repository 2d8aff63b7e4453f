// Checks the config section `parallel` and fills in its defaults; networks are in network-config.ts.
// The authority on which values the section takes and on the messages for all others.
// Must not load the executor: every Hardhat command resolves the config.
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { HardhatUserConfig } from 'hardhat/types/config'
import type { ConfigHooks, HardhatUserConfigValidationError } from 'hardhat/types/hooks'
import { isWorkerCount, MAXIMUM_WORKERS, show } from '../network/config-values.ts'
import {
  addParallelNetwork,
  markResolvedNetworks,
  validateNetworks,
} from '../network/network-config.ts'
import { keepVariableResolver } from '../network/variable-resolver.ts'
import { SCHEDULERS } from '../scheduler-names.ts'
import type { ParallelConfig, ParallelUserConfig } from '../type-extensions.ts'

const KEYS: readonly (keyof ParallelUserConfig)[] = ['workers', 'scheduler', 'workerSetup']

export default async (): Promise<Partial<ConfigHooks>> => ({
  extendUserConfig: async (userConfig, next) => addParallelNetwork(await next(userConfig)),
  validateUserConfig: async (userConfig) => [
    ...validateParallelConfig(userConfig),
    ...validateNetworks(userConfig),
  ],
  resolveUserConfig: async (userConfig, resolveConfigurationVariable, next) => {
    const resolved = await next(userConfig, resolveConfigurationVariable)
    const parallel = resolveParallelConfig(userConfig.parallel ?? {}, resolved.paths.root)
    keepVariableResolver(parallel, resolveConfigurationVariable)
    return { ...resolved, parallel, networks: markResolvedNetworks(userConfig, resolved) }
  },
})

export function validateParallelConfig(
  userConfig: HardhatUserConfig,
): HardhatUserConfigValidationError[] {
  // The config may come from JavaScript, so nothing about its type is certain.
  const section: unknown = userConfig.parallel
  if (section === undefined) return []
  if (typeof section !== 'object' || section === null || Array.isArray(section)) {
    return [{ path: ['parallel'], message: 'parallel must be an object' }]
  }
  const errors: HardhatUserConfigValidationError[] = []
  const report = (key: string, message: string): void => {
    errors.push({ path: ['parallel', key], message })
  }
  for (const [key, value] of Object.entries(section)) {
    if (value === undefined) continue
    if (!(KEYS as readonly string[]).includes(key)) {
      report(key, `parallel.${key} is not an option; allowed are ${KEYS.join(', ')}`)
    } else if (key === 'workers' && !isWorkerCount(value)) {
      report(
        key,
        `parallel.workers must be an integer from 1 to ${MAXIMUM_WORKERS}, not ${show(value)}`,
      )
    } else if (key === 'scheduler' && !(SCHEDULERS as readonly unknown[]).includes(value)) {
      report(key, `parallel.scheduler must be one of ${SCHEDULERS.join(', ')}, not ${show(value)}`)
    } else if (key === 'workerSetup' && !isModuleReference(value)) {
      report(key, `parallel.workerSetup must be a module's path or file URL, not ${show(value)}`)
    }
  }
  return errors
}

export function resolveParallelConfig(section: ParallelUserConfig, root: string): ParallelConfig {
  const { workers, scheduler, workerSetup } = section
  return {
    workers: workers ?? Math.min(availableParallelism(), MAXIMUM_WORKERS),
    scheduler: scheduler ?? 'auto',
    ...(workerSetup === undefined ? {} : { workerSetup: resolveModule(workerSetup, root) }),
  }
}

/** Paths are meant from the project's root, wherever the command is started. */
function resolveModule(reference: string | URL, root: string): string {
  if (reference instanceof URL) return reference.href
  return reference.startsWith('file:') ? reference : pathToFileURL(resolve(root, reference)).href
}

/** Files only: a worker has no loader for anything else. */
function isModuleReference(value: unknown): boolean {
  if (value instanceof URL) return value.protocol === 'file:'
  return typeof value === 'string' && value !== ''
}
