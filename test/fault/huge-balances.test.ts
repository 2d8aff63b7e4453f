// Balances near 2^256, where sums of payments end: a block stays parallel while nothing can overflow
// unseen, and else it is finished by stock's code, and the report says so.
// Authority on both limits, 2^255 for what is summed and 2^256 for what 32 bytes hold. It must compare
// with whatever stock makes of such a balance, its errors among it, and not with what would be sensible.
import { type Address, MAX_INTEGER } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { assembleHex } from '../support/assembler.ts'
import {
  type BothRuns,
  expectEqualInParallel,
  makeBlock,
  makeWorld,
  runBoth,
  type TransactionPlan,
  type World,
} from '../support/hand-made-block.ts'
import { type Actor, actors, addressWord, contracts } from '../support/random-world.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const [alice, bob, carol, dave, erin, frank, whale] = actors as Record<number, Actor> &
  [Actor, Actor, Actor, Actor, Actor, Actor, Actor]
const sumLimit = 1n << 255n
const [low, high, purse] = contracts.hot as Record<number, Address> & [Address, Address, Address]
const { reader: looker, proxy: payer, killable: doomed } = contracts

const hex = (address: Address) => address.toString() as `0x${string}`
const pay = (from: Actor, to: Address, value: bigint): TransactionPlan => ({ from, to, value })
const look = (from: Actor, at: Address): TransactionPlan => ({
  from,
  to: looker,
  data: addressWord(at),
})

let world: World
/** Goes on sequentially, as users' executors do. */
let executor: ParallelExecutor
let strict: ParallelExecutor

beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [hex(whale.address)]: { balance: MAX_INTEGER },
      [hex(low)]: { balance: sumLimit - 10n },
      [hex(high)]: { balance: MAX_INTEGER - 9n },
      // Pays one wei to whoever calls it with data.
      [hex(purse)]: {
        nonce: 1n,
        balance: sumLimit - 10n,
        code: assembleHex(
          ['CALLDATASIZE', { to: 'spend' }, 'JUMPI', 'STOP', { label: 'spend' }],
          [0, 0, 0, 0, 1, 'CALLER', 'GAS', 'CALL'],
        ),
      },
      [hex(looker)]: {
        nonce: 1n,
        code: assembleHex([0, 'CALLDATALOAD', 'BALANCE', 0, 'MSTORE', 32, 0, 'LOG0']),
      },
      // Pays 2^191 wei three times over.
      [hex(payer)]: {
        nonce: 1n,
        balance: 1n << 200n,
        code: assembleHex(
          ...[1, 2, 3].map(() => [0, 0, 0, 0, 1n << 191n, hex(low), 'GAS', 'CALL', 'POP'] as const),
        ),
      },
      [hex(doomed)]: { nonce: 1n, balance: 50n, code: assembleHex([hex(high), 'SELFDESTRUCT']) },
    },
  })
  executor = await strictExecutor({ fallback: true })
  strict = await strictExecutor()
})
afterAll(async () => {
  await executor?.close()
  await strict?.close()
})

async function runOnce(
  plan: { transactions: TransactionPlan[]; coinbase?: Address },
  on = executor,
): Promise<BothRuns> {
  const sides = { stock: await world.vm(), ours: await world.vm() }
  const run = await runBoth(on, sides, makeBlock(world.common, plan))
  expect(run.differences).toEqual([])
  return run
}

/** The workers gave up at the transaction `cause` at the latest, and said why. */
function expectFinishedSequentially({ report }: BothRuns, cause: number, why: RegExp): void {
  expect(report).toMatchObject({ mode: 'parallel', incidents: [expect.stringMatching(why)] })
  expect(report?.fallbackFrom).toBeLessThanOrEqual(cause)
}

function failures(run: BothRuns): (string | undefined)[] | undefined {
  return run.result?.results.map(({ execResult }) => execResult.exceptionError?.error)
}

function seen(run: BothRuns, transaction: number): bigint {
  const data = run.result!.receipts[transaction]!.logs[0]![2]
  return BigInt(`0x${Buffer.from(data).toString('hex')}`)
}

