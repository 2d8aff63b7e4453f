// Keeps what Hardhat resolves configuration variables with, for connections that override the config.
// The authority on where it is found again: with the resolved section `parallel`.
// Must not keep it longer than the config it came with.
import type { ConfigurationVariableResolver } from 'hardhat/types/config'

import type { ParallelConfig } from '../type-extensions.ts'

const resolvers = new WeakMap<ParallelConfig, ConfigurationVariableResolver>()

/** Hardhat hands it to this hook alone. */
export function keepVariableResolver(
  section: ParallelConfig,
  resolver: ConfigurationVariableResolver,
): void {
  resolvers.set(section, resolver)
}

export function keptVariableResolver(
  section: ParallelConfig,
): ConfigurationVariableResolver | undefined {
  return resolvers.get(section)
}
