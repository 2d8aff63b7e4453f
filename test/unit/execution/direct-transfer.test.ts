// Transfers on a worker's lane: with stock's EVM for the first, without it for those that follow, and with
// it again for all that are not so plain. Authority on who runs what; that everything equals stock is
// random-transfers.test.ts's, and repeated here for what is chosen by hand.
import { EVM } from '@ethereumjs/evm'
import { type Address, createAddressFromString } from '@ethereumjs/util'
import { type RunTxResult, runTx } from '@ethereumjs/vm'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { assembleHex } from '../../support/assembler.ts'
import {
  makeBlock,
  makeWorld,
  type TransactionPlan,
  type World,
} from '../../support/hand-made-block.ts'
import { LaneBench } from '../../support/lane-bench.ts'
import { compareAny } from '../../support/oracle.ts'
import { type Actor, actors, contracts, ether } from '../../support/random-world.ts'
import { addOne } from '../../support/small-contracts.ts'

const [alice, bob, carol] = actors as [Actor, Actor, Actor]
const { counter } = contracts
const nobody = createAddressFromString(`0x${'ab'.repeat(20)}`)
const precompile = createAddressFromString(`0x${'00'.repeat(19)}02`)
const coinbase = createAddressFromString(`0x${'c0'.repeat(20)}`)
const delegated = createAddressFromString(`0x${'de'.repeat(20)}`)
const pay = (from: Actor, to: Address, more: Partial<TransactionPlan> = {}): TransactionPlan => ({
  from,
  to,
  value: 5n,
  gasLimit: 100_000n,
  ...more,
})

let world: World
beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { nonce: 1n, code: assembleHex(addOne) },
      [delegated.toString()]: { nonce: 1n, code: `0xef0100${counter.toString().slice(2)}` },
    },
  })
})
afterEach(() => vi.restoreAllMocks())

/** Runs all on one lane; says what came of them, what stock makes of them, and how often the EVM was called. */
async function runAll(plans: readonly TransactionPlan[], where = world) {
  const block = makeBlock(where.common, { transactions: plans, coinbase })
  const vm = await where.vm()
  const expected: RunTxResult[] = []
  for (const tx of block.transactions) {
    expected.push(await runTx(vm, { tx, block, blockGasUsed: 0n }))
  }
  const bench = new LaneBench({ block, base: where.template.copy(where.common) })
  const lane = bench.newLane()
  const called = vi.spyOn(EVM.prototype, 'runCall')
  const results: RunTxResult[] = []
  const calls: number[] = []
  for (let i = 0; i < plans.length; i++) {
    const before = called.mock.calls.length
    results.push(await bench.run(lane, i))
    calls.push(called.mock.calls.length - before)
  }
  // What crosses threads.
  for (const { execResult } of expected) delete execResult.runState
  return { differences: compareAny(expected, results, 'results'), calls, bench }
}

describe('plain transfers', () => {
  it.each(['byzantium', 'istanbul', 'berlin', 'london', 'shanghai', 'cancun', 'prague'])(
    'need the EVM for the first alone, in %s',
    async (hardfork) => {
      const old = await makeWorld({ hardfork })
      const plans = [
        pay(alice, nobody),
        pay(alice, nobody),
        pay(bob, alice.address),
        pay(alice, nobody),
      ]
      const { differences, calls, bench } = await runAll(plans, old)
      expect(differences).toEqual([])
      expect(calls).toEqual([1, 0, 0, 0])
      expect(bench.transferTrust.of(0)).toBe('trusted')
    },
  )

  it('need it once for each type of transaction', async () => {
    const plans = [0, 1, 2, 0, 1, 2].map((type) => pay(alice, nobody, { fields: { type } }))
    const { differences, calls } = await runAll(plans)
    expect(differences).toEqual([])
    expect(calls).toEqual([1, 1, 1, 0, 0, 0])
  })
})

describe('what is not so plain', () => {
  it.each<[string, TransactionPlan]>([
    ['a call of a contract', pay(bob, counter)],
    ['a call of a delegated account', pay(bob, delegated)],
    ['a call of a precompile', pay(bob, precompile)],
    ['a payment to oneself', pay(bob, bob.address)],
    ['a payment to the coinbase', pay(bob, coinbase)],
    ['a payment of nothing', pay(bob, nobody, { value: 0n })],
    ['a payment with data', pay(bob, nobody, { data: Uint8Array.of(1) })],
    [
      'a payment with a list',
      pay(bob, nobody, {
        fields: { type: 1, accessList: [{ address: counter.toString(), storageKeys: [] }] },
      }),
    ],
    ['a payment without a tip', pay(bob, nobody, { fields: { gasPrice: 7n } })],
    ['a creation', { from: bob, gasLimit: 100_000n, value: 1n }],
  ])('is run by the EVM: %s', async (_, odd) => {
    const { differences, calls } = await runAll([pay(alice, nobody), odd, pay(carol, nobody)])
    expect(differences).toEqual([])
    expect(calls[1]).toBeGreaterThan(0)
    expect(calls[2]).toBe(0)
  })

  it.each<[string, TransactionPlan]>([
    ['a nonce that is not due', pay(bob, nobody, { nonce: 7n })],
    ['more than there is', pay(bob, nobody, { value: 1_000n * ether })],
    ['too little gas', pay(bob, nobody, { gasLimit: 20_999n })],
    ['too low a price', pay(bob, nobody, { fields: { gasPrice: 6n } })],
  ])('is refused by stock: %s', async (_, wrong) => {
    const block = makeBlock(world.common, { transactions: [pay(alice, nobody), wrong], coinbase })
    const bench = new LaneBench({ block, base: world.template.copy(world.common) })
    const lane = bench.newLane()
    await bench.run(lane, 0)
    await expect(bench.run(lane, 1)).rejects.toThrow('transaction 1 is invalid')
  })
})

describe('a transfer that reads what is about to change', () => {
  it('waits for it, and then pays from what is there', async () => {
    const plans = [pay(alice, nobody), pay(bob, alice.address, { value: 7n }), pay(alice, nobody)]
    const block = makeBlock(world.common, { transactions: plans, coinbase })
    const bench = new LaneBench({ block, base: world.template.copy(world.common) })
    const lane = bench.newLane()
    await bench.run(lane, 0)
    await bench.run(lane, 1)
    bench.abort(0)
    const other = bench.newLane()
    bench.whileWaiting = (lower) => bench.run(other, lower)
    const result = await bench.run(lane, 2)
    expect(bench.waits).toBeGreaterThan(0)
    expect(result.receipt.cumulativeBlockGasUsed).toBe(21_000n)
  })
})
