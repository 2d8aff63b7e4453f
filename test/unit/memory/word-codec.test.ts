// Holds the byte order of shared memory: what is written is read back, and lies where others look for it.
// Authority on round trips. Must not know more of the layout than its callers do.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  equalsUint256,
  readBytes,
  readStripped32,
  readUint64,
  readUint256,
  WORDS_256,
  wordOfBytes,
  wordsForBytes,
  writePadded32,
  writeUint64,
  writeUint256,
} from '../../../src/memory/word-codec.ts'

/** Words with something in them everywhere, so that a word not written shows. */
function usedMemory(words: number): { words: Int32Array; bytes: Uint8Array } {
  const buffer = new SharedArrayBuffer(words * 4)
  const bytes = new Uint8Array(buffer).fill(0xa5)
  return { words: new Int32Array(buffer), bytes }
}

const uint256 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  // Around the limits between the words of 32 and 64 bits.
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.bigInt({ min: -2n, max: 2n }))
    .map(([bits, off]) => {
      const value = (1n << BigInt(bits)) + off
      return value < 0n ? 0n : value
    }),
)
const position = fc.integer({ min: 0, max: 8 })

describe('a 256-bit number', () => {
  it('is read as it was written, and leaves the words around it alone', () => {
    fc.assert(
      fc.property(uint256, position, (value, at) => {
        const { words } = usedMemory(24)
        const untouched = words[23]
        writeUint256(words, at, value)
        expect(readUint256(words, at)).toBe(value)
        expect(words.slice(0, at).every((word) => word === untouched)).toBe(true)
        expect(words.slice(at + WORDS_256).every((word) => word === untouched)).toBe(true)
      }),
    )
  })

  it('equals in memory the number that it was written from and no other', () => {
    fc.assert(
      fc.property(uint256, uint256, (value, other) => {
        const { words } = usedMemory(WORDS_256)
        writeUint256(words, 0, value)
        expect(equalsUint256(words, 0, value)).toBe(true)
        expect(equalsUint256(words, 0, other)).toBe(value === other)
      }),
    )
  })

  it('does not take over limbs of the number that was written or read before', () => {
    fc.assert(
      fc.property(uint256, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (large, small) => {
        const { words } = usedMemory(2 * WORDS_256)
        writeUint256(words, 0, large)
        writeUint256(words, WORDS_256, small)
        expect(readUint256(words, 0)).toBe(large)
        expect(readUint256(words, WORDS_256)).toBe(small)
      }),
    )
  })

  it('is negative in its last word exactly from 2^255 on', () => {
    fc.assert(
      fc.property(uint256, (value) => {
        const { words } = usedMemory(WORDS_256)
        writeUint256(words, 0, value)
        expect(words[WORDS_256 - 1] < 0).toBe(value >= 1n << 255n)
      }),
    )
  })
})

describe('a 64-bit number', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), position, (value, at) => {
        const { words } = usedMemory(12)
        writeUint64(words, at, value)
        expect(readUint64(words, at)).toBe(value)
        expect(words[at + 2]).toBe(words[11])
      }),
    )
  })
})

describe('a value of at most 32 bytes', () => {
  const value = fc.uint8Array({ minLength: 0, maxLength: 32 })

  it('is read without its leading zeros', () => {
    fc.assert(
      fc.property(value, position, (written, at) => {
        const { bytes } = usedMemory(20)
        writePadded32(bytes, at, written)
        const first = written.findIndex((byte) => byte !== 0)
        const stripped = first < 0 ? new Uint8Array(0) : written.slice(first)
        expect(readStripped32(bytes, at)).toEqual(stripped)
      }),
    )
  })

  it('is the same 32 bytes with leading zeros and without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 30 }), (written) => {
        const { words, bytes } = usedMemory(2 * WORDS_256)
        writePadded32(bytes, 0, written)
        writePadded32(bytes, WORDS_256, Uint8Array.of(0, 0, ...written))
        expect(words.slice(0, WORDS_256)).toEqual(words.slice(WORDS_256))
      }),
    )
  })

  it('is a private copy once read', () => {
    const { bytes } = usedMemory(WORDS_256)
    writePadded32(bytes, 0, Uint8Array.of(1, 2, 3))
    const read = readStripped32(bytes, 0)
    bytes.fill(9)
    expect(read).toEqual(Uint8Array.of(1, 2, 3))
  })
})

describe('bytes', () => {
  it('are read as a private copy of the words that they take', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), position, (written, at) => {
        const { bytes } = usedMemory(24)
        bytes.set(written, at * 4)
        const read = readBytes(bytes, at, written.length)
        bytes.fill(9)
        expect(read).toEqual(written)
        expect(wordsForBytes(written.length)).toBe(Math.ceil(written.length / 4))
      }),
    )
  })

  it('are as words the big-endian numbers that one writes them as', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset)
        for (let word = 0; word < 5; word++) {
          expect(wordOfBytes(bytes, word)).toBe(view.getInt32(word * 4))
        }
      }),
    )
  })
})
