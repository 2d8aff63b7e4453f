// The expression language: what each form is worth, its text, and what is refused.
// Authority on evaluation and on the canonical form; hashes are compared with noble's.

import { bytesToBigInt, concatBytes } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressIn,
  argument,
  constant,
  type Expression,
  equalExpressions,
  isConstant,
  MOST_CALLDATA,
  MOST_FORMS,
  mappingEntry,
  SENDER,
} from '../../../src/access/expression.ts'
import {
  Evaluator,
  type LoadSlot,
  ProgramBuilder,
  WORTH,
} from '../../../src/access/expression-program.ts'
import { formatExpression, parseExpression } from '../../../src/access/expression-text.ts'
import { HashMemo } from '../../../src/access/hash-memo.ts'
import type { TransactionFacts } from '../../../src/access/transaction-facts.ts'
import {
  addressOf,
  callWith,
  coinbase,
  entryOf,
  factsWith,
  hexOf,
  keccak,
  toWord,
} from './support/facts.ts'

/** The word as hex text, or why there is none. */
function worthOf(
  text: string,
  facts: Partial<TransactionFacts> = {},
  loadSlot: LoadSlot = () => undefined,
): string {
  const evaluator = new Evaluator(new HashMemo(keccak))
  evaluator.begin(factsWith(facts), loadSlot)
  const node = new ProgramBuilder().node(parseExpression(text))
  const worth = evaluator.evaluate(node)
  if (worth === WORTH.KNOWN) return `0x${bytesToBigInt(node.value).toString(16)}`
  return worth === WORTH.UNKNOWN ? 'unknown' : 'absent'
}

const expression: fc.Arbitrary<Expression> = fc.letrec<{ any: Expression }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<Expression>(
      { form: 'sender' },
      { form: 'to' },
      { form: 'coinbase' },
      { form: 'value' },
    ),
    fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((value) => constant(toWord(value))),
    fc.nat(40).map(argument),
    fc.record({
      form: fc.constant('data' as const),
      offset: fc.nat(MOST_CALLDATA - 1),
      size: fc.integer({ min: 1, max: 32 }),
    }),
    fc
      .array(fc.record({ word: tie('any'), size: fc.integer({ min: 1, max: 32 }) }), {
        minLength: 1,
        maxLength: 3,
      })
      .map((parts) => ({ form: 'keccak' as const, parts })),
    fc.record({
      form: fc.constantFrom('add' as const, 'min' as const, 'max' as const),
      left: tie('any'),
      right: tie('any'),
    }),
    fc.record({ form: fc.constant('times' as const), word: tie('any'), factor: fc.nat(65_535) }),
    fc.record({ form: fc.constant('load' as const), account: tie('any'), key: tie('any') }),
    fc
      .record({ word: tie('any'), skip: fc.nat(31), size: fc.integer({ min: 1, max: 32 }) })
      .filter(({ skip, size }) => skip + size <= 32)
      .map((piece) => ({ form: 'bytes' as const, ...piece })),
  ),
})).any

describe('the text of an expression', () => {
  it('is read back as the same expression, and has one form', () => {
    fc.assert(
      fc.property(expression, (one) => {
        const text = formatExpression(one)
        const read = parseExpression(text)
        expect(equalExpressions(read, one)).toBe(true)
        expect(formatExpression(read)).toBe(text)
      }),
    )
  })

  it('is what people would write', () => {
    const balance = mappingEntry(SENDER, constant(toWord(1n)))
    expect(formatExpression(balance)).toBe('keccak(sender, 0x1)')
    expect(formatExpression(mappingEntry(argument(0), balance))).toBe(
      'keccak(data[0], keccak(sender, 0x1))',
    )
    const packed = { form: 'load' as const, account: { form: 'to' as const }, key: argument(1) }
    expect(formatExpression(addressIn(packed))).toBe('bytes(load(to, data[1]), 12, 20)')
  })

  it.each([
    ['', 'expected an expression'],
    ['sender sender', 'expected the end'],
    ['data[2', 'expected "]"'],
    ['data[9999]', 'expected a number from 0 to 2046'],
    ['data(0, 33)', 'expected a number from 1 to 32'],
    ['bytes(sender, 20, 13)', 'expected a number from 1 to 12'],
    ['keccak()', 'expected an expression'],
    [`keccak(${'to, '.repeat(8)}to)`, 'hashes more than 256 bytes'],
    ['add(sender)', 'expected ","'],
    ['times(sender, 65536)', 'expected a number from 0 to 65535'],
    [`0x${'1'.repeat(65)}`, 'at most 32 bytes'],
    ['0x', 'expected an expression'],
    [
      `${'add(to, '.repeat(MOST_FORMS)}to${')'.repeat(MOST_FORMS)}`,
      `more than ${MOST_FORMS} forms`,
    ],
    ['load('.repeat(3000), 'nested too deeply'],
    ['x'.repeat(20_000), 'longer than 16384 characters'],
  ])('refuses %s', (text, why) => {
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_EXPRESSION',
        message: expect.stringContaining(why),
      }),
    )
  })

  it('is refused with nothing but a typed error, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'adt(),[]0x1:loksenrybuw ') }), (text) => {
        try {
          parseExpression(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_EXPRESSION' })
        }
      }),
    )
  })
})

