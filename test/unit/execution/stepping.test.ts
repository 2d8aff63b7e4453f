// Random bytecode with stock's stepping and with ours: everything that comes of it is the same. And that
// ours is really used, except where it must not be.
import { EVMError } from '@ethereumjs/evm'
import { hexToBytes } from '@ethereumjs/util'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { KNOWN_FINGERPRINT, patchStepping } from '../../../src/execution/stepping.ts'
import { findStockInterpreter, fingerprint } from '../../../src/execution/stock-interpreter.ts'
import { assemble } from '../../support/assembler.ts'
import { bytecode, storageCode } from '../../support/random-bytecode.ts'
import { type DuelCase, StepDuel } from '../../support/step-duel.ts'

const runs = Number(process.env.STEP_DUELS ?? 400)
const seed = Number(process.env.STEP_SEED ?? Date.now() & 0x7fff_ffff)
const hardforks = [
  ...['chainstart', 'homestead', 'tangerineWhistle', 'spuriousDragon', 'byzantium'],
  ...['constantinople', 'istanbul', 'berlin', 'london', 'paris', 'shanghai', 'cancun', 'prague'],
]

let duel: StepDuel
beforeAll(async () => {
  duel = await StepDuel.create()
})

describe('random bytecode', () => {
  it(`ends with ours as with stock's (seed ${seed})`, { timeout: 600_000 }, async () => {
    const seen = { ended: 0, failed: new Set<unknown>(), stockSteps: 0, ourSteps: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...hardforks),
        fc.array(bytecode, { minLength: 1, maxLength: 4 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(30_000, 200_000)),
        fc.boolean(),
        fc.integer({ min: 0, max: 9 }),
        async (hardfork, codes, data, gas, isOnOverlay, roll) => {
          const isStatic = roll === 0
          const gasLimit = BigInt(gas)
          const one: DuelCase = { hardfork, codes, data, gasLimit, isStatic, isOnOverlay }
          const stock = await duel.run(one, false)
          seen.stockSteps += duel.stockSteps
          const ours = await duel.run(one, true)
          seen.ourSteps += duel.stockSteps
          expect(ours).toEqual(stock)
          const { exceptionError } = stock as { exceptionError?: string }
          if (exceptionError === undefined) seen.ended++
          else seen.failed.add(exceptionError.slice(0, 12))
        },
      ),
      { numRuns: runs, seed },
    )
    // The programs must be worth running, and ours must have run them.
    expect(seen.ended).toBeGreaterThan(runs / 20)
    expect(seen.failed.size).toBeGreaterThan(4)
    expect(seen.ourSteps).toBeLessThan(seen.stockSteps / 4)
  })

  it('runs out of gas at each place as with stock', { timeout: 600_000 }, async () => {
    const code = assemble(
      [1, 2, 'ADD', 0, 'MSTORE', 64, 0, 'KECCAK256', 5, 'SSTORE', 5, 'SLOAD', 40, 'MSTORE8'],
      [3, 10, 'EXP', 32, 0, 100, 'CODECOPY', 9, 8, 7, 64, 3, 'LOG3'],
      [0, 0, 50, 10, 1, 0, 600, 'CALL', 'GAS', 'MSIZE', 100, 'MSTORE', 300, 20, 'RETURN'],
    )
    const used = await gasUsed({ hardfork: 'shanghai', codes: [code], gasLimit: 100_000n })
    expect(used).toBeGreaterThan(20_000)
    for (let gas = 0; gas <= used; gas += gas < 400 || used - gas < 3000 ? 11 : 997) {
      const one = { hardfork: 'shanghai', codes: [code], gasLimit: BigInt(gas) }
      const { stock, ours } = await duel.both(one)
      expect(ours).toEqual(stock)
    }
  })

  it(`reads and writes slots for stock's gas and refunds (seed ${seed})`, async () => {
    const { asyncProperty, constantFrom, integer } = fc
    await fc.assert(
      asyncProperty(
        constantFrom(...hardforks.slice(hardforks.indexOf('constantinople'))),
        storageCode,
        fc.oneof({ weight: 3, arbitrary: fc.constant(300_000) }, integer({ min: 0, max: 60_000 })),
        async (hardfork, code, gas) => {
          const one = { hardfork, codes: [code], gasLimit: BigInt(gas), isOnOverlay: true }
          const { stock, ours } = await duel.both(one)
          expect(ours).toEqual(stock)
        },
      ),
      { numRuns: runs, seed },
    )
  })

  it('stores nothing where no more gas is left than the sentry of EIP-2200 wants', async () => {
    // 2,111 for what comes before, and 7 is what the slot holds: storing it costs little.
    const codes = [assemble(0, 'SLOAD', 'POP', 7, 0, 'SSTORE')]
    const ends: unknown[] = []
    for (const left of [2299n, 2300n, 2301n]) {
      const one = { hardfork: 'berlin', codes, gasLimit: 2111n + left, isOnOverlay: true }
      const { stock, ours } = await duel.both(one)
      expect(ours).toEqual(stock)
      ends.push((ours as { exceptionError?: string }).exceptionError)
    }
    expect(ends).toEqual(['out of gas', 'out of gas', undefined])
  })

  async function gasUsed(one: DuelCase): Promise<number> {
    const { executionGasUsed } = (await duel.run(one, false)) as { executionGasUsed: bigint }
    return Number(executionGasUsed)
  }
})

