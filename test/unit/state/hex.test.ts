// Holds the fast ways between bytes and hex to Node's own.
// Authority on nothing else.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { bytesOfHex, hexOf } from '../../../src/state/hex.ts'

describe('hex', () => {
  it('is what Node makes of bytes, and leads back to them', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const arrays = fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.constant(all))
    fc.assert(
      fc.property(arrays, fc.nat(5), (bytes, from) => {
        const part = bytes.subarray(from)
        const hex = hexOf(part)
        expect(hex).toBe(Buffer.from(part).toString('hex'))
        expect(bytesOfHex(hex)).toEqual(Uint8Array.from(part))
      }),
    )
    expect(bytesOfHex(hexOf(all.subarray(0, 32)))).toEqual(all.slice(0, 32))
  })

  it('gives bytes in arrays of their own', () => {
    expect(bytesOfHex('0102').buffer.byteLength).toBe(2)
  })
})
