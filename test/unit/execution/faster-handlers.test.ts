// Our handlers and arithmetic against stock's handlers, opcode by opcode, on random stacks.
// Must not go through the step loop: whole programs are stepping.test.ts's matter.
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createEVM, EVMError, getOpcodesForHF } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { FASTER_HANDLERS, type Handler } from '../../../src/execution/faster-handlers.ts'
import {
  findStockInterpreter,
  type RunStateLike,
} from '../../../src/execution/stock-interpreter.ts'
import { COMBINING, combine } from '../../../src/execution/word-arithmetic.ts'

const seed = Date.now() & 0x7fff_ffff
const common = createCustomCommon({ chainId: 1 }, Mainnet, { hardfork: 'cancun' })

let stockHandlers: Map<number, Handler>
let prototypes: { interpreter: object; stack: object; memory: object }
beforeAll(async () => {
  await createEVM({ common })
  stockHandlers = getOpcodesForHF(common).handlers as unknown as Map<number, Handler>
  const { prototype, stack, memory } = await findStockInterpreter()
  prototypes = { interpreter: prototype, stack, memory }
})

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc.nat(256).map((bits) => ((1n << BigInt(bits)) - 1n) % (1n << 256n)),
  fc.nat(255).map((bits) => 1n << BigInt(bits)),
  fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
)

describe('arithmetic', () => {
  it.each([...COMBINING])('of opcode %i gives the word that stock gives', (opcode) => {
    fc.assert(
      fc.property(word, word, (top, below) => {
        const state = frame([below, top], {})
        stockHandlers.get(opcode)!(state, common)
        expect(combine(opcode, top, below)).toBe(state.stack._store[0])
      }),
      { numRuns: 200, seed },
    )
  })
})

describe('handlers', () => {
  it.each([...FASTER_HANDLERS.keys()])('of opcode %i do what stock does', (opcode) => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 7 }),
        fc.uint8Array({ maxLength: 80 }),
        fc.boolean(),
        (words, data, isFull) => {
          // Far memory is what gas keeps from handlers.
          const near = opcode === 0x35 ? words : words.map((one) => one % 500n)
          const stack = isFull ? [...Array<bigint>(1024 - near.length).fill(3n), ...near] : near
          const stock = frame(stack, { opCode: opcode, data })
          const ours = frame(stack, { opCode: opcode, data })
          const stockError = thrownBy(() => stockHandlers.get(opcode)!(stock, common))
          expect(thrownBy(() => FASTER_HANDLERS.get(opcode)!(ours, common))).toBe(stockError)
          expect(seen(ours)).toEqual(seen(stock))
        },
      ),
      { numRuns: 150, seed },
    )
  })
})

function frame(
  words: readonly bigint[],
  { opCode = 0, data = new Uint8Array(0) }: { opCode?: number; data?: Uint8Array },
): RunStateLike {
  const env = {
    address: new Address(new Uint8Array(20).fill(0xad)),
    caller: new Address(Uint8Array.from({ length: 20 }, (_, i) => (i < 4 ? 0 : i))),
    callValue: 7n,
    callData: data,
    code: data,
    isStatic: false,
  }
  const memory = { _store: Uint8Array.from({ length: 8192 }, (_, i) => i & 0xff) }
  const runState = {
    opCode,
    env,
    stack: Object.assign(Object.create(prototypes.stack) as object, {
      _store: [...words],
      _len: words.length,
      _maxHeight: 1024,
    }),
    memory: Object.assign(Object.create(prototypes.memory) as object, memory),
    returnBytes: data,
  }
  const interpreter = Object.assign(Object.create(prototypes.interpreter) as object, {
    _env: env,
    _runState: runState,
    _result: { logs: [] },
  })
  return Object.assign(runState, { interpreter }) as unknown as RunStateLike
}

function seen({ stack, memory, interpreter }: RunStateLike): unknown {
  const { logs } = interpreter._result as unknown as { logs: unknown[] }
  return { words: stack._store.slice(0, stack._len), memory: memory._store, logs }
}

function thrownBy(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(EVMError)
    return (error as EVMError).error
  }
  return undefined
}
