// Holds connections to parallel networks to what Hardhat's own connections do for plugins and users.
// The authority on hooks, overrides, caching, servers, and on what is left to Hardhat.
// Must not need a chain: a stand-in answers, so that what is tested is how it is reached.
import { fileURLToPath } from 'node:url'
import type { HardhatUserConfig } from 'hardhat/config'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import { definePlugin } from 'hardhat/plugins'
import type { NetworkHooks } from 'hardhat/types/hooks'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import type { HardhatPlugin } from 'hardhat/types/plugins'
import { describe, expect, it } from 'vitest'

import type { DevnetOptions } from '../../../plugin/devnet/devnet-contract.ts'
import { wrapNetworkManager } from '../../../plugin/network/wrap-network-manager.ts'
import { createStandInDevnet, type StandInDevnet } from '../../support/stand-in-devnet.ts'
import { openClient } from '../../support/web-socket-client.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

interface World {
  readonly hre: HardhatRuntimeEnvironment
  readonly devnets: { readonly devnet: StandInDevnet; readonly options: DevnetOptions }[]
  readonly calls: string[]
}

/** The plugin with a stand-in for its devnet, and another plugin that watches its hooks. */
async function createWorld(config: object = {}, hooks: Partial<NetworkHooks> = {}): Promise<World> {
  const devnets: World['devnets'][number][] = []
  const calls: string[] = []
  const watching: Partial<NetworkHooks> = {
    newConnection: async (context, next) => {
      const connection = await next(context)
      calls.push(`new ${connection.networkName}`)
      return Object.assign(connection, { added: 'by a plugin' })
    },
    closeConnection: async (context, connection, next) => {
      calls.push(`close ${connection.networkName}`)
      return next(context, connection)
    },
    ...hooks,
  }
  const standIn: HardhatPlugin = definePlugin({
    id: 'stand-in',
    hookHandlers: {
      config: () => import('../../../plugin/hook-handlers/config.ts'),
      hre: async () => ({
        default: async () => ({
          created: async (_context: unknown, hre: HardhatRuntimeEnvironment) => {
            hre.network = wrapNetworkManager(hre, hre.network, async (options) => {
              const devnet = createStandInDevnet()
              devnets.push({ devnet, options })
              return devnet
            })
          },
        }),
      }),
      network: async () => ({ default: async () => watching }),
    },
  })
  const given = { plugins: [standIn], ...config } as HardhatUserConfig
  const hre = await createHardhatRuntimeEnvironment(given, {}, root)
  return { hre, devnets, calls }
}

describe('a connection to a marked network', () => {
  it('is what plugins make of it, and closes the devnet with itself', async () => {
    const { hre, devnets, calls } = await createWorld()
    const connection = await hre.network.create('parallel')
    expect(connection).toMatchObject({
      networkName: 'parallel',
      chainType: 'generic',
      added: 'by a plugin',
      networkConfig: { type: 'edr-simulated', chainId: 31337, chainType: 'generic' },
    })
    expect(await connection.provider.request({ method: 'eth_chainId' })).toBe('0x7a69')
    const { close } = connection
    await close()
    expect(calls).toEqual(['new parallel', 'close parallel'])
    expect(devnets[0]?.devnet.isClosed).toBe(true)
  })

  it('has an id and a devnet of its own', async () => {
    const { hre, devnets } = await createWorld()
    const [first, second] = [
      await hre.network.create('parallel'),
      await hre.network.create('parallel'),
    ]
    expect(first.id).not.toBe(second.id)
    expect(devnets).toHaveLength(2)
  })

  it("runs requests through Hardhat's handlers, which give transactions a sender and gas", async () => {
    const { hre, devnets } = await createWorld({
      networks: { parallel: { type: 'edr-simulated', gas: 123_456, gasPrice: 7 } },
    })
    const { provider } = await hre.network.create('parallel')
    await provider
      .request({ method: 'eth_sendTransaction', params: [{ to: '0x1' }] })
      .catch(() => {})
    expect(devnets[0]?.devnet.requests.at(-1)).toEqual({
      method: 'eth_sendTransaction',
      params: [
        {
          to: '0x1',
          from: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
          gas: '0x1e240',
          gasPrice: '0x7',
        },
      ],
    })
  })

  it('is the one of --network, and the default one where that is marked', async () => {
    const config = { networks: { default: { type: 'edr-simulated', parallel: true } } }
    const { hre, devnets } = await createWorld(config)
    expect((await hre.network.create()).networkName).toBe('default')
    expect(devnets).toHaveLength(1)
  })

  it('takes overrides as Hardhat does, and leaves the config as it is', async () => {
    const { hre, devnets } = await createWorld({
      networks: {
        parallel: { type: 'edr-simulated', accounts: { mnemonic: 'a b', count: 3 }, chainId: 5 },
      },
    })
    const connection = await hre.network.create({
      network: 'parallel',
      chainType: 'l1',
      override: { chainId: 6, accounts: { count: 1 }, parallel: { workers: 4 } },
    })
    expect(connection.chainType).toBe('l1')
    expect(connection.networkConfig).toMatchObject({ chainType: 'l1', chainId: 6 })
    expect(devnets[0]?.options).toMatchObject({
      chainId: 6,
      workers: 4,
      accounts: { mnemonic: 'a b', count: 1 },
    })
    expect(hre.config.networks.parallel).toMatchObject({ chainId: 5, parallel: {} })
  })

  it("is refused with Hardhat's words where overrides are wrong", async () => {
    const { hre, devnets } = await createWorld()
    const create = (override: object) => hre.network.create({ network: 'parallel', override })
    await expect(create({ chainId: -1 })).rejects.toThrow('Error in chainId')
    await expect(create({ forking: { url: 'http://a.b' } })).rejects.toThrow(
      'forking is not supported',
    )
    await expect(create({ type: 'http' })).rejects.toThrow('type of the network cannot be changed')
    await expect(hre.network.create({ network: 'parallel', chainType: 'op' })).rejects.toThrow(
      'OP chains are not supported',
    )
    expect(devnets).toEqual([])
  })

  it('ends its devnet where a plugin fails to extend it', async () => {
    const { hre, devnets } = await createWorld(
      {},
      {
        newConnection: async (context, next) => {
          await next(context)
          throw new Error('no')
        },
      },
    )
    await expect(hre.network.create('parallel')).rejects.toThrow('no')
    expect(devnets[0]?.devnet.isClosed).toBe(true)
  })
})