describe('single frames', () => {
  it.each([
    ['a jump into a push', '0x6003566000' + '5b'],
    ['a jump past the end', '0x60ff56'],
    ['a jump to nowhere', `0x7f${'ff'.repeat(32)}56`],
    ['a push past the end', '0x7f0102'],
    ['a short push past the end', '0x61ff'],
    ['a full stack', `0x5b${'58'.repeat(3)}600056`],
    ['memory that nobody can pay', `0x60007f${'ff'.repeat(32)}52`],
    ['memory at the border of what is near', '0x6000637fffffff52'],
    ['a return from far memory of no length', `0x60007f${'ff'.repeat(32)}f3`],
    ['return data that is not there', '0x60016000600a3e'],
    ['an opcode that is none', '0x0c'],
    ['a designated invalid opcode', '0x600160fe01fe'],
    ['a container of another format', '0xef0001'],
    ['a seven-byte push', `0x66${'f3'.repeat(7)}60005260206000f3`],
  ])('%s ends as with stock', async (_, hex) => {
    for (const hardfork of ['byzantium', 'london', 'cancun']) {
      const codes = [hexToBytes(hex as `0x${string}`)]
      const { stock, ours } = await duel.both({ hardfork, codes, gasLimit: 30_000n })
      expect(ours).toEqual(stock)
    }
  })
})

describe('where stock steps', () => {
  const code = assemble(1, 2, 'ADD', 'POP', 'STOP')
  const plain: DuelCase = { hardfork: 'cancun', codes: [code], gasLimit: 30_000n }

  it('nothing of it by stock without a reason', async () => {
    await duel.run(plain, true)
    expect(duel.stockSteps).toBe(0)
  })

  it('a store whose slot was not read before, on a worker, and none after that', async () => {
    const codes = [assemble(8, 0, 'SSTORE', 9, 0, 'SSTORE', 0, 'SLOAD', 1, 'SLOAD', 1, 'SSTORE')]
    const one = { ...plain, codes, isOnOverlay: true, gasLimit: 100_000n }
    const stock = await duel.run(one, false)
    expect(await duel.run(one, true)).toEqual(stock)
    expect(duel.stockSteps).toBe(1)
  })

  it('all with opcodes of the user', async () => {
    const evmOptions = {
      customOpcodes: [
        {
          opcode: 0x0c,
          opcodeName: 'MINE',
          baseFee: 3,
          logicFunction: async (state: { stack: { push(word: bigint): void } }) => {
            await Promise.resolve()
            state.stack.push(77n)
          },
        },
      ],
    } as unknown as DuelCase['evmOptions']
    const codes = [Uint8Array.of(0x0c, 0x60, 0, 0x55)]
    const one: DuelCase = { ...plain, codes, evmOptions }
    const stock = await duel.run(one, false)
    expect(await duel.run(one, true)).toEqual(stock)
    expect(duel.stockSteps).toBe(3)
  })

  it('all with more gas than numbers count exactly', async () => {
    const one = { ...plain, gasLimit: 1n << 60n }
    const { stock, ours } = await duel.both(one)
    expect(ours).toEqual(stock)
    expect(duel.stockSteps).toBe(5)
  })

  it('all with the profiler', async () => {
    await duel.run({ ...plain, evmOptions: { profiler: { enabled: true } } }, true)
    expect(duel.stockSteps).toBe(5)
  })

  it('the rest of a frame once somebody listens to its steps', async () => {
    const heard: number[] = []
    const evmOptions = {
      customPrecompiles: [
        {
          address: '0x00000000000000000000000000000000000000aa',
          function: ({ _EVM }: { _EVM: { events: { on(...args: unknown[]): void } } }) => {
            _EVM.events.on('step', ({ pc }: { pc: number }) => heard.push(pc))
            return { executionGasUsed: 0n, returnValue: new Uint8Array(0) }
          },
        },
      ],
    } as unknown as DuelCase['evmOptions']
    const calling = assemble(
      0,
      0,
      0,
      0,
      0,
      0xaa,
      500,
      'CALL',
      { to: 'on' },
      'JUMP',
      'INVALID',
      {
        label: 'on',
      },
      1,
      'POP',
    )
    const one = { ...plain, codes: [calling], evmOptions }
    const stock = await duel.run(one, false)
    const heardByStock = heard.splice(0)
    expect(await duel.run(one, true)).toEqual(stock)
    expect(heard).toEqual(heardByStock)
    expect(heard.length).toBeGreaterThan(3)
  })

  it('throws on what is no error of the EVM, with the gas where it was', async () => {
    const evmOptions = {
      blockchain: {
        getBlock: () => Promise.reject(new TypeError('no such block')),
      },
    } as unknown as DuelCase['evmOptions']
    const one = { ...plain, codes: [assemble(1, 'NUMBER', 'SUB', 'BLOCKHASH')], evmOptions }
    const { stock, ours } = await duel.both(one)
    expect(ours).toEqual(stock)
  })
})

describe('the interpreter that is known', () => {
  it('is the installed one', async () => {
    expect(fingerprint(await findStockInterpreter())).toBe(KNOWN_FINGERPRINT)
  })

  it('is another one when any handler differs, and is then left alone', async () => {
    const stock = await findStockInterpreter()
    const tables = stock.tables.map((table) => new Map([...table, [0x01, () => EVMError]]))
    const { run } = stock.prototype
    expect(patchStepping({ ...stock, tables })).toBe(false)
    expect(stock.prototype.run).toBe(run)
  })
})
