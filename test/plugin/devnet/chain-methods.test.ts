// Blocks, transactions and receipts as clients ask for them, and the state of accounts at any block.
import { describe, expect, it } from 'vitest'
import { codeReturning, ETHER, hex, startDevnet } from './test-devnet.ts'

const NOBODY = `0x${'77'.repeat(20)}`
const UNKNOWN = `0x${'ab'.repeat(32)}`

describe('a transaction that was mined at once', () => {
  it('is found by its hash, in its block, and by its place there', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    const hash = await devnet.text('eth_sendTransaction', { from, to, value: hex(ETHER) })
    const block = await devnet.object('eth_getBlockByNumber', 'latest', true)
    const transaction = await devnet.object('eth_getTransactionByHash', hash)
    expect(block.number).toBe('0x1')
    expect(block.transactions).toEqual([transaction])
    expect(transaction).toMatchObject({ hash, from, to, value: hex(ETHER), blockHash: block.hash })
    expect(await devnet.ask('eth_getBlockByHash', block.hash, true)).toEqual(block)
    for (const [method, id] of [
      ['eth_getTransactionByBlockHashAndIndex', block.hash],
      ['eth_getTransactionByBlockNumberAndIndex', '0x1'],
    ] as const) {
      expect(await devnet.ask(method, id, '0x0')).toEqual(transaction)
      expect(await devnet.ask(method, id, '0x1')).toBeNull()
    }
    expect(await devnet.ask('eth_getBlockTransactionCountByNumber', '0x1')).toBe('0x1')
    expect(await devnet.ask('eth_getBlockTransactionCountByHash', block.hash)).toBe('0x1')
  })

  it('has a receipt, alone and among those of its block', async () => {
    await using devnet = await startDevnet()
    const [from, to] = devnet.accounts
    const hash = await devnet.text('eth_sendTransaction', {
      from,
      to,
      gasPrice: hex(2n * 10n ** 9n),
    })
    const receipt = await devnet.object('eth_getTransactionReceipt', hash)
    expect(receipt).toMatchObject({
      transactionHash: hash,
      transactionIndex: '0x0',
      blockNumber: '0x1',
      from,
      to,
      status: '0x1',
      gasUsed: '0x5208',
      cumulativeGasUsed: '0x5208',
      contractAddress: null,
      logs: [],
      type: '0x0',
      effectiveGasPrice: hex(2n * 10n ** 9n),
    })
    expect(await devnet.ask('eth_getBlockReceipts', 'latest')).toEqual([receipt])
    expect(await devnet.ask('eth_getTransactionReceipt', UNKNOWN)).toBeNull()
    expect(await devnet.ask('eth_getBlockReceipts', '0x2')).toBeNull()
  })

  it('changes balances by its value and its fee, and the nonce by one, from its block on', async () => {
    await using devnet = await startDevnet()
    const [from] = devnet.accounts
    const price = 2n * 10n ** 9n
    await devnet.ask('eth_sendTransaction', {
      from,
      to: NOBODY,
      value: '0x5',
      gasPrice: hex(price),
    })
    const balance = async (of: string | undefined, at: unknown) =>
      BigInt(await devnet.text('eth_getBalance', of, at))
    expect(await balance(NOBODY, 'latest')).toBe(5n)
    expect(await balance(NOBODY, 'earliest')).toBe(0n)
    const paid = (await balance(from, '0x0')) - (await balance(from, '0x1'))
    expect(paid).toBe(5n + 21_000n * price)
    expect(await devnet.ask('eth_getTransactionCount', from, 'latest')).toBe('0x1')
    expect(await devnet.ask('eth_getTransactionCount', from, { blockNumber: '0x0' })).toBe('0x0')
  })
})

describe('what is not there', () => {
  it('is null among blocks and transactions, and refused where a state is asked for', async () => {
    await using devnet = await startDevnet()
    expect(await devnet.ask('eth_getBlockByNumber', '0x5', false)).toBeNull()
    expect(await devnet.ask('eth_getBlockByHash', UNKNOWN, false)).toBeNull()
    expect(await devnet.ask('eth_getTransactionByHash', UNKNOWN)).toBeNull()
    expect(await devnet.refusal('eth_getBalance', NOBODY, '0x5')).toMatchObject({
      code: -32000,
      message: 'Received invalid block tag 5. Latest block number is 0',
    })
    expect((await devnet.refusal('eth_getCode', NOBODY, { blockHash: UNKNOWN })).message).toContain(
      UNKNOWN,
    )
  })

  it('is a method that nobody knows, by the name that was asked for', async () => {
    await using devnet = await startDevnet()
    expect(await devnet.refusal('eth_foo')).toMatchObject({
      code: -32004,
      message: 'Method eth_foo is not supported',
    })
  })
})

describe('the pending block', () => {
  it('holds what waits, and its state is what clients ask for by that name', async () => {
    await using devnet = await startDevnet({ mining: { auto: false } })
    const [from] = devnet.accounts
    const hash = await devnet.text('eth_sendTransaction', { from, to: NOBODY, value: '0x5' })
    expect(await devnet.ask('eth_blockNumber')).toBe('0x0')
    expect(await devnet.object('eth_getBlockByNumber', 'pending', false)).toMatchObject({
      number: null,
      nonce: null,
      transactions: [hash],
    })
    expect(await devnet.ask('eth_getBalance', NOBODY, 'pending')).toBe('0x5')
    expect(await devnet.ask('eth_getBalance', NOBODY, 'latest')).toBe('0x0')
    expect(await devnet.ask('eth_getTransactionCount', from, 'pending')).toBe('0x1')
    expect(await devnet.object('eth_getTransactionByHash', hash)).toMatchObject({ blockHash: null })
    await devnet.ask('evm_mine')
    expect(await devnet.object('eth_getBlockByNumber', 'latest', false)).toMatchObject({
      number: '0x1',
      transactions: [hash],
    })
  })
})

describe('code, storage and proofs', () => {
  it('are those of the account at the block', async () => {
    await using devnet = await startDevnet()
    const code = codeReturning('5f54')
    await devnet.ask('hardhat_setCode', NOBODY, code)
    await devnet.ask('hardhat_setStorageAt', NOBODY, '0x0', `0x${'00'.repeat(31)}2a`)
    expect(await devnet.ask('eth_getCode', NOBODY, 'latest')).toBe(code)
    expect(await devnet.ask('eth_getStorageAt', NOBODY, '0x0', 'latest')).toBe(hex32(0x2an))
    expect(await devnet.ask('eth_getStorageAt', NOBODY, '0x1', 'latest')).toBe(hex32(0n))
    const proof = await devnet.object('eth_getProof', NOBODY, ['0x0'], 'latest')
    expect(proof.address).toBe(NOBODY)
    expect(proof.storageProof).toMatchObject([{ value: '0x2a' }])
  })
})

function hex32(value: bigint): string {
  return `0x${value.toString(16).padStart(64, '0')}`
}
