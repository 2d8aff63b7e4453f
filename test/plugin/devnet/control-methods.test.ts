// evm_* and hardhat_*: time, mining, snapshots, setters, and what the network says of itself.
import { describe, expect, it } from 'vitest'
import { codeReturning, hex, startDevnet, type TestDevnet } from './test-devnet.ts'

const NOBODY = `0x${'77'.repeat(20)}`

async function latest(devnet: TestDevnet): Promise<{ number: bigint; timestamp: bigint }> {
  const { number, timestamp } = await devnet.object('eth_getBlockByNumber', 'latest', false)
  return { number: BigInt(number as string), timestamp: BigInt(timestamp as string) }
}

describe('time', () => {
  it('is what was set for the next block, and goes on from there', async () => {
    await using devnet = await startDevnet()
    const start = (await latest(devnet)).timestamp
    const wanted = start + 1_000_000n
    expect(await devnet.ask('evm_setNextBlockTimestamp', hex(wanted))).toBe(String(wanted))
    await devnet.ask('evm_mine')
    expect((await latest(devnet)).timestamp).toBe(wanted)
    await devnet.ask('evm_mine')
    const { timestamp } = await latest(devnet)
    expect(timestamp > wanted && timestamp < wanted + 1_000n).toBe(true)
    expect((await devnet.refusal('evm_setNextBlockTimestamp', 5)).message).toBe(
      `Timestamp 5 is lower than the previous block's timestamp ${timestamp}`,
    )
  })

  it('is shifted by seconds that add up', async () => {
    await using devnet = await startDevnet({ initialDate: new Date('2030-01-01') })
    const start = (await latest(devnet)).timestamp
    expect(start).toBeGreaterThanOrEqual(1_893_456_000n)
    const offset = BigInt(await devnet.text('evm_increaseTime', 3_600))
    expect(BigInt(await devnet.text('evm_increaseTime', '0x10'))).toBe(offset + 16n)
    await devnet.ask('evm_mine')
    expect((await latest(devnet)).timestamp).toBeGreaterThanOrEqual(start + 3_616n)
  })

  it('of a block can be given with it', async () => {
    await using devnet = await startDevnet()
    const wanted = (await latest(devnet)).timestamp + 77n
    expect(await devnet.ask('evm_mine', Number(wanted))).toBe('0')
    expect((await latest(devnet)).timestamp).toBe(wanted)
    expect((await devnet.refusal('evm_mine', '0x1')).code).toBe(-32000)
  })
})

describe('hardhat_mine', () => {
  it('mines a million blocks as one range, each of which can be asked for', async () => {
    await using devnet = await startDevnet()
    const start = await latest(devnet)
    expect(await devnet.ask('hardhat_mine', '0xf4240', '0x3c')).toBe(true)
    const end = await latest(devnet)
    expect(end.number).toBe(1_000_000n)
    const first = BigInt(
      (await devnet.object('eth_getBlockByNumber', '0x1', false)).timestamp as string,
    )
    expect(end.timestamp).toBe(first + 999_999n * 60n)
    expect(first).toBeGreaterThan(start.timestamp)
    const middle = await devnet.object('eth_getBlockByNumber', hex(777_777), false)
    expect(middle).toMatchObject({ number: hex(777_777), transactions: [] })
    expect(BigInt(middle.timestamp as string)).toBe(first + 777_776n * 60n)
    expect(await devnet.ask('eth_getBlockByHash', middle.hash, false)).toEqual(middle)
    const last = await devnet.object('eth_getBlockByNumber', hex(999_999), false)
    expect(await devnet.object('eth_getBlockByNumber', 'latest', false)).toMatchObject({
      parentHash: last.hash,
    })
    expect(await devnet.ask('eth_getBalance', devnet.accounts[0], hex(500_000))).toBe(
      hex(10n ** 22n),
    )
  })

  it('puts what waits into the first blocks', async () => {
    await using devnet = await startDevnet({ mining: { auto: false } })
    const [from, to] = devnet.accounts
    await devnet.ask('eth_sendTransaction', { from, to })
    await devnet.ask('hardhat_mine', '0x64')
    expect(await devnet.ask('eth_getBlockTransactionCountByNumber', '0x1')).toBe('0x1')
    expect(await devnet.ask('eth_blockNumber')).toBe('0x64')
  })

  it('ends where something waits that fits into no block, and keeps nobody else waiting', async () => {
    await using devnet = await startDevnet({ mining: { auto: false } })
    const [from, to] = devnet.accounts
    const hash = await devnet.ask('eth_sendTransaction', { from, to, gas: '0x100000' })
    await devnet.ask('evm_setBlockGasLimit', '0x10000')
    let ticks = 0
    const timer = setInterval(() => ticks++)
    // One by one they would take a quarter of an hour.
    expect(await devnet.ask('hardhat_mine', '0xf4240')).toBe(true)
    expect(await devnet.ask('eth_blockNumber')).toBe('0xf4240')
    expect(await devnet.object('eth_getTransactionByHash', hash)).toMatchObject({
      blockNumber: null,
    })
    for (let nonce = 1; nonce <= 200; nonce++) {
      await devnet.ask('eth_sendTransaction', { from: devnet.accounts[1], to, gas: '0xc350' })
    }
    ticks = 0
    await devnet.ask('hardhat_mine', '0x64')
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(1)
  })

  it('can be undone in the middle of a range', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('hardhat_mine', '0x64')
    const id = await devnet.ask('evm_snapshot')
    await devnet.ask('hardhat_mine', '0x64')
    const [from, to] = devnet.accounts
    const hash = await devnet.ask('eth_sendTransaction', { from, to })
    expect(await devnet.ask('evm_revert', id)).toBe(true)
    expect(await devnet.ask('eth_blockNumber')).toBe('0x64')
    expect(await devnet.ask('eth_getTransactionReceipt', hash)).toBeNull()
    expect(await devnet.ask('eth_getBlockByNumber', '0x65', false)).toBeNull()
    await devnet.ask('eth_sendTransaction', { from, to })
    expect(await devnet.ask('eth_blockNumber')).toBe('0x65')
  })
})

