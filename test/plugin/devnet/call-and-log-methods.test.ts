// Calls and estimates, logs, filters, subscriptions and fees.
import { describe, expect, it } from 'vitest'
import { codeReturning, hex, startDevnet, type TestDevnet } from './test-devnet.ts'

const CONTRACT = `0x${'22'.repeat(20)}`
const OTHER = `0x${'33'.repeat(20)}`
/** Logs an empty event with the topics 1 and its caller. */
const LOGGER = '0x3360015f5fa200'
const TOPIC = `0x${'1'.padStart(64, '0')}`

const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`

describe('eth_call', () => {
  it('sees the block that is asked for, with no base fee, and leaves no trace', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('hardhat_setCode', CONTRACT, codeReturning('43'))
    await devnet.ask('evm_mine')
    expect(await devnet.ask('eth_call', { to: CONTRACT })).toBe(word(1n))
    expect(await devnet.ask('eth_call', { to: CONTRACT }, 'pending')).toBe(word(2n))
    expect(await devnet.ask('eth_call', { to: CONTRACT }, { blockNumber: '0x0' })).toBe(word(0n))
    await devnet.ask('hardhat_setCode', CONTRACT, codeReturning('48'))
    expect(await devnet.ask('eth_call', { to: CONTRACT })).toBe(word(0n))
    // Adds one to a slot, and returns it.
    await devnet.ask('hardhat_setCode', CONTRACT, codeReturning('5f54600101805f55'))
    expect(await devnet.ask('eth_call', { to: CONTRACT })).toBe(word(1n))
    expect(await devnet.ask('eth_call', { to: CONTRACT })).toBe(word(1n))
  })

  it('pretends another state where it is told to', async () => {
    await using devnet = await startDevnet()
    const overrides = {
      [CONTRACT]: { code: codeReturning('5f54'), stateDiff: { [word(0n)]: word(9n) } },
      [OTHER]: { balance: '0x7', nonce: '0x5' },
    }
    expect(await devnet.ask('eth_call', { to: CONTRACT }, 'latest', overrides)).toBe(word(9n))
    const balance = {
      [CONTRACT]: { code: codeReturning(`73${OTHER.slice(2)}31`) },
      [OTHER]: { balance: '0x7' },
    }
    expect(await devnet.ask('eth_call', { to: CONTRACT }, 'latest', balance)).toBe(word(7n))
    expect(await devnet.ask('eth_getBalance', OTHER, 'latest')).toBe('0x0')
    const both = { [CONTRACT]: { state: {}, stateDiff: {} } }
    expect((await devnet.refusal('eth_call', { to: CONTRACT }, 'latest', both)).message).toContain(
      "The properties 'state' and 'stateDiff' cannot be used simultaneously",
    )
  })

  it('needs no funds, and comes from contracts too', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('hardhat_setCode', CONTRACT, codeReturning('33'))
    const call = { from: CONTRACT, to: CONTRACT, value: hex(10n ** 30n) }
    expect(await devnet.ask('eth_call', call)).toBe(word(BigInt(CONTRACT)))
  })

  it('is refused with code 3 and the data where it reverts', async () => {
    await using devnet = await startDevnet()
    // Reverts with one byte, 2a.
    await devnet.ask('hardhat_setCode', CONTRACT, '0x602a5f5360015ffd')
    expect(await devnet.refusal('eth_call', { to: CONTRACT })).toMatchObject({
      code: 3,
      data: '0x2a',
    })
  })

  it('can be told to answer with the data of a revert', async () => {
    await using devnet = await startDevnet({ throwOnCallFailures: false })
    await devnet.ask('hardhat_setCode', CONTRACT, '0x602a5f5360015ffd')
    expect(await devnet.ask('eth_call', { to: CONTRACT })).toBe('0x2a')
  })
})

describe('eth_estimateGas', () => {
  it('is one above what a transfer costs, as on Hardhat, and enough for what it is asked of', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    expect(await devnet.ask('eth_estimateGas', { from, to, value: '0x1' })).toBe('0x5209')
    // Writes a slot and clears it: the refund comes after the gas was needed.
    await devnet.ask('hardhat_setCode', CONTRACT, '0x60015f555f5f5500')
    const gas = await devnet.text('eth_estimateGas', { from, to: CONTRACT })
    const hash = await devnet.text('eth_sendTransaction', { from, to: CONTRACT, gas })
    expect(await devnet.object('eth_getTransactionReceipt', hash)).toMatchObject({ status: '0x1' })
  })

  it('is refused for what fails with any gas', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('hardhat_setCode', CONTRACT, '0x5f5ffd')
    expect((await devnet.refusal('eth_estimateGas', { to: CONTRACT })).code).toBe(3)
  })
})

describe('logs', () => {
  it('are found by address and topics, among many blocks, in order', async () => {
    await using devnet = await startDevnet()
    const { from, hashes } = await logThreeTimes(devnet)
    const all = await logs(devnet, { fromBlock: 'earliest' })
    expect(all.map(({ transactionHash }) => transactionHash)).toEqual(hashes)
    expect(all[0]).toMatchObject({
      address: CONTRACT,
      topics: [TOPIC, word(BigInt(from))],
      data: '0x',
      logIndex: '0x0',
      transactionIndex: '0x0',
      blockNumber: '0x1',
      removed: false,
    })
    const found = async (filter: object) =>
      (await logs(devnet, { fromBlock: '0x0', ...filter })).length
    expect(await found({ address: OTHER })).toBe(0)
    expect(await found({ address: [OTHER, CONTRACT] })).toBe(3)
    expect(await found({ topics: [TOPIC] })).toBe(3)
    expect(await found({ topics: [null, word(BigInt(from))] })).toBe(3)
    expect(await found({ topics: [[word(5n), TOPIC]] })).toBe(3)
    expect(await found({ topics: [word(5n)] })).toBe(0)
    expect(await found({ topics: [null, null, null] })).toBe(0)
    expect(await found({ toBlock: '0x1' })).toBe(1)
    expect(await found({ fromBlock: '0x2' })).toBe(2)
    expect(await found({ fromBlock: '0x500' })).toBe(0)
    const { blockHash } = all[1] as { blockHash: string }
    expect(await logs(devnet, { blockHash })).toEqual([all[1]])
  })

  it('are refused for a block that is not there, or one and a range', async () => {
    await using devnet = await startDevnet()
    const blockHash = word(1n)
    expect((await devnet.refusal('eth_getLogs', { blockHash })).message).toBe(
      'blockHash cannot be found',
    )
    expect((await devnet.refusal('eth_getLogs', { blockHash, fromBlock: '0x0' })).message).toBe(
      'blockHash is mutually exclusive with fromBlock/toBlock',
    )
  })

  it('are gone with the blocks that are taken back', async () => {
    await using devnet = await startDevnet()
    const id = await devnet.ask('evm_snapshot')
    await logThreeTimes(devnet)
    await devnet.ask('evm_revert', id)
    expect(await logs(devnet, { fromBlock: '0x0' })).toEqual([])
  })
})

describe('filters', () => {
  it('tell what came since they were asked last, each of its kind', async () => {
    await using devnet = await startDevnet()
    const ofLogs = await devnet.ask('eth_newFilter', { address: CONTRACT })
    const ofBlocks = await devnet.ask('eth_newBlockFilter')
    const ofTransactions = await devnet.ask('eth_newPendingTransactionFilter')
    const { hashes } = await logThreeTimes(devnet)
    const found = (await devnet.ask('eth_getFilterChanges', ofLogs)) as {
      transactionHash: string
    }[]
    expect(found.map(({ transactionHash }) => transactionHash)).toEqual(hashes)
    expect(await devnet.ask('eth_getFilterChanges', ofLogs)).toEqual([])
    expect(await devnet.ask('eth_getFilterChanges', ofTransactions)).toEqual(hashes)
    const heads = (await devnet.ask('eth_getFilterChanges', ofBlocks)) as string[]
    expect(heads.at(-1)).toBe((await devnet.object('eth_getBlockByNumber', 'latest', false)).hash)
    expect((await devnet.refusal('eth_getFilterLogs', ofBlocks)).message).toContain(
      'is not a Logs subscription, but a NewHeads subscription',
    )
    expect(await devnet.ask('eth_uninstallFilter', ofLogs)).toBe(true)
    expect(await devnet.ask('eth_uninstallFilter', ofLogs)).toBe(false)
    expect(await devnet.ask('eth_getFilterChanges', ofLogs)).toBeNull()
  })

  it('of one connection are no matter of another', async () => {
    const { createDevnet } = await import('../../../plugin/devnet/create-devnet.ts')
    const devnet = await createDevnet({ workers: 1 })
    const [one, other] = [devnet.connect(), devnet.connect()]
    const filter = await one.request('eth_newBlockFilter')
    expect(await other.request('eth_uninstallFilter', [filter])).toBe(false)
    expect(await one.request('eth_uninstallFilter', [filter])).toBe(true)
    await devnet.close()
  })
})

describe('subscriptions', () => {
  it('tell of heads, logs and transactions until they are ended', async () => {
    await using devnet = await startDevnet()
    const heard: { subscription: string; result: unknown }[] = []
    devnet.connection.onNotification((notification) => heard.push(notification))
    const heads = await devnet.text('eth_subscribe', 'newHeads')
    const ofLogs = await devnet.text('eth_subscribe', 'logs', { topics: [TOPIC] })
    const pending = await devnet.text('eth_subscribe', 'newPendingTransactions')
    const { hashes } = await logThreeTimes(devnet)
    const of = (id: string) => heard.filter((it) => it.subscription === id).map((it) => it.result)
    expect(of(heads)).toHaveLength(3)
    expect(of(heads)[2]).toMatchObject({ number: '0x3' })
    expect(of(ofLogs)).toMatchObject(hashes.map((transactionHash) => ({ transactionHash })))
    expect(of(pending)).toEqual(hashes)
    expect(await devnet.ask('eth_unsubscribe', heads)).toBe(true)
    await devnet.ask('evm_mine')
    expect(of(heads)).toHaveLength(3)
  })
})

describe('fees', () => {
  it('follow EIP-1559 from block to block, in the history and in what is suggested', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('evm_mine')
    await devnet.ask('evm_mine')
    const history = await devnet.object('eth_feeHistory', '0x2', 'latest', [50])
    expect(history).toEqual({
      oldestBlock: '0x1',
      baseFeePerGas: [875_000_000n, 765_625_000n, 669_921_875n].map(hex),
      gasUsedRatio: [0, 0],
      reward: [['0x0'], ['0x0']],
    })
    expect(await devnet.ask('eth_gasPrice')).toBe(hex(1_669_921_875n))
    expect(await devnet.ask('eth_maxPriorityFeePerGas')).toBe(hex(10n ** 9n))
    expect(await devnet.ask('eth_blobBaseFee')).toBe('0x1')
    expect((await devnet.refusal('eth_feeHistory', '0x0', 'latest')).code).toBe(-32602)
    expect((await devnet.refusal('eth_feeHistory', '0x1', 'latest', [50, 10])).code).toBe(-32000)
  })
})

async function logThreeTimes(devnet: TestDevnet): Promise<{ from: string; hashes: string[] }> {
  const from = devnet.accounts[0] as string
  await devnet.ask('hardhat_setCode', CONTRACT, LOGGER)
  const hashes: string[] = []
  for (let sent = 0; sent < 3; sent++) {
    hashes.push(await devnet.text('eth_sendTransaction', { from, to: CONTRACT }))
  }
  return { from, hashes }
}

async function logs(devnet: TestDevnet, filter: object): Promise<Record<string, unknown>[]> {
  return (await devnet.ask('eth_getLogs', filter)) as Record<string, unknown>[]
}
