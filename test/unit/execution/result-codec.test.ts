// Results as bytes: what a worker encodes, the main thread decodes to the same, every byte its own.
// Authority on the kinds of values that cross; equality is the oracle's.
import { EVMError } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import { Bloom, type RunTxResult } from '@ethereumjs/vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeError, decodeResult, ResultEncoder } from '../../../src/execution/result-codec.ts'
import { compareAny } from '../../support/oracle.ts'

const bytes = (max: number) => fc.uint8Array({ maxLength: max })
const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((one) => new Address(Uint8Array.from(one)))
const bloom = fc.oneof(
  fc.constant(undefined).map(() => new Bloom()),
  fc.uint8Array({ minLength: 256, maxLength: 256 }).map((one) => new Bloom(Uint8Array.from(one))),
)
const evmError = fc
  .constantFrom(...Object.values(EVMError.errorMessages))
  .map((message) => new EVMError(message))
const otherError = fc.tuple(fc.string(), fc.string()).map(([name, message]) => {
  const error = new Error(message)
  error.name = name
  // It tells where it was made, which is another place on the other side.
  delete error.stack
  return error
})
const name = fc.string().filter((one) => one !== '__proto__')

const { value } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(undefined, null, true, false, '', 0, -0, 0n),
    fc.integer(),
    fc.constantFrom(0xffff_ffff, 0x1_0000_0000, -1, Number.NaN, Number.POSITIVE_INFINITY),
    fc.double(),
    fc.bigInt(),
    fc.bigInt({ min: 0n, max: 2n ** 64n }),
    fc.constantFrom(2n ** 64n - 1n, 2n ** 64n, 2n ** 256n - 1n, -(2n ** 64n), 2n ** 1000n),
    fc.string(),
    fc.string({ unit: 'grapheme', maxLength: 50 }),
    bytes(70),
    address,
    bloom,
    evmError,
  ),
  value: fc.oneof(
    { arbitrary: tie('leaf'), weight: 6 },
    { arbitrary: fc.array(tie('value'), { maxLength: 5 }), weight: 1 },
    {
      arbitrary: fc
        .array(fc.tuple(tie('leaf'), tie('value')), { maxLength: 4 })
        .map((entries) => new Map(entries)),
      weight: 1,
    },
    {
      arbitrary: fc.array(tie('leaf'), { maxLength: 4 }).map((members) => new Set(members)),
      weight: 1,
    },
    { arbitrary: fc.dictionary(name, tie('value'), { noNullPrototype: true }), weight: 1 },
  ),
}))

const log = fc.tuple(
  fc.uint8Array({ minLength: 20, maxLength: 20 }),
  fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 }),
  bytes(200),
)
const someFields = fc.dictionary(name, value, { maxKeys: 8, noNullPrototype: true })

/** Of any shape that stock's could have, and of more: fields that nobody knows yet. */
const result: fc.Arbitrary<RunTxResult> = fc
  .record({
    rest: someFields,
    bloom,
    execution: someFields,
    logs: fc.option(fc.array(log, { maxLength: 4 }), { nil: undefined }),
    returnValue: bytes(5_000),
    exceptionError: fc.option(evmError, { nil: undefined }),
    receipt: someFields,
    gas: fc.bigInt({ min: 0n, max: 2n ** 64n }),
  })
  .map(({ rest, bloom, execution, logs, returnValue, exceptionError, receipt, gas }) => {
    const execResult = {
      ...execution,
      ...(logs === undefined ? {} : { logs }),
      returnValue,
      ...(exceptionError === undefined ? {} : { exceptionError }),
      executionGasUsed: gas,
    }
    const made = { ...rest, bloom, execResult, totalGasSpent: gas }
    const own = { ...receipt, status: 1, cumulativeBlockGasUsed: gas }
    return {
      ...made,
      receipt: { ...own, bitvector: bloom.bitvector, logs: logs ?? [] },
    } as unknown as RunTxResult
  })

function cross(encoder: ResultEncoder, one: RunTxResult): RunTxResult {
  // As it is read from shared memory: a private copy.
  return decodeResult(Uint8Array.from(encoder.encode(one)))
}

