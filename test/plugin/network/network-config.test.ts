// Holds the mark `parallel` of networks to what it takes, in configs that Hardhat itself resolves.
// The authority on the messages: each names the key.
// Must not open a connection.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HardhatUserConfig } from 'hardhat/config'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { EdrNetworkConfig, NetworkConfig } from 'hardhat/types/config'
import { describe, expect, it } from 'vitest'

import plugin from '../../../plugin/index.ts'
import { devnetOptions } from '../../../plugin/network/devnet-options.ts'
import { isMarked } from '../../../plugin/network/network-config.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

async function networksOf(config: object): Promise<Record<string, NetworkConfig>> {
  const given = { plugins: [plugin], ...config } as HardhatUserConfig
  const hre = await createHardhatRuntimeEnvironment(given, {}, root)
  return hre.config.networks
}

const withNetwork = (network: object, rest: object = {}) => ({
  ...rest,
  networks: { mine: { type: 'edr-simulated', ...network } },
})

describe('the network `parallel`', () => {
  it('is there without being configured', async () => {
    const { parallel, default: other } = await networksOf({})
    expect(parallel).toMatchObject({ type: 'edr-simulated', chainId: 31337, parallel: {} })
    expect(isMarked(parallel)).toBe(true)
    expect(isMarked(other)).toBe(false)
  })

  it('takes what is configured, and the workers of the section', async () => {
    const { parallel } = await networksOf({
      parallel: { workers: 3 },
      networks: { parallel: { type: 'edr-simulated', chainId: 7 } },
    })
    expect(parallel).toMatchObject({ chainId: 7, parallel: { workers: 3 } })
  })

  it("stays somebody else's where it is marked so, or of another type", async () => {
    const own = await networksOf({
      networks: { parallel: { type: 'edr-simulated', parallel: false } },
    })
    expect(isMarked(own.parallel)).toBe(false)
    const http = await networksOf({ networks: { parallel: { type: 'http', url: 'http://a.b' } } })
    expect(http.parallel?.type).toBe('http')
  })

  it('is no error for those whose chains are OP chains', async () => {
    const { parallel } = await networksOf({ defaultChainType: 'op' })
    expect(parallel?.chainType).toBe('l1')
  })
})

describe('a marked network', () => {
  it('keeps its options, with paths from the root of the project', async () => {
    const { mine } = await networksOf(
      withNetwork({ parallel: { workers: 2, dataDir: 'kept' } }, { parallel: { workers: 5 } }),
    )
    expect(mine).toMatchObject({ parallel: { workers: 2, dataDir: resolve(root, 'kept') } })
  })

  it.each<[string, object, string]>([
    ['a mark of another type', { parallel: 'yes' }, 'networks.mine.parallel must be true, false'],
    ['an unknown key', { parallel: { wrokers: 1 } }, 'networks.mine.parallel.wrokers is not'],
    ['too many workers', { parallel: { workers: 65 } }, 'networks.mine.parallel.workers must be'],
    ['no directory', { parallel: { dataDir: '' } }, 'networks.mine.parallel.dataDir must be'],
    [
      'forking',
      { parallel: true, forking: { url: 'http://a.b' } },
      'networks.mine.forking is not supported',
    ],
    ['an OP chain', { parallel: true, chainType: 'op' }, 'networks.mine.chainType must be'],
    ['an old hardfork', { parallel: true, hardfork: 'london' }, 'networks.mine.hardfork must be'],
    [
      'a cap of its own',
      { parallel: true, transactionGasCap: 1 },
      'networks.mine.transactionGasCap is not',
    ],
    [
      'another type of network',
      { type: 'http', url: 'http://a.b', parallel: true },
      'networks.mine.parallel needs type',
    ],
  ])('refuses %s, naming the key', async (_what, network, message) => {
    await expect(networksOf(withNetwork(network))).rejects.toThrow(message)
  })

  it('may have forking that is turned off, and others may have all of it', async () => {
    const forking = { url: 'http://a.b', enabled: false }
    const { mine } = await networksOf(withNetwork({ parallel: true, forking }))
    expect(isMarked(mine)).toBe(true)
    const on = { ...forking, enabled: true }
    expect(isMarked((await networksOf(withNetwork({ forking: on }))).mine)).toBe(false)
  })

  it('becomes options of a devnet, keys and their balances included', async () => {
    const key = `0x${'12'.repeat(32)}`
    const { mine } = await networksOf(
      withNetwork({
        parallel: { workers: 1 },
        chainId: 9,
        networkId: 10,
        hardfork: 'merge',
        accounts: [{ privateKey: key, balance: '17' }],
        mining: { auto: false, interval: [1_000, 2_000], mempool: { order: 'fifo' } },
        blockGasLimit: 30_000_000,
        coinbase: `0x${'34'.repeat(20)}`,
        initialBaseFeePerGas: 5,
        initialDate: '2030-01-01T00:00:00Z',
        throwOnCallFailures: false,
      }),
    )
    if (!isMarked(mine)) throw new Error('it is not marked')
    expect(await devnetOptions(mine)).toMatchObject({
      workers: 1,
      chainId: 9,
      networkId: 10,
      hardfork: 'paris',
      accounts: { privateKeys: [key], balances: [17n] },
      mining: { auto: false, interval: [1_000, 2_000], order: 'fifo' },
      blockGasLimit: 30_000_000n,
      coinbase: `0x${'34'.repeat(20)}`,
      initialBaseFeePerGas: 5n,
      initialDate: new Date('2030-01-01T00:00:00Z'),
      throwOnCallFailures: false,
      throwOnTransactionFailures: true,
    })
  })

  it('leaves to the devnet what nobody configured', async () => {
    const { parallel } = await networksOf({})
    const options = await devnetOptions(parallel as EdrNetworkConfig & { parallel: object })
    expect(options).not.toHaveProperty('workers')
    expect(options).not.toHaveProperty('blockGasLimit')
    expect(options).not.toHaveProperty('dataDir')
  })
})
