// Puts the plugin's network manager before Hardhat's when the runtime environment is made.
// The authority on when the devnet is loaded: with the first connection to a network of ours.
// Must not load anything heavy: every Hardhat command that has this plugin comes through here.
import type { HardhatRuntimeEnvironmentHooks } from 'hardhat/types/hooks'

import type { DevnetFactory } from '../network/parallel-connection.ts'
import { wrapNetworkManager } from '../network/wrap-network-manager.ts'

export default async (): Promise<Partial<HardhatRuntimeEnvironmentHooks>> => ({
  created: async (_context, hre) => {
    hre.network = wrapNetworkManager(hre, hre.network, loadAndCreate)
  },
})

const loadAndCreate: DevnetFactory = async (options) => {
  const { createPrintingDevnet } = await import('../network/printing-devnet.ts')
  return createPrintingDevnet(options)
}