describe('a balance below 2^255', () => {
  const raise = [
    pay(alice, bob.address, 1n),
    pay(whale, low, sumLimit),
    pay(carol, low, 5n),
    look(dave, low),
    pay(erin, low, 5n),
    look(frank, low),
    pay(alice, low, 4n),
  ]

  it('that one payment lifts above it ends the parallel part, also for those who look', async () => {
    for (let round = 0; round < 5; round++) {
      const run = await runOnce({ transactions: raise })
      expectFinishedSequentially(run, 1, /2\^255/)
      expect([seen(run, 3), seen(run, 5)]).toEqual([MAX_INTEGER - 4n, MAX_INTEGER - 4n])
      expect(failures(run)?.[4]).toBe('value overflow')
    }
  })

  it('that one payment lifts above it is refused where there is no fallback', async () => {
    const vm = await world.vm()
    const before = await vm.stateManager.getStateRoot()
    const block = makeBlock(world.common, { transactions: raise })
    const options = { block, generate: true, skipBlockValidation: true }
    await expect(strict.runBlock(vm, options)).rejects.toMatchObject({
      code: 'FALLBACK_DISABLED',
      cause: { code: 'UNSUPPORTED_BALANCE' },
    })
    expect(await vm.stateManager.getStateRoot()).toEqual(before)
  })

  it('that many payments lift above it stays a sum, and is right in the next blocks too', async () => {
    const sides = { stock: await world.vm(), ours: await world.vm() }
    const nonces = new Map<Actor, bigint>()
    const blocks = [
      [pay(alice, purse, 5n), look(bob, purse), pay(carol, purse, 6n), look(dave, purse)],
      [pay(alice, purse, 1n), look(bob, purse), { ...look(carol, purse), to: purse }],
      [pay(whale, purse, sumLimit - 5n), look(bob, purse), pay(carol, purse, 9n)],
    ]
    const balances: bigint[] = []
    for (const [at, transactions] of blocks.entries()) {
      const plan = { number: 20n + BigInt(at), transactions }
      const run = await runBoth(strict, sides, makeBlock(world.common, plan, nonces))
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
      balances.push(seen(run, 1))
    }
    expect(balances).toEqual([sumLimit - 5n, sumLimit + 2n, MAX_INTEGER - 3n])
  })

  it('takes payments above 2^191 in parallel, since they are not left unread', async () => {
    const run = await expectEqualInParallel(strict, world, {
      transactions: [
        ...[1n, 2n, 3n].map((factor) => pay(whale, alice.address, factor << 200n)),
        look(bob, alice.address),
        pay(carol, alice.address, 5n),
      ],
    })
    expect(seen(run, 3)).toBeGreaterThan(6n << 200n)
  })

  it('ends the parallel part where one transaction adds up 2^192 or more unread', async () => {
    const run = await runOnce({
      transactions: [
        pay(alice, low, 1n),
        pay(bob, payer, 0n),
        look(carol, low),
        pay(dave, low, 1n),
      ],
    })
    expectFinishedSequentially(run, 1, /2\^255/)
  })
})

describe('a balance of 2^255 or more before the block', () => {
  it('is read by every payment, and those that would overflow fail as they do in stock', async () => {
    for (let round = 0; round < 5; round++) {
      const run = await expectEqualInParallel(strict, world, {
        transactions: [
          pay(alice, high, 5n),
          pay(bob, high, 5n),
          look(carol, high),
          pay(dave, high, 4n),
          pay(erin, high, 1n),
          look(frank, high),
        ],
      })
      const fails = 'value overflow'
      expect(failures(run)).toEqual([undefined, fails, undefined, undefined, fails, undefined])
      expect([seen(run, 2), seen(run, 5)]).toEqual([MAX_INTEGER - 4n, MAX_INTEGER])
    }
  })

  it('goes past 2^256 with fees, as it does in stock', async () => {
    const transactions = [alice, bob, carol, dave].map((from) => pay(from, erin.address, 1n))
    const run = await runOnce({ coinbase: high, transactions })
    expectFinishedSequentially(run, 0, /2\^256/)
    const { balance } = (await run.ours.stateManager.getAccount(high))!
    expect(balance).toBeGreaterThan(MAX_INTEGER)
    // The next block on this state begins with more than 32 bytes hold.
    const more = [alice, bob, carol, dave].map((from) => ({ ...pay(from, high, 1n), nonce: 1n }))
    const next = await runBoth(executor, run, makeBlock(world.common, { transactions: more }))
    expect(next.differences).toEqual([])
    expectFinishedSequentially(next, 0, /2\^256/)
  })

  it('goes past 2^256 with what a destroyed contract leaves, as it does in stock', async () => {
    const transactions = [pay(alice, bob.address, 1n), pay(bob, doomed, 0n), pay(carol, high, 1n)]
    const run = await runOnce({ transactions })
    expectFinishedSequentially(run, 1, /2\^256/)
    expect(failures(run)).toEqual([undefined, undefined, 'value overflow'])
  })

  it('past 2^256 makes whoever looks at it fail with the error of stock', async () => {
    const run = await runOnce({
      transactions: [pay(alice, bob.address, 1n), pay(bob, doomed, 0n), look(carol, high)],
    })
    expect(run.result).toBeUndefined()
    expect(String(run.error)).toMatch(/Input length 33/)
  })
})