describe('a result', () => {
  it('is the same after it has crossed, whatever is in it', () => {
    const encoder = new ResultEncoder()
    fc.assert(
      fc.property(result, (one) => {
        expect(compareAny(one, cross(encoder, one), 'result')).toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps values that are larger than the buffer, wherever the buffer grows', () => {
    const base = () => ({
      bloom: new Bloom(),
      execResult: { executionGasUsed: 1n, returnValue: new Uint8Array(0) },
      receipt: { status: 1 },
    })
    for (const size of [0, 1, 4_000, 4_090, 4_095, 4_096, 4_097, 10_000, 1_000_000]) {
      const filler = new Uint8Array(size).fill(7)
      const variants: object[] = [
        { ...base(), filler, after: 2n ** 255n, text: 'after' },
        { ...base(), text: 'x'.repeat(size), after: -5.5 },
        { ...base(), text: 'é€😀'.repeat(size / 10), after: [undefined, null] },
        { ...base(), list: Array.from({ length: size / 50 }, (_, at) => BigInt(at) ** 20n) },
        { ...base(), execResult: { returnValue: filler, executionGasUsed: 3n } },
        { ...base(), filler, set: new Set(['a', 'b']), map: new Map([[filler, 1]]) },
        { ...base(), filler, bloom: new Bloom(new Uint8Array(256).fill(9)) },
      ]
      for (const variant of variants) {
        // A fresh encoder each time: its buffer is small again.
        const one = variant as unknown as RunTxResult
        const crossed = cross(new ResultEncoder(), one)
        const { receipt, ...rest } = crossed
        const { receipt: expected, ...expectedRest } = one
        expect(compareAny(expectedRest, rest, `size ${size}`)).toEqual([])
        expect(receipt).toMatchObject(expected)
      }
    }
  })

  it('shares log list and bloom with its receipt, as in stock', () => {
    const [one] = fc.sample(result, { numRuns: 1, seed: 3 })
    const withLogs = {
      ...one!,
      execResult: { ...one!.execResult, logs: [[new Uint8Array(20), [], new Uint8Array(3)]] },
    } as unknown as RunTxResult
    const crossed = cross(new ResultEncoder(), withLogs)
    expect(crossed.receipt.logs).toBe(crossed.execResult.logs)
    expect(crossed.receipt.bitvector).toBe(crossed.bloom.bitvector)
  })

  it('shares no byte with the encoder, nor with another result', () => {
    const encoder = new ResultEncoder()
    const make = (fill: number) =>
      ({
        bloom: new Bloom(new Uint8Array(256).fill(fill)),
        execResult: { executionGasUsed: 1n, returnValue: new Uint8Array(64).fill(fill) },
        createdAddress: new Address(new Uint8Array(20).fill(fill)),
        receipt: { status: 1 },
      }) as unknown as RunTxResult
    const encoded = Uint8Array.from(encoder.encode(make(1)))
    const first = decodeResult(encoded)
    encoder.encode(make(2))
    encoded.fill(255)
    first.bloom.bitvector.fill(3)
    expect(first.execResult.returnValue).toEqual(new Uint8Array(64).fill(1))
    expect(first.createdAddress?.bytes).toEqual(new Uint8Array(20).fill(1))
    const buffers = [
      first.execResult.returnValue.buffer,
      first.createdAddress!.bytes.buffer,
      first.bloom.bitvector.buffer,
    ]
    expect(new Set(buffers).size).toBe(3)
  })

  it('loses the live interpreter, and only that', () => {
    const one = {
      bloom: new Bloom(),
      execResult: { executionGasUsed: 1n, runState: { stack: () => {} }, gas: 5n },
      receipt: { status: 0 },
    } as unknown as RunTxResult
    const crossed = cross(new ResultEncoder(), one)
    expect(Object.keys(crossed.execResult)).toEqual(['executionGasUsed', 'gas'])
  })

  it('keeps the order of its fields', () => {
    const one = { zebra: 1, gas: 2n, apple: 3, bloom: new Bloom(), execResult: {}, receipt: {} }
    const crossed = cross(new ResultEncoder(), one as unknown as RunTxResult)
    expect(Object.keys(crossed).slice(0, 4)).toEqual(['zebra', 'gas', 'apple', 'bloom'])
  })

  it('that holds what cannot cross is refused loudly', () => {
    const make = (rest: object) =>
      ({ ...rest, bloom: new Bloom(), execResult: {}, receipt: {} }) as unknown as RunTxResult
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`field ${at}`, at]))
    for (const rest of [{ odd: () => {} }, { odd: Symbol('odd') }, { odd: many }]) {
      expect(() => new ResultEncoder().encode(make(rest))).toThrow('please report it')
    }
  })
})

describe('errors', () => {
  it('of the EVM keep their class and message, others their name and message', () => {
    const encoder = new ResultEncoder()
    fc.assert(
      fc.property(fc.oneof(evmError, otherError), (error) => {
        const one = { error, bloom: new Bloom(), execResult: {}, receipt: {} }
        const crossed = cross(encoder, one as unknown as RunTxResult) as unknown as typeof one
        expect(crossed.error).toBeInstanceOf(error.constructor)
        if (error instanceof EVMError) {
          expect(compareAny(error, crossed.error, 'error')).toEqual([])
        } else {
          const { name, message } = crossed.error as Error
          expect([name, message]).toEqual([error.name, error.message])
        }
      }),
    )
  })

  it('that end a transaction cross as one line', () => {
    const encoder = new ResultEncoder()
    const say = (error: unknown): string => decodeError(Uint8Array.from(encoder.encodeError(error)))
    expect(say(new RangeError('too far'))).toBe('RangeError: too far')
    expect(say('a string')).toBe('a string')
    expect(say(undefined)).toBe('undefined')
  })
})
