// Words and bytes convert into each other as ethereumjs converts them, at every length.
// Must not know how.
import { bigIntToBytes, bytesToBigInt, setLengthLeft } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesToWord,
  readWord,
  smallWord,
  viewOf,
  wordToBytes,
  writeWord,
} from '../../../src/execution/word-bytes.ts'

const seed = Date.now() & 0x7fff_ffff
/** Of every length, and with limbs that are zero or full. */
const word = fc.oneof(
  fc
    .integer({ min: 0, max: 256 })
    .chain((bits) => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })),
  fc
    .array(fc.constantFrom(0n, 1n, 0xffff_ffffn, 1n << 32n, (1n << 64n) - 1n), {
      minLength: 4,
      maxLength: 4,
    })
    .map((limbs) => limbs.reduce((value, limb) => (value << 64n) | limb)),
)

describe('words as bytes', () => {
  it(`are ethereumjs's 32 bytes, and read as the same word (seed ${seed})`, () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 0, max: 70 }), (value, at) => {
        const expected = setLengthLeft(bigIntToBytes(value), 32)
        expect(wordToBytes(value)).toEqual(expected)
        const memory = new Uint8Array(120).fill(0xee).subarray(5)
        writeWord(viewOf(memory), at, value)
        expect(memory.slice(at, at + 32)).toEqual(expected)
        expect(memory.filter((byte) => byte === 0xee).length).toBeGreaterThanOrEqual(115 - 32)
        expect(readWord(viewOf(memory), at)).toBe(value)
      }),
      { numRuns: 3000, seed },
    )
  })

  it(`are read from any number of bytes up to 32 (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 32 }), (bytes) => {
        expect(bytesToWord(bytes)).toBe(bytesToBigInt(bytes))
      }),
      { numRuns: 3000, seed },
    )
  })

  it('are made of numbers of any size', () => {
    for (const number of [0, 1, 65535, 65536, 2 ** 40]) {
      expect(smallWord(number)).toBe(BigInt(number))
      expect(smallWord(number)).toBe(BigInt(number))
    }
  })
})