describe('snapshots', () => {
  it('take everything back: blocks, balances, setters, the pool, settings', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    await devnet.ask('hardhat_setBalance', NOBODY, '0x1')
    const id = await devnet.text('evm_snapshot')
    await devnet.ask('hardhat_setBalance', NOBODY, '0x2')
    await devnet.ask('hardhat_setCoinbase', NOBODY)
    await devnet.ask('eth_sendTransaction', { from, to: NOBODY, value: '0x3' })
    await devnet.ask('evm_setAutomine', false)
    await devnet.ask('eth_sendTransaction', { from, to })
    expect(await devnet.ask('evm_revert', id)).toBe(true)
    expect(await devnet.ask('eth_getBalance', NOBODY, 'latest')).toBe('0x1')
    expect(await devnet.ask('eth_blockNumber')).toBe('0x0')
    expect(await devnet.ask('eth_getTransactionCount', from, 'pending')).toBe('0x0')
    expect(await devnet.ask('eth_coinbase')).toBe('0xc014ba5ec014ba5ec014ba5ec014ba5ec014ba5e')
    expect(await devnet.ask('evm_revert', id)).toBe(false)
  })

  it('are gone with an earlier one, and no number comes twice', async () => {
    await using devnet = await startDevnet()
    const first = await devnet.text('evm_snapshot')
    const second = await devnet.text('evm_snapshot')
    expect(await devnet.ask('evm_revert', first)).toBe(true)
    expect(await devnet.ask('evm_revert', second)).toBe(false)
    expect([first, second]).not.toContain(await devnet.text('evm_snapshot'))
  })

  it('tell who listens that the chain went back', async () => {
    await using devnet = await startDevnet()
    let reverts = 0
    devnet.on('reverted', () => reverts++)
    await devnet.ask('evm_revert', await devnet.ask('evm_snapshot'))
    await devnet.ask('evm_revert', '0x77')
    expect(reverts).toBe(1)
  })
})

