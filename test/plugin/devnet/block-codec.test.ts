// Blocks as bytes, and the blocks that come of them: all that is kept of one is kept.
// Authority on the form's completeness. That a store of another form is refused is persistence.test.ts's.
import { describe, expect, it } from 'vitest'
import { MemoryArchive } from '../../../plugin/devnet/chain/block-archive.ts'
import type { Hex } from '../../../plugin/devnet/hex.ts'
import { hex, startDevnet, type TestDevnet } from './test-devnet.ts'

/** Logs an empty event, and fails where it is sent something. */
const LOGGER = '0x3415600a575f5ffd00005b3360015f5fa200'
const CONTRACT = `0x${'22'.repeat(20)}`
/** Blocks that are kept as they are, and not as bytes. */
const KEPT = 1_024

/** All that can be asked of a block, and of its transactions. */
async function seen(devnet: TestDevnet, number: number) {
  const block = await devnet.object('eth_getBlockByNumber', hex(number), true)
  const transactions = block.transactions as { readonly hash: string }[]
  return {
    block,
    receipts: await devnet.ask('eth_getBlockReceipts', hex(number)),
    byHash: await Promise.all(
      transactions.map(({ hash }) => devnet.ask('eth_getTransactionByHash', hash)),
    ),
  }
}

describe('a block that is kept as bytes', () => {
  it('has its transactions, senders, receipts and logs of every kind', async () => {
    await using devnet = await startDevnet({ mining: { auto: false } })
    const [one, other] = devnet.accounts
    const stranger = `0x${'77'.repeat(20)}`
    await devnet.ask('hardhat_setCode', CONTRACT, LOGGER)
    await devnet.ask('hardhat_setBalance', stranger, hex(10n ** 20n))
    await devnet.ask('hardhat_impersonateAccount', stranger)
    const gas = hex(200_000)
    for (const call of [
      { from: one, to: other, value: '0x1', gas },
      { from: one, to: CONTRACT, gas, gasPrice: hex(10n ** 11n) },
      { from: one, to: CONTRACT, value: '0x1', gas },
      { from: other, data: '0x60006000f3', gas, accessList: [] },
      { from: stranger, to: one, value: '0x5', gas },
    ]) {
      await devnet.ask('eth_sendTransaction', call)
    }
    await devnet.ask('evm_mine')
    await devnet.ask('evm_mine')
    const before = await Promise.all([0, 1, 2].map((number) => seen(devnet, number)))
    const [, { receipts }] = before as [unknown, Awaited<ReturnType<typeof seen>>]
    const outcomes = (receipts as { status: string; logs: unknown[] }[]).map(({ status, logs }) => [
      status,
      logs.length,
    ])
    expect(outcomes.toSorted()).toEqual([
      ['0x0', 0],
      ['0x1', 0],
      ['0x1', 0],
      ['0x1', 0],
      ['0x1', 1],
    ])
    for (let i = 0; i < KEPT + 8; i++) await devnet.ask('evm_mine')
    expect(await Promise.all([0, 1, 2].map((number) => seen(devnet, number)))).toEqual(before)
  })
})

describe('the place of a transaction', () => {
  it.each([
    [0, 0],
    [1, 7],
    [2 ** 33 - 1, 2 ** 20 - 1],
    [2 ** 33, 3],
    [2 ** 53 - 1, 2 ** 20],
  ])('is found again: block %i, place %i', (number, index) => {
    const archive = new MemoryArchive()
    const names = Array.from({ length: index + 1 }, (_, i) => (i === index ? '0x1' : '0x0') as Hex)
    const block = { number, hash: '0x2' as Hex, encode: () => new Uint8Array(0) }
    archive.put({ ...block, transactionHashes: names, logFilter: undefined })
    expect(archive.placeOf('0x1')).toEqual([number, index])
  })
})