describe('the worth of an expression', () => {
  it('is what the envelope says', () => {
    expect(worthOf('sender')).toBe(hexOf(addressOf(0xa1)))
    expect(worthOf('to')).toBe(hexOf(addressOf(0xc1)))
    expect(worthOf('coinbase')).toBe(hexOf(coinbase))
    expect(worthOf('value', { value: 2n ** 200n + 5n })).toBe(`0x${(2n ** 200n + 5n).toString(16)}`)
    expect(worthOf('0x2a')).toBe('0x2a')
  })

  it('is absent without a recipient and unknown without a sender', () => {
    expect(worthOf('to', { to: undefined })).toBe('absent')
    expect(worthOf('sender', { sender: undefined })).toBe('unknown')
    expect(worthOf('keccak(sender, 0x1)', { sender: undefined })).toBe('unknown')
  })

  it('is an argument or a piece of calldata, with zeros where it ends', () => {
    const call = callWith('f(uint256,uint256)', 7n, 2n ** 255n)
    expect(worthOf('data[0]', call)).toBe('0x7')
    expect(worthOf('data[1]', call)).toBe(`0x8${'0'.repeat(63)}`)
    expect(worthOf('data[2]', call)).toBe('absent')
    expect(worthOf('data(35, 2)', call)).toBe('0x780')
    expect(worthOf('data[0]', { data: Uint8Array.of(1, 2, 3, 4, 5) })).toBe(`0x5${'0'.repeat(62)}`)
    expect(worthOf('data(2, 4)', { data: Uint8Array.of(1, 2, 3) })).toBe('0x3000000')
  })

  it('is the hash of words, or of pieces in a row', () => {
    const nested = entryOf(entryOf(2n, hexOf(addressOf(0xa1))), 5n)
    expect(worthOf('keccak(0x5, keccak(sender, 0x2))')).toBe(hexOf(nested).replace(/^0x0+/, '0x'))
    const packed = keccak(concatBytes(Uint8Array.of(0xff), addressOf(0xa1), toWord(9n)))
    expect(worthOf('keccak(0xff:1, sender:20, 0x9)')).toBe(hexOf(packed).replace(/^0x0+/, '0x'))
  })

  it('is the sum, product, smaller or larger, modulo 2^256', () => {
    const number = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
    fc.assert(
      fc.property(number, number, fc.nat(65_535), (left, right, factor) => {
        const [a, b] = [`0x${left.toString(16)}`, `0x${right.toString(16)}`]
        const hex = (value: bigint): string => `0x${BigInt.asUintN(256, value).toString(16)}`
        expect(worthOf(`add(${a}, ${b})`)).toBe(hex(left + right))
        expect(worthOf(`times(${a}, ${factor})`)).toBe(hex(left * BigInt(factor)))
        expect(worthOf(`min(${a}, ${b})`)).toBe(hex(left < right ? left : right))
        expect(worthOf(`max(${a}, ${b})`)).toBe(hex(left < right ? right : left))
      }),
    )
  })

  it('is the value of a slot, or a piece of it', () => {
    const asked: string[] = []
    const loadSlot: LoadSlot = (address, key) => {
      asked.push(`${hexOf(address)} ${bytesToBigInt(key)}`)
      return Uint8Array.of(1, 2, 3)
    }
    expect(worthOf('load(to, 0x6)', {}, loadSlot)).toBe('0x10203')
    expect(worthOf('bytes(load(to, 0x6), 29, 2)', {}, loadSlot)).toBe('0x102')
    expect(asked).toEqual(Array(2).fill(`${hexOf(addressOf(0xc1))} 6`))
    expect(worthOf('load(to, 0x6)')).toBe('unknown')
    expect(worthOf('keccak(load(to, 0x6), 0x1)')).toBe('unknown')
  })

  it('is computed once where expressions share a part', () => {
    let loads = 0
    const evaluator = new Evaluator(new HashMemo(keccak))
    const builder = new ProgramBuilder()
    const nodes = ['keccak(load(to, 0x1), 0x2)', 'keccak(load(to, 0x1), 0x3)', 'load(to, 0x1)'].map(
      (text) => builder.node(parseExpression(text)),
    )
    for (const expected of [1, 2]) {
      evaluator.begin(factsWith(), () => Uint8Array.of(++loads))
      for (const node of nodes) expect(evaluator.evaluate(node)).toBe(WORTH.KNOWN)
      expect(loads).toBe(expected)
    }
  })

  it('never throws, whatever the calldata', () => {
    fc.assert(
      fc.property(expression, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (one, data, has) => {
        const evaluator = new Evaluator(new HashMemo(keccak))
        evaluator.begin(factsWith({ data, ...(has ? {} : { to: undefined }) }), () =>
          has ? data.subarray(0, 40) : undefined,
        )
        evaluator.evaluate(new ProgramBuilder().node(one))
      }),
    )
  })
})

describe('a constant expression', () => {
  it('is one without anything that differs from transaction to transaction', () => {
    expect(isConstant(parseExpression('keccak(0x1, 0x2)'))).toBe(true)
    expect(isConstant(parseExpression('keccak(0x1, load(0x2, 0x3))'))).toBe(false)
    expect(isConstant(parseExpression('add(data[0], 0x1)'))).toBe(false)
  })
})

describe('the memo of hashes', () => {
  it('answers what the hash answers, first and again, for every length', () => {
    const memo = new HashMemo(keccak)
    const out = new Uint8Array(32)
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 256 })), (preimages) => {
        for (const preimage of [...preimages, ...preimages]) {
          memo.scratch.set(preimage)
          memo.hash(preimage.length, out)
          expect(out).toEqual(keccak(preimage))
        }
      }),
    )
  })

  it('hashes what it has hashed once only', () => {
    let hashed = 0
    const memo = new HashMemo((bytes) => {
      hashed++
      return keccak(bytes)
    })
    for (let turn = 0; turn < 3; turn++) memo.hash(64, new Uint8Array(32))
    expect(hashed).toBe(1)
  })
})
