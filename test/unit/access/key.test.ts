// Holds which keys are the same: text, numbers, and bytes by their hex.
// The authority is what a user passes; must not know how keys are stored.
import { describe, expect, it } from 'vitest'

import { type KeyInput, toKey } from '../../../src/access/key.ts'

describe('a key', () => {
  it('of bytes is their lower-case hex', () => {
    expect(toKey<string>(Uint8Array.of(0, 0xab, 255))).toBe('0x00abff')
    expect(toKey<string>(new Uint8Array())).toBe('0x')
  })

  it('of bytes is that of the part that a view shows, and not of its whole buffer', () => {
    const whole = Uint8Array.of(1, 2, 3, 4)
    expect(toKey<string>(whole.subarray(1, 3))).toBe('0x0203')
    expect(toKey<string>(Buffer.from('hi'))).toBe('0x6869')
  })

  it('that is text or a number is taken as it is', () => {
    expect(toKey<string>('0xAB')).toBe('0xAB')
    expect(toKey<number>(7)).toBe(7)
  })

  it.each([[undefined], [null], [{}], [[1, 2]], [1n], [new Uint16Array(2)]])(
    'is refused where it is %s',
    (input) => {
      expect(() => toKey<string>(input as unknown as KeyInput<string>)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    },
  )
})
