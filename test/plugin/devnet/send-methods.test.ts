// Sending: who may, what is refused and how it is said, and what waits in the pool.

import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createFeeMarket1559Tx, type FeeMarketEIP1559TxData } from '@ethereumjs/tx'
import { bytesToHex, hexToBytes } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { hex, startDevnet } from './test-devnet.ts'

const NOBODY = `0x${'77'.repeat(20)}`
const GWEI = 10n ** 9n
/** The first account of Hardhat's mnemonic. */
const KEY = hexToBytes('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')

function raw(data: FeeMarketEIP1559TxData, chainId = 31_337): string {
  const common = createCustomCommon({ chainId }, Mainnet, { hardfork: 'osaka' })
  const fees = { gasLimit: 21_000n, maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: GWEI }
  const tx = createFeeMarket1559Tx({ chainId, ...fees, ...data } as never, { common }).sign(KEY)
  return bytesToHex(tx.serialize())
}

describe('sending with automine', () => {
  it('takes a signed transaction from anybody', async () => {
    await using devnet = await startDevnet()
    const hash = await devnet.text(
      'eth_sendRawTransaction',
      raw({ nonce: 0n, to: NOBODY, value: 7n } as never),
    )
    expect(await devnet.object('eth_getTransactionReceipt', hash)).toMatchObject({
      status: '0x1',
      from: devnet.accounts[0],
    })
    expect(await devnet.ask('eth_getBalance', NOBODY, 'latest')).toBe('0x7')
  })

  it('refuses raw transactions that are none, or of another chain', async () => {
    await using devnet = await startDevnet()
    expect(await devnet.refusal('eth_sendRawTransaction', '0x1234')).toMatchObject({
      code: -32602,
      message: 'Invalid transaction type 18.',
    })
    expect((await devnet.refusal('eth_sendRawTransaction', '0x02')).code).toBe(-32602)
    const foreign = await devnet.refusal(
      'eth_sendRawTransaction',
      raw({ nonce: 0n, to: NOBODY } as never, 5),
    )
    expect(foreign.message).toContain('The expected chainId is 31337')
  })

  it('says which nonce it expects, since nothing can be queued', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    await devnet.ask('eth_sendTransaction', { from, to })
    expect((await devnet.refusal('eth_sendTransaction', { from, to, nonce: '0x0' })).message).toBe(
      "Nonce too low. Expected nonce to be 1 but got 0. Note that transactions can't be queued when automining.",
    )
    expect((await devnet.refusal('eth_sendTransaction', { from, to, nonce: '0x5' })).message).toBe(
      "Nonce too high. Expected nonce to be 1 but got 5. Note that transactions can't be queued when automining.",
    )
  })

  it('refuses what cannot be paid, or has not the gas, or more than EIP-7825 allows', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    const refused = async (request: object) =>
      (await devnet.refusal('eth_sendTransaction', { from, to, ...request })).message
    expect(await refused({ value: hex(10n ** 30n) })).toContain(
      "Sender doesn't have enough funds to send tx",
    )
    expect(await refused({ gas: '0x1' })).toBe('Transaction requires at least 21000 gas but got 1')
    expect(await refused({ gas: '0x1000001' })).toBe(
      'Transaction gas limit is 16777217 and exceeds transaction gas cap of 16777216',
    )
    expect(await refused({ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x1' })).toBe(
      'Transaction maxFeePerGas (1) is too low for the next block, which has a baseFeePerGas of 875000000',
    )
    expect(await refused({ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' })).toBe(
      'maxPriorityFeePerGas (2) is bigger than maxFeePerGas (1)',
    )
    expect(await refused({ gasPrice: '0x1', maxFeePerGas: '0x2' })).toBe(
      'Cannot send both gasPrice and maxFeePerGas params',
    )
    expect(await refused({ from: NOBODY })).toBe(`Unknown account ${NOBODY}`)
    expect(await refused({ chainId: '0x5' })).toBe(
      'Invalid chainId 5 provided, expected 31337 instead.',
    )
    expect(await devnet.ask('eth_blockNumber')).toBe('0x0')
  })

  it('shows what accounts have authorized in numbers, of which zero is one', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    const authorization = { chainId: '0x0', address: to, nonce: '0x0', yParity: '0x0' }
    const signature = { r: '0x1', s: '0x2' }
    const hash = await devnet.text('eth_sendTransaction', {
      from,
      to,
      authorizationList: [{ ...authorization, ...signature }],
    })
    expect(await devnet.object('eth_getTransactionByHash', hash)).toMatchObject({
      type: '0x4',
      authorizationList: [{ ...authorization, ...signature }],
    })
  })

  it('mines a transaction that reverts, and tells who sent it', async () => {
    await using devnet = await startDevnet()
    const [from] = devnet.accounts
    await devnet.ask('hardhat_setCode', NOBODY, '0x5f5ffd')
    const error = await devnet.refusal('eth_sendTransaction', { from, to: NOBODY, gas: '0x10000' })
    expect(error.code).toBe(3)
    expect(error.transactionHash).toMatch(/^0x[0-9a-f]{64}$/)
    expect(await devnet.object('eth_getTransactionReceipt', error.transactionHash)).toMatchObject({
      status: '0x0',
      blockNumber: '0x1',
    })
  })

  it('can be told to report failures in the receipt alone', async () => {
    await using devnet = await startDevnet({ throwOnTransactionFailures: false })
    await devnet.ask('hardhat_setCode', NOBODY, '0x5f5ffd')
    const hash = await devnet.ask('eth_sendTransaction', { from: devnet.accounts[0], to: NOBODY })
    expect(await devnet.object('eth_getTransactionReceipt', hash)).toMatchObject({ status: '0x0' })
  })

  it('creates contracts, whose address is in the receipt', async () => {
    await using devnet = await startDevnet()
    const [from] = devnet.accounts
    // Returns one byte of code: 0x00.
    const hash = await devnet.text('eth_sendTransaction', { from, data: '0x60015ff3' })
    const { contractAddress, to } = await devnet.object('eth_getTransactionReceipt', hash)
    expect(to).toBeNull()
    expect(await devnet.ask('eth_getCode', contractAddress, 'latest')).toBe('0x00')
  })
})

describe('impersonation', () => {
  it('lets an address without a key send, until it is stopped, and contracts too', async () => {
    await using devnet = await startDevnet()
    await devnet.ask('hardhat_setBalance', NOBODY, hex(10n ** 18n))
    await devnet.ask('hardhat_setCode', NOBODY, '0x00')
    await devnet.ask('hardhat_impersonateAccount', NOBODY)
    const hash = await devnet.text('eth_sendTransaction', { from: NOBODY, to: devnet.accounts[0] })
    expect(await devnet.object('eth_getTransactionReceipt', hash)).toMatchObject({
      from: NOBODY,
      status: '0x1',
    })
    expect(await devnet.ask('eth_getCode', NOBODY, 'latest')).toBe('0x00')
    expect(await devnet.ask('eth_getTransactionCount', NOBODY)).toBe('0x1')
    expect(await devnet.ask('hardhat_stopImpersonatingAccount', NOBODY)).toBe(true)
    expect(await devnet.ask('hardhat_stopImpersonatingAccount', NOBODY)).toBe(false)
    await devnet.refusal('eth_sendTransaction', { from: NOBODY, to: devnet.accounts[0] })
  })
})

describe('the pool without automine', () => {
  const manual = { mining: { auto: false } } as const

  it('keeps nonces apart that can go next and those that wait for one before', async () => {
    await using devnet = await startDevnet(manual)
    const [from, to] = devnet.accounts
    const later = await devnet.text('eth_sendTransaction', { from, to, nonce: '0x5' })
    const next = await devnet.text('eth_sendTransaction', { from, to })
    expect(await devnet.ask('txpool_status')).toEqual({ pending: '0x1', queued: '0x1' })
    expect(await devnet.object('txpool_content')).toMatchObject({
      pending: { [from as string]: { 0: { hash: next } } },
      queued: { [from as string]: { 5: { hash: later } } },
    })
    expect(await devnet.object('txpool_contentFrom', to)).toEqual({ pending: {}, queued: {} })
    expect(await devnet.object('txpool_inspect')).toHaveProperty('queued')
    const waiting = (await devnet.ask('eth_pendingTransactions')) as { hash: string }[]
    expect(waiting.map(({ hash }) => hash)).toEqual([next, later])
    await devnet.ask('evm_mine')
    expect(await devnet.ask('txpool_status')).toEqual({ pending: '0x0', queued: '0x1' })
  })

  it('replaces a transaction by one that pays a tenth more, and by no other', async () => {
    await using devnet = await startDevnet(manual)
    const [from, to] = devnet.accounts
    const send = (price: bigint) => ({ from, to, nonce: '0x0', gasPrice: hex(price) })
    const first = await devnet.text('eth_sendTransaction', send(2n * GWEI))
    expect((await devnet.refusal('eth_sendTransaction', send(2n * GWEI))).message).toBe(
      `Known transaction: ${first}`,
    )
    expect((await devnet.refusal('eth_sendTransaction', send(2_199_999_999n))).message).toBe(
      'Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 2200000000 is necessary to replace the existing transaction with nonce 0.',
    )
    const second = await devnet.text('eth_sendTransaction', send(2_200_000_000n))
    expect(await devnet.ask('eth_getTransactionByHash', first)).toBeNull()
    await devnet.ask('evm_mine')
    expect(await devnet.object('eth_getBlockByNumber', 'latest', false)).toMatchObject({
      transactions: [second],
    })
  })

  it('orders a block by what is paid, or by arrival where asked to', async () => {
    for (const [order, expected] of [
      ['priority', [1, 0]],
      ['fifo', [0, 1]],
    ] as const) {
      await using devnet = await startDevnet({ mining: { auto: false, order } })
      const [one, other, to] = devnet.accounts
      const hashes = [
        await devnet.text('eth_sendTransaction', { from: one, to, gasPrice: hex(2n * GWEI) }),
        await devnet.text('eth_sendTransaction', { from: other, to, gasPrice: hex(3n * GWEI) }),
      ]
      await devnet.ask('evm_mine')
      expect(await devnet.object('eth_getBlockByNumber', 'latest', false)).toMatchObject({
        transactions: expected.map((index) => hashes[index]),
      })
    }
  })

  it('leaves what does not fit into a block for the next, with all that waits behind it', async () => {
    await using devnet = await startDevnet({ ...manual, blockGasLimit: 100_000n })
    const [from, to] = devnet.accounts
    for (const gas of [60_000, 60_000, 21_000]) {
      await devnet.ask('eth_sendTransaction', { from, to, gas: hex(gas), gasPrice: hex(2n * GWEI) })
    }
    await devnet.ask('evm_mine')
    expect(await devnet.ask('eth_getBlockTransactionCountByNumber', 'latest')).toBe('0x3')
    await devnet.ask('evm_setBlockGasLimit', '0xc350')
    for (const gas of [30_000, 40_000, 21_000]) {
      await devnet.ask('eth_sendTransaction', { from, to, gas: hex(gas), gasPrice: hex(2n * GWEI) })
    }
    await devnet.ask('evm_mine')
    expect(await devnet.ask('eth_getBlockTransactionCountByNumber', 'latest')).toBe('0x1')
    expect(await devnet.ask('txpool_status')).toEqual({ pending: '0x2', queued: '0x0' })
    await devnet.ask('evm_mine')
    expect(await devnet.ask('eth_getBlockTransactionCountByNumber', 'latest')).toBe('0x2')
  })

  it('drops a transaction on demand, and not one that was mined', async () => {
    await using devnet = await startDevnet(manual)
    const [from, to] = devnet.accounts
    const hash = await devnet.text('eth_sendTransaction', { from, to })
    expect(await devnet.ask('hardhat_dropTransaction', hash)).toBe(true)
    expect(await devnet.ask('hardhat_dropTransaction', hash)).toBe(false)
    const mined = await devnet.text('eth_sendTransaction', { from, to })
    await devnet.ask('evm_mine')
    expect((await devnet.refusal('hardhat_dropTransaction', mined)).message).toContain(
      'already mined',
    )
  })
})
