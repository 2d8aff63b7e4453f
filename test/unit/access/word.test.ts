// Arithmetic on 32-byte words, against bigints.
import { bytesToBigInt } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  addWords,
  compareBytes,
  hasBytesAt,
  leadingZeros,
  padded,
  scaleWord,
  smallNumber,
  wordOf,
  writeBigWord,
} from '../../../src/access/word.ts'
import { toWord } from './support/facts.ts'

const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 33n }),
)
const modulo = (value: bigint): bigint => BigInt.asUintN(256, value)

describe('words', () => {
  it('are added, scaled and compared as numbers modulo 2^256', () => {
    fc.assert(
      fc.property(number, number, fc.nat(65_535), (one, other, factor) => {
        const out = new Uint8Array(32)
        addWords(out, toWord(one), toWord(other))
        expect(bytesToBigInt(out)).toBe(modulo(one + other))
        scaleWord(out, toWord(one), factor)
        expect(bytesToBigInt(out)).toBe(modulo(one * BigInt(factor)))
        const order = one < other ? -1 : Number(one > other)
        expect(Math.sign(compareBytes(toWord(one), toWord(other)))).toBe(order)
      }),
    )
  })

  it('become numbers where they are below 2^32, and come from numbers', () => {
    fc.assert(
      fc.property(number, (value) => {
        expect(smallNumber(toWord(value))).toBe(value < 2n ** 32n ? Number(value) : -1)
        const out = new Uint8Array(32).fill(0xaa)
        writeBigWord(out, value)
        expect(out).toEqual(toWord(value))
        expect(padded(out.subarray(leadingZeros(out)))).toEqual(out)
        const small = value & 0xffff_ffffn
        expect(wordOf(Number(small))).toEqual(toWord(small))
      }),
    )
  })

  it('are found in other bytes', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4)
    expect(hasBytesAt(bytes, 1, Uint8Array.of(2, 3))).toBe(true)
    expect(hasBytesAt(bytes, 2, Uint8Array.of(2, 3))).toBe(false)
    expect(hasBytesAt(bytes, 3, Uint8Array.of(4, 5))).toBe(false)
  })
})
