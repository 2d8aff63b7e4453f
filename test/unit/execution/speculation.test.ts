// Executions that are abandoned because what they read is not so any more, or because nobody wants them.
// Authority on what is abandoned and what is not; an opcode of the test's own changes the world meanwhile.
// It must not be about threads: everything happens on lanes of one thread.
import type { EVMOpts } from '@ethereumjs/evm'
import type { RunTxResult } from '@ethereumjs/vm'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { patchInterpreter } from '../../../src/execution/interpreter-patch.ts'
import { HaltedError } from '../../../src/execution/lane-waits.ts'
import { NOTHING, type TxIndex } from '../../../src/ids.ts'
import { CONTROL, HALT } from '../../../src/memory/layout.ts'
import { ReadSetRecorder } from '../../../src/mvcc/read-set.ts'
import { assembleHex, type Instruction } from '../../support/assembler.ts'
import { makeBlock, makeWorld, spin, type World } from '../../support/hand-made-block.ts'
import { LaneBench } from '../../support/lane-bench.ts'
import { type Actor, actors, contracts } from '../../support/random-world.ts'

const [alice, bob] = actors as [Actor, Actor]
const hot = contracts.hot[0]!
const { reader: trap, proxy: caller, counter: meddler, creator: patient } = contracts
const startBalance = 1_000n
const payment = 5n
/** Burning it takes hours: what burns it ends by being abandoned, or not at all. */
const gasLimit = 10n ** 12n

const hex = (address: { toString(): string }) => address.toString() as `0x${string}`
const call = (address: { toString(): string }): Instruction[] => [
  ...[0, 0, 0, 0, 0, hex(address)],
  ...(['GAS', 'CALL', 'POP'] as const),
]
const readHot: Instruction[] = [hex(hot), 'BALANCE']

let world: World
/** What happens while a transaction runs, after it has read the hot balance. */
let meddle: () => Promise<unknown>
let meddlings: number

const customOpcodes: EVMOpts['customOpcodes'] = [
  {
    opcode: 0x21,
    opcodeName: 'MEDDLE',
    baseFee: 1,
    logicFunction: async () => {
      meddlings++
      await meddle()
    },
  },
]

beforeAll(async () => {
  await patchInterpreter()
  world = await makeWorld({
    accounts: {
      [hex(hot)]: { balance: startBalance },
      [hex(meddler)]: { nonce: 1n, code: '0x21' },
      // Burns all gas where the hot balance is the block's first.
      [hex(trap)]: {
        nonce: 1n,
        code: assembleHex(
          [...readHot, ...call(meddler), startBalance, 'EQ', { to: 'burn' }, 'JUMPI', 'STOP'],
          [{ label: 'burn' }, { to: 'burn' }, 'JUMP'],
        ),
      },
      [hex(caller)]: { nonce: 1n, code: assembleHex(call(trap)) },
      [hex(patient)]: {
        nonce: 1n,
        code: assembleHex([...readHot, ...call(meddler), 'POP'], spin(60_000)),
      },
    },
  })
})
beforeEach(() => {
  meddlings = 0
})

/** A block of a payment to the hot account, and of a transaction that reads its balance. */
function benchOf(to: { toString(): string }): LaneBench {
  const transactions = [
    { from: alice, to: hot, value: payment },
    { from: bob, to: to as typeof hot, gasLimit },
  ]
  const block = makeBlock(world.common, { transactions, gasLimit: 2n * gasLimit })
  const base = world.template.copy(world.common)
  return new LaneBench({ block, base, evmOptions: { customOpcodes } })
}
const [lower, upper] = [0, 1]

function runUpper(bench: LaneBench): Promise<RunTxResult> {
  return bench.run(bench.newLane(), upper)
}

describe('an execution', () => {
  it.each([
    ['at the top', trap],
    ['in a nested call', caller],
  ])('whose reads are refuted while it runs %s begins anew', async (_, to) => {
    const bench = benchOf(to)
    meddle = async () => {
      if (meddlings === 1) await bench.run(bench.newLane(), lower)
    }
    const result = await runUpper(bench)
    expect(result.execResult.exceptionError).toBeUndefined()
    expect(result.totalGasSpent).toBeLessThan(100_000n)
    expect(meddlings).toBe(2)
  })

  it('that read what is about to be written again begins anew, and waits for it', async () => {
    const bench = benchOf(patient)
    const writer = bench.newLane()
    await bench.run(writer, lower)
    bench.whileWaiting = () => bench.run(writer, lower)
    meddle = async () => {
      if (meddlings === 1) bench.abort(lower)
    }
    expect((await runUpper(bench)).execResult.exceptionError).toBeUndefined()
    expect(meddlings).toBe(2)
    expect(bench.waits).toBe(1)
  })

  it('that takes long gives way to the lower transaction at the commit head', async () => {
    const bench = benchOf(trap)
    meddle = async () => {
      if (meddlings === 1) bench.waitingHead = lower as TxIndex
    }
    bench.whileWaiting = (transaction) => {
      bench.waitingHead = NOTHING
      return bench.run(bench.newLane(), transaction)
    }
    const result = await runUpper(bench)
    expect(result.execResult.exceptionError).toBeUndefined()
    expect(meddlings).toBe(2)
    expect(bench.waits).toBe(1)
  })

  it('goes on, however long it takes, while its reads hold', async () => {
    const bench = benchOf(patient)
    await bench.run(bench.newLane(), lower)
    // Another incarnation of the writer that writes the same.
    meddle = () => bench.run(bench.newLane(), lower)
    const looks = vi.spyOn(ReadSetRecorder.prototype, 'validate')
    // Whenever somebody looks at the clock, much time has passed.
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
      now += 1_000
      return now
    })
    try {
      const result = await runUpper(bench)
      expect(result.execResult.exceptionError).toBeUndefined()
      expect(meddlings).toBe(1)
      expect(looks.mock.calls.length).toBeGreaterThan(20)
    } finally {
      clock.mockRestore()
      looks.mockRestore()
    }
  })

  it('ends when the block was halted, whatever gas is left', async () => {
    const bench = benchOf(trap)
    meddle = async () => {
      bench.memory.control[CONTROL.HALT] = HALT.ABORTED
    }
    await expect(runUpper(bench)).rejects.toThrow(HaltedError)
  })
})
