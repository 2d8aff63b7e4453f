// Incarnations that are abandoned in the middle of the EVM, and what they leave to the next: nothing.
// Authority on what passes from one incarnation to another on a lane. It must not leave the abandoning
// to chance: a lower transaction is aborted first, and runs again while the upper one waits for it.
import type { EVMOpts } from '@ethereumjs/evm'
import { Account } from '@ethereumjs/util'
import type { RunTxResult } from '@ethereumjs/vm'
import { beforeAll, describe, expect, it } from 'vitest'
import { HaltedError } from '../../../src/execution/lane-waits.ts'
import type { LocationId, TxIndex } from '../../../src/ids.ts'
import { ACCOUNT } from '../../../src/memory/layout.ts'
import { FOUND } from '../../../src/mvcc/version-store.ts'
import { assembleHex, type Instruction } from '../../support/assembler.ts'
import {
  makeBlock,
  makeWorld,
  type TransactionPlan,
  type World,
} from '../../support/hand-made-block.ts'
import { LaneBench } from '../../support/lane-bench.ts'
import { compareAny } from '../../support/oracle.ts'
import { type Actor, actors, contracts } from '../../support/random-world.ts'
import type { AccountRecords } from '../../support/state-template.ts'

const [alice, bob, carol] = actors as [Actor, Actor, Actor]
const hot = contracts.hot[0]!
const { reader: contract, proxy: caller, creator: outermost, counter: empty } = contracts
const startBalance = 1_000n
const payment = 5n

const hex = (address: { toString(): string }) => address.toString() as `0x${string}`
const hotBalance: Instruction[] = [hex(hot), 'BALANCE']
const call = (address: { toString(): string }): Instruction[] => [
  0,
  0,
  0,
  0,
  0,
  hex(address),
  'GAS',
  'CALL',
  'POP',
]

const accounts: AccountRecords = {
  [hex(hot)]: { balance: startBalance },
  // Logs a transient slot before and after it is written, and the balance that is read in between.
  [hex(contract)]: {
    nonce: 1n,
    code: assembleHex(
      [0, 'TLOAD', 0, 'MSTORE', 7, 0, 'TSTORE', ...hotBalance, 32, 'MSTORE'],
      [0, 'TLOAD', 64, 'MSTORE', 96, 0, 'LOG0'],
    ),
  },
  [hex(caller)]: { nonce: 1n, code: assembleHex(call(contract)) },
}

/** The lower transaction pays the account whose balance the upper ones read. */
const payHot: TransactionPlan = { from: alice, to: hot, value: payment }
const lower = 0
const [first, second] = [1, 2]

let world: World

beforeAll(async () => {
  world = await makeWorld({ accounts })
})

async function benchOf(
  to: { from: Actor; to: TransactionPlan['to'] }[],
  evmOptions: EVMOpts = {},
  where = world,
): Promise<LaneBench> {
  const plan = { transactions: [payHot, ...to] as TransactionPlan[] }
  const base = where.template.copy(where.common)
  const bench = new LaneBench({ block: makeBlock(where.common, plan), base, evmOptions })
  await bench.run(bench.newLane(), lower)
  return bench
}

/** From now on, whoever reads the hot balance must wait, and while he waits it is written again. */
function disturb(bench: LaneBench): void {
  const lane = bench.newLane()
  bench.abort(lower)
  bench.whileWaiting = () => bench.run(lane, lower)
}

function loggedWords(result: RunTxResult): bigint[] {
  const data = Buffer.from(result.receipt.logs[0]![2])
  return [0, 32, 64].map((at) => BigInt(`0x${data.subarray(at, at + 32).toString('hex')}`))
}

describe('an incarnation after an abandoned one', () => {
  it.each([
    ['at the top', contract],
    ['in a nested call', caller],
  ])('sees no transient storage that was written %s', async (_, to) => {
    const calm = await benchOf([{ from: bob, to }])
    const expected = await calm.run(calm.newLane(), first)
    expect(calm.waits).toBe(0)
    expect(loggedWords(expected)).toEqual([0n, startBalance + payment, 7n])

    const disturbed = await benchOf([{ from: bob, to }])
    disturb(disturbed)
    const actual = await disturbed.run(disturbed.newLane(), first)
    expect(disturbed.waits).toBe(1)
    expect(compareAny(expected, actual, 'result')).toEqual([])
  })

  it('sees none of another transaction that was halted on its lane', async () => {
    const bench = await benchOf([bob, carol].map((from) => ({ from, to: contract })))
    bench.abort(lower)
    bench.whileWaiting = () => Promise.reject(new HaltedError())
    const lane = bench.newLane()
    await expect(bench.run(lane, first)).rejects.toThrow(HaltedError)
    await bench.run(bench.newLane(), lower)
    expect(loggedWords(await bench.run(lane, second))[0]).toBe(0n)
  })

  it('deletes no empty account that the other one touched', async () => {
    // Only before Berlin: since then stock empties the journal wherever a transaction ends. And only
    // from deep within: stock undoes what the innermost two of the calls under way touched.
    const old = await makeWorld({
      hardfork: 'byzantium',
      accounts: {
        [hex(hot)]: { balance: startBalance },
        [hex(contract)]: { nonce: 1n, code: assembleHex(hotBalance) },
        [hex(caller)]: { nonce: 1n, code: assembleHex(call(contract)) },
        [hex(outermost)]: { nonce: 1n, code: assembleHex(call(empty), call(caller)) },
      },
    })
    const base = old.template.copy(old.common)
    await base.putAccount(empty, new Account())
    const transactions = [payHot, { from: bob, to: outermost }, { from: carol, to: hot }]
    const bench = new LaneBench({ block: makeBlock(old.common, { transactions }), base })
    await bench.run(bench.newLane(), lower)
    bench.abort(lower)
    bench.whileWaiting = () => Promise.reject(new HaltedError())
    const lane = bench.newLane()
    await expect(bench.run(lane, first)).rejects.toThrow(HaltedError)
    await bench.run(bench.newLane(), lower)
    await bench.run(lane, second)
    const { store, table } = bench.memory
    const existence = (table.account(empty.bytes) + ACCOUNT.EXISTS_HEAD) as LocationId
    expect(store.find(existence, (second + 1) as TxIndex)).toBe(FOUND.BASE)
  })

  it('does not carry the checkpoints of all that were abandoned before it', async () => {
    const heights: number[] = []
    const countCheckpoints: NonNullable<EVMOpts['customOpcodes']>[number] = {
      opcode: 0x21,
      opcodeName: 'COUNT',
      baseFee: 0,
      logicFunction: ({ interpreter }) => {
        const evm = interpreter._evm as unknown as { transientStorage: { _indices: number[] } }
        heights.push(evm.transientStorage._indices.length)
      },
    }
    const counting = await makeWorld({
      accounts: {
        ...accounts,
        [hex(caller)]: { nonce: 1n, code: `0x21${assembleHex(hotBalance).slice(2)}` },
      },
    })
    const transactions = [{ from: bob, to: caller }]
    const bench = await benchOf(transactions, { customOpcodes: [countCheckpoints] }, counting)
    const lane = bench.newLane()
    for (let times = 0; times < 3; times++) {
      disturb(bench)
      await bench.run(lane, first)
    }
    expect(bench.waits).toBe(3)
    expect(heights).toEqual(new Array(6).fill(heights[0]))
  })
})
