// Runs Hardhat's plugins on a parallel network, in orders that have this plugin first, last and between.
// The authority on their working together: contracts, reverts, snapshots, time, overrides.
// Must not compile anything: contracts are given as bytecode.
import { fileURLToPath } from 'node:url'
import ethersPlugin from '@nomicfoundation/hardhat-ethers'
import chaiMatchersPlugin from '@nomicfoundation/hardhat-ethers-chai-matchers'
import helpersPlugin from '@nomicfoundation/hardhat-network-helpers'
import viemPlugin from '@nomicfoundation/hardhat-viem'
import viemAssertionsPlugin from '@nomicfoundation/hardhat-viem-assertions'
import { expect as expectChai } from 'chai'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { NetworkConnection } from 'hardhat/types/network'
import { parseAbi } from 'viem'
import { afterEach, describe, expect, it } from 'vitest'

import plugin from '../../../plugin/index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const others = [ethersPlugin, chaiMatchersPlugin, viemPlugin, viemAssertionsPlugin, helpersPlugin]
const orders = {
  first: [plugin, ...others],
  last: [...others, plugin],
  between: [...others.slice(0, 3), plugin, ...others.slice(3)],
  'first of all, the others backwards': [plugin, ...others.toReversed()],
}

const abi = parseAbi(['function any() payable', 'error Any()'])
const toCode = (runtime: string): `0x${string}` => {
  const length = (runtime.length / 2).toString(16).padStart(2, '0')
  // PUSH1 length, DUP1, PUSH1 9 (where the code begins), PUSH0, CODECOPY, PUSH0, RETURN
  return `0x60${length}8060095f395ff3${runtime}`
}
/** Reverts with the four bytes that it is given in a push. */
const reverting = (selector: string): string => `63${selector}60e01b5f5260045ffd`

let connection: NetworkConnection | undefined

afterEach(async () => {
  await connection?.close()
  connection = undefined
})

async function connect(order: keyof typeof orders): Promise<NetworkConnection> {
  const hre = await createHardhatRuntimeEnvironment({ plugins: orders[order] }, {}, root)
  connection = await hre.network.create('parallel')
  return connection
}

describe.each(Object.keys(orders) as (keyof typeof orders)[])('with this plugin %s', (order) => {
  it('viem deploys, reads, sends, and sees reverts and balances', async () => {
    const { viem } = await connect(order)
    const { keccak256, toHex } = await import('viem')
    const client = await viem.getPublicClient()
    const [from, to] = await viem.getWalletClients()
    if (from === undefined || to === undefined) throw new Error('there are no accounts')
    expect(await client.getChainId()).toBe(31337)

    const selector = keccak256(toHex('Any()')).slice(2, 10)
    const hash = await from.deployContract({ abi, bytecode: toCode(reverting(selector)), args: [] })
    const { contractAddress } = await client.waitForTransactionReceipt({ hash })
    if (!contractAddress) throw new Error('nothing was deployed')
    const contract = { address: contractAddress, abi }
    await viem.assertions.revertWithCustomError(
      from.writeContract({ ...contract, functionName: 'any' }),
      contract as never,
      'Any',
    )
    await viem.assertions.balancesHaveChanged(
      from.sendTransaction({ to: to.account.address, value: 3n }),
      [{ address: to.account.address, amount: 3n }],
    )
    const test = await viem.getTestClient()
    await test.mine({ blocks: 10 })
    expect(await client.getBlockNumber()).toBe(12n)
  })

  it('ethers deploys, sends, and sees reverts and balances', async () => {
    const { ethers } = await connect(order)
    const [from, to] = await ethers.getSigners()
    if (from === undefined || to === undefined) throw new Error('there are no accounts')
    const selector = ethers.id('Any()').slice(2, 10)
    const factory = new ethers.ContractFactory(abi as never, toCode(reverting(selector)), from)
    const errors = new ethers.Interface(['function any() payable', 'error Any()'])
    const deployed = await (await factory.deploy()).waitForDeployment()
    const contract = new ethers.Contract(await deployed.getAddress(), errors, from)
    await expectChai(contract.getFunction('any')()).to.be.revertedWithCustomError(contract, 'Any')
    await expectChai(from.sendTransaction({ to, value: 3n })).to.changeEtherBalances(
      ethers,
      [from, to],
      [-3n, 3n],
    )
    const authorization = await from.authorize({ address: to.address })
    expect(authorization.signature.r).toMatch(/^0x/)
  })

  it('network-helpers go back and forth', async () => {
    const { networkHelpers, provider } = await connect(order)
    const fixture = async () => provider.request({ method: 'eth_blockNumber' })
    const first = await networkHelpers.loadFixture(fixture)
    await networkHelpers.mine(5)
    expect(await networkHelpers.loadFixture(fixture)).toBe(first)
    expect(await provider.request({ method: 'eth_blockNumber' })).toBe(first)
    const before = await networkHelpers.time.latest()
    await networkHelpers.time.increase(1_000)
    expect(await networkHelpers.time.latest()).toBeGreaterThanOrEqual(before + 1_000)
    const address = `0x${'0a'.repeat(20)}`
    await networkHelpers.setBalance(address, 17n)
    expect(await provider.request({ method: 'eth_getBalance', params: [address] })).toBe('0x11')
  })
})
