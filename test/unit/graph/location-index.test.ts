// Holds the numbering of locations: dense, in the order in which they are met, and by full comparison.
// Must not know of hashes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { LocationIndex } from '../../../src/graph/location-index.ts'

const locations = fc.array(
  fc.oneof(fc.integer(), fc.nat(20), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31))),
  { maxLength: 200 },
)

describe('a location index', () => {
  it('numbers like a map does, when it is as full as it may be', () => {
    fc.assert(
      fc.property(locations, (met) => {
        const index = new LocationIndex(new Set(met).size)
        const numbers = new Map<number, number>()
        for (const location of met) {
          if (!numbers.has(location)) numbers.set(location, numbers.size)
          expect(index.numberOf(location)).toBe(numbers.get(location))
        }
      }),
    )
  })
})
