// Holds that no two values or field names are sent as the same byte.
// Must not know which bytes they are.
import { describe, expect, it } from 'vitest'
import { KEY_NUMBERS, KNOWN_KEYS, OTHER_KEY, TAG } from '../../../src/execution/value-format.ts'

describe('the format of values', () => {
  it('has a byte of its own for every kind of value', () => {
    const tags = Object.values(TAG)
    expect(new Set(tags).size).toBe(tags.length)
    expect(Math.max(...tags)).toBeLessThan(256)
  })

  it('has a byte of its own for every known field name, and one left for all others', () => {
    const numbers = KNOWN_KEYS.map((key) => KEY_NUMBERS.get(key))
    expect(numbers).toEqual(KNOWN_KEYS.map((_, index) => index))
    expect(KEY_NUMBERS.size).toBeLessThanOrEqual(OTHER_KEY)
  })
})