describe('setters', () => {
  it('change the head and what follows, not what was before', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('evm_mine')
    await devnet.ask('hardhat_setBalance', NOBODY, '0x64')
    expect(await devnet.ask('eth_getBalance', NOBODY, 'latest')).toBe('0x64')
    expect(await devnet.ask('eth_getBalance', NOBODY, '0x0')).toBe('0x0')
    await devnet.ask('evm_mine')
    expect(await devnet.ask('eth_getBalance', NOBODY, 'latest')).toBe('0x64')
  })

  it('set nonces upwards, unless something waits', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    expect(await devnet.ask('hardhat_setNonce', from, '0x10')).toBe(true)
    await devnet.ask('eth_sendTransaction', { from, to, nonce: '0x10' })
    expect((await devnet.refusal('hardhat_setNonce', from, '0x1')).message).toBe(
      'New nonce (1) must not be smaller than the existing nonce (17)',
    )
    await devnet.ask('evm_setAutomine', false)
    expect(await devnet.ask('hardhat_getAutomine')).toBe(false)
    await devnet.ask('eth_sendTransaction', { from, to })
    expect((await devnet.refusal('hardhat_setNonce', from, '0x20')).code).toBe(-32603)
  })

  it('decide the next header: base fee, randomness, coinbase, gas limit', async () => {
    await using devnet = await startDevnet()
    const randomness = `0x${'12'.repeat(32)}`
    await devnet.ask('hardhat_setNextBlockBaseFeePerGas', '0x7')
    await devnet.ask('hardhat_setPrevRandao', randomness)
    await devnet.ask('hardhat_setCoinbase', NOBODY)
    await devnet.ask('evm_setBlockGasLimit', '0x1000000')
    await devnet.ask('evm_mine')
    const block = await devnet.object('eth_getBlockByNumber', 'latest', false)
    expect(block).toMatchObject({
      baseFeePerGas: '0x7',
      mixHash: randomness,
      miner: NOBODY,
      gasLimit: '0x1000000',
    })
    await devnet.ask('evm_mine')
    const next = await devnet.object('eth_getBlockByNumber', 'latest', false)
    expect(next.mixHash).not.toBe(randomness)
    expect((await devnet.refusal('evm_setBlockGasLimit', '0x0')).message).toBe(
      'Block gas limit must be greater than 0',
    )
  })

  it('refuse values of another form, and say which parameter', async () => {
    await using devnet = await startDevnet()
    expect(await devnet.refusal('hardhat_setStorageAt', NOBODY, '0x0', '0x01')).toMatchObject({
      code: -32000,
      message: expect.stringContaining('Storage value must be exactly 32 bytes long'),
    })
    expect(await devnet.refusal('hardhat_setBalance', 'me', '0x1')).toMatchObject({
      code: -32602,
      message: 'Invalid params: parameter 1 must be an address: 20 bytes in hex with 0x',
    })
    expect((await devnet.refusal('hardhat_setBalance', NOBODY)).message).toBe(
      'Invalid params: parameter 2 is missing',
    )
    expect((await devnet.refusal('hardhat_setMinGasPrice', '0x1')).message).toBe(
      'hardhat_setMinGasPrice is not supported when EIP-1559 is active',
    )
  })
})

describe('mining by the clock', () => {
  it('mines until it is told not to', async () => {
    await using devnet = await startDevnet()
    const mined = new Promise<void>((resolve) => {
      let blocks = 0
      devnet.on('block', () => ++blocks === 2 && resolve())
    })
    expect(await devnet.ask('evm_setIntervalMining', [1, 3])).toBe(true)
    await mined
    await devnet.ask('evm_setIntervalMining', 0)
    const stopped = await devnet.ask('evm_snapshot').then(() => devnet.text('eth_blockNumber'))
    expect(BigInt(stopped)).toBeGreaterThanOrEqual(2n)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await devnet.ask('eth_blockNumber')).toBe(stopped)
  })
})

describe('what the network says of itself', () => {
  it('is what clients look for', async () => {
    await using devnet = await startDevnet({ chainId: 1_337 })
    expect(await devnet.text('web3_clientVersion')).toMatch(/^HardhatNetwork\//)
    expect(await devnet.ask('eth_chainId')).toBe('0x539')
    expect(await devnet.ask('net_version')).toBe('1337')
    expect(await devnet.object('hardhat_metadata')).toMatchObject({
      chainId: 1_337,
      latestBlockNumber: 0,
      instanceId: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    })
    expect(await devnet.ask('eth_syncing')).toBe(false)
    expect(await devnet.ask('web3_sha3', '0x')).toBe(
      '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    )
  })

  it('begins anew with hardhat_reset, and knows no forking', async () => {
    await using devnet = await startDevnet()
    const [from] = devnet.accounts
    await devnet.ask('hardhat_setCode', NOBODY, codeReturning('43'))
    await devnet.ask('eth_sendTransaction', { from, to: NOBODY })
    const before = await devnet.object('hardhat_metadata')
    expect(await devnet.ask('hardhat_reset')).toBe(true)
    const after = await devnet.object('hardhat_metadata')
    expect(after.instanceId).not.toBe(before.instanceId)
    expect(await devnet.ask('eth_blockNumber')).toBe('0x0')
    expect(await devnet.ask('eth_getCode', NOBODY, 'latest')).toBe('0x')
    await devnet.ask('eth_sendTransaction', { from, to: NOBODY })
    expect(await devnet.ask('eth_blockNumber')).toBe('0x1')
    const refused = await devnet.refusal('hardhat_reset', { forking: { jsonRpcUrl: 'x' } })
    expect(refused.message).toContain('Forking is not supported')
  })
})

it('mines nothing any more once it is closed, whatever was under way', async () => {
  let blocks = 0
  const executors = {
    forBlock: async () => {
      blocks++
      return undefined
    },
    release: () => {},
  }
  const options = { mining: { auto: false, interval: 1 } }
  const devnet = await startDevnet(options, { executors })
  const reset = devnet.ask('hardhat_reset')
  const closed = devnet[Symbol.asyncDispose]()
  expect(await reset).toBe(true)
  await closed
  blocks = 0
  // What a timer that goes on and finds it closed would cause.
  let warnings = 0
  const warned = () => warnings++
  process.on('warning', warned)
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.off('warning', warned)
  expect({ blocks, warnings }).toEqual({ blocks: 0, warnings: 0 })
})
