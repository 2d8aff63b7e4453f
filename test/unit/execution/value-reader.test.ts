// Holds what a reader of values hands out, and that it does not guess.
// Must not repeat which values cross: value-writer.test.ts does.
import { Address } from '@ethereumjs/util'
import { Bloom } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { ValueReader } from '../../../src/execution/value-reader.ts'
import { ValueWriter } from '../../../src/execution/value-writer.ts'

function written(value: unknown): Uint8Array {
  const writer = new ValueWriter()
  writer.value(value)
  return Uint8Array.from(writer.written)
}

describe('a reader of values', () => {
  it("hands out bytes that are nobody else's", () => {
    const values = [new Uint8Array(9).fill(1), new Address(new Uint8Array(20).fill(1)), new Bloom()]
    const bytes = written(values)
    const [raw, address, bloom] = new ValueReader(bytes).value() as [Uint8Array, Address, Bloom]
    bytes.fill(255)
    expect(raw).toEqual(new Uint8Array(9).fill(1))
    expect(address.bytes).toEqual(new Uint8Array(20).fill(1))
    expect(bloom.bitvector).toEqual(new Uint8Array(256))
    const buffers = [bytes, raw, address.bytes, bloom.bitvector].map((one) => one.buffer)
    expect(new Set(buffers).size).toBe(4)
  })

  it('reads bytes that lie in the middle of a buffer', () => {
    const value = [1.5, 2n ** 70n, 'text', Uint8Array.of(1, 2)]
    const bytes = written(value)
    const padded = new Uint8Array(bytes.length + 7).fill(255)
    padded.set(bytes, 3)
    expect(new ValueReader(padded.subarray(3, 3 + bytes.length)).value()).toEqual(value)
  })

  it('refuses a tag that it does not know', () => {
    expect(() => new ValueReader(Uint8Array.of(200)).value()).toThrow('unknown tag 200')
  })
})
