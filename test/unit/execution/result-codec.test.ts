// Results as bytes: what a worker encodes, the main thread decodes to the same, every byte its own.
// Authority on what of a result crosses; which values do is value-writer.test.ts's matter, equality the
// oracle's.
import { EVMError } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import { Bloom, type RunTxResult } from '@ethereumjs/vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeError, decodeResult, ResultEncoder } from '../../../src/execution/result-codec.ts'
import { compareAny } from '../../support/oracle.ts'
import { bloom, bytes, evmError, fieldName, otherError, value } from './support/crossing-values.ts'

const log = fc.tuple(
  fc.uint8Array({ minLength: 20, maxLength: 20 }),
  fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 }),
  bytes(200),
)
const someFields = fc.dictionary(fieldName, value, { maxKeys: 8, noNullPrototype: true })

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
