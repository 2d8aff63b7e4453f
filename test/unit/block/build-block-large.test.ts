// A pool of thousands with bad transactions all over: the size that builders have.
// Authority on completeness: every valid transaction is in the block, every other is named, in order.
// It must not depend on how long anything takes. Nothing is signed: who sent what is known beforehand.
import { createTx, type TypedTransaction } from '@ethereumjs/tx'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import { buildOptions, noBlobs, replayed } from '../../support/build-both.ts'
import { makeWorld, type World } from '../../support/hand-made-block.ts'
import { actors, contracts, ether } from '../../support/random-world.ts'
import { addOne } from '../../support/small-contracts.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter } = contracts
const size = 5_000
const everyBad = 20
const what = ['gap', 'poor', 'cheap', 'intrinsic'] as const

let executor: ParallelExecutor
let world: World

beforeAll(async () => {
  executor = await strictExecutor({ scheduler: 'graph' })
  world = await makeWorld({ accounts: { [counter.toString()]: { code: assembleHex(addOne) } } })
})
afterAll(() => executor?.close())

const senderOf = (index: number) => actors[index % 8]!

/** With a signature that is none, and the key that it would give. */
function transaction(index: number, fields: Parameters<typeof createTx>[0]): TypedTransaction {
  const signature = { v: world.common.chainId() * 2n + 35n, r: 1n, s: 1n }
  const plain = { to: counter, value: 0n, gasPrice: 9n, gasLimit: 60_000n, ...fields }
  const tx = createTx({ ...plain, ...signature }, { common: world.common })
  tx.cache.senderPubKey = senderOf(index).publicKey
  return tx
}

/** One in twenty is bad, and its nonce is used by the next of its sender. */
function pool(): TypedTransaction[] {
  const nonces = new Map<number, bigint>()
  return Array.from({ length: size }, (_, index) => {
    const nonce = nonces.get(index % 8) ?? 0n
    const payment = { nonce, to: senderOf(index * 7).address, value: 1n }
    if (index % everyBad !== 7) {
      nonces.set(index % 8, nonce + 1n)
      return transaction(index, index % 50 === 1 ? { nonce } : payment)
    }
    switch (what[((index / everyBad) % what.length) | 0]) {
      case 'gap':
        return transaction(index, { ...payment, nonce: nonce + 1_000_000n })
      case 'poor':
        return transaction(index, { ...payment, value: 10n ** 9n * ether })
      case 'cheap':
        return transaction(index, { ...payment, gasPrice: 1n })
      default:
        return transaction(index, { ...payment, gasLimit: 20_999n })
    }
  })
}

it('every valid one of 5,000 is in the block, and every bad one is named', async () => {
  const transactions = pool()
  const vm = await world.vm()
  const builder = await executor.buildBlock(vm, buildOptions(world, { gasLimit: 400_000_000n }))
  const { included, skipped, left, parallel } = await builder.addTransactions(transactions, noBlobs)
  const bad = transactions.flatMap((_, index) => (index % everyBad === 7 ? [index] : []))
  expect(skipped.map(({ index }) => index)).toEqual(bad)
  expect(left).toEqual([])
  expect(included.map(({ index }) => index)).toEqual(
    transactions.flatMap((_, index) => (index % everyBad === 7 ? [] : [index])),
  )
  expect(parallel).toMatchObject({ mode: 'parallel', incidents: [], transactions: size })
  const { block } = await builder.build()
  expect(block.transactions).toHaveLength(included.length)
  for (const [at, { index }] of included.entries()) {
    block.transactions[at]!.cache.senderPubKey = senderOf(index).publicKey
  }
  expect(await replayed(await world.vm(), block)).toEqual([])
}, 600_000)