describe('getOrCreate', () => {
  it('makes one connection of a name and chain type, also for those who ask at once', async () => {
    const { hre, devnets } = await createWorld()
    const [first, second] = await Promise.all([
      hre.network.getOrCreate('parallel'),
      hre.network.getOrCreate({ network: 'parallel' }),
    ])
    expect(first).toBe(second)
    const other = await hre.network.getOrCreate({ network: 'parallel', chainType: 'l1' })
    expect(other).not.toBe(first)
    expect(devnets).toHaveLength(2)
  })

  it('takes no overrides', async () => {
    const { hre } = await createWorld()
    const params = { network: 'parallel', override: { chainId: 1 } } as never
    await expect(hre.network.getOrCreate(params)).rejects.toThrow('not supported by getOrCreate')
  })
})

describe('createServer', () => {
  it('serves a connection of its own, through the handlers, and ends both', async () => {
    const { hre, devnets, calls } = await createWorld({
      networks: { parallel: { type: 'edr-simulated', gas: 123_456, gasPrice: 7 } },
    })
    const server = await hre.network.createServer('parallel')
    const { address, port } = await server.listen()
    expect(address).toBe('127.0.0.1')
    const client = await openClient(port)
    client.send({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] })
    client.send({ jsonrpc: '2.0', id: 2, method: 'eth_sendTransaction', params: [{ to: '0x1' }] })
    await client.received(3)
    expect(devnets[0]?.devnet.requests.at(-1)?.params).toMatchObject([{ gas: '0x1e240' }])
    await server.close()
    await server.afterClosed()
    expect(calls).toEqual(['new parallel', 'close parallel'])
    expect(devnets[0]?.devnet).toMatchObject({ isClosed: true, open: 0 })
  })
})

describe('other networks', () => {
  it("are Hardhat's, with its errors", async () => {
    const { hre, devnets } = await createWorld()
    const connection = await hre.network.create()
    expect(await connection.provider.request({ method: 'web3_clientVersion' })).toContain('edr')
    expect(connection.id).toBe(0)
    await connection.close()
    await expect(hre.network.create('nowhere')).rejects.toThrow('nowhere')
    expect(devnets).toEqual([])
  })

  it('can be marked, and marked ones be left to Hardhat, by an override', async () => {
    const { hre, devnets } = await createWorld()
    await hre.network.create({ network: 'default', override: { parallel: true } })
    expect(devnets).toHaveLength(1)
    const { provider, close } = await hre.network.create({
      network: 'parallel',
      override: { parallel: false },
    })
    expect(await provider.request({ method: 'web3_clientVersion' })).toContain('edr')
    await close()
    expect(devnets).toHaveLength(1)
  })

  it('keep the deprecation of connect, whichever network it was called for', async () => {
    const wasCalled = (hre: HardhatRuntimeEnvironment): unknown =>
      (hre.network as unknown as { wasConnectCalled(): unknown }).wasConnectCalled()
    const { hre } = await createWorld()
    expect(wasCalled(hre)).toBe(false)
    expect(Object.keys(hre.network)).not.toContain('wasConnectCalled')
    await hre.network.connect('parallel')
    expect(wasCalled(hre)).toBe(true)
  })
})
