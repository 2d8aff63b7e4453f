// Hardhat's own simulated network and ours, in this process and with the same settings, behind Hardhat's
// own providers. The authority on those settings. Must not depend on the user's configuration.
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { HardhatPlugin } from 'hardhat/types/plugins'
import type { EthereumProvider } from 'hardhat/types/providers'

import { CONTRACT_TOKEN, tokenStorage } from './token.ts'

export type Side = 'hardhat' | 'parallel'
export const SIDES: readonly Side[] = ['hardhat', 'parallel']

export interface BenchNetwork {
  readonly side: Side
  request(method: string, ...params: unknown[]): Promise<unknown>
  close(): Promise<void>
}

/** Wei of each account. */
const BALANCE = 10n ** 24n

/** One new network of each kind; both have a token that all accounts hold. */
export async function openNetworks(
  plugin: HardhatPlugin,
  privateKeys: readonly string[],
  addresses: readonly string[],
): Promise<BenchNetwork[]> {
  const settings = {
    type: 'edr-simulated',
    chainType: 'l1',
    accounts: privateKeys.map((privateKey) => ({ privateKey, balance: String(BALANCE) })),
  }
  const networks = { own: settings, ours: { ...settings, parallel: true } }
  const hre = await createHardhatRuntimeEnvironment({ plugins: [plugin], networks } as never)
  const open: BenchNetwork[] = []
  for (const side of SIDES) {
    const connection = await hre.network.create(side === 'hardhat' ? 'own' : 'ours')
    const network = {
      side,
      request: requestsOf(connection.provider),
      close: () => connection.close(),
    }
    await network.request('hardhat_setCode', CONTRACT_TOKEN.address, CONTRACT_TOKEN.code)
    for (const [slot, value] of tokenStorage(addresses)) {
      await network.request('hardhat_setStorageAt', CONTRACT_TOKEN.address, slot, value)
    }
    open.push(network)
  }
  return open
}

function requestsOf(provider: EthereumProvider): BenchNetwork['request'] {
  return (method, ...params) => provider.request({ method, params })
}
