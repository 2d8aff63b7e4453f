// Holds the packing of status words.
// Must not know how many bits a state takes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  incarnationOf,
  packStatus,
  STATE,
  stateOf,
} from '../../../src/scheduling/transaction-status.ts'

describe('a status word', () => {
  it('holds incarnation and state apart, for as many incarnations as a block can see', () => {
    const state = fc.constantFrom(...Object.values(STATE))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1 << 27 }), state, (incarnation, name) => {
        const status = packStatus(incarnation, name)
        expect(incarnationOf(status)).toBe(incarnation)
        expect(stateOf(status)).toBe(name)
        // It is compared with what an Int32Array holds.
        expect(Int32Array.of(status)[0]).toBe(status)
      }),
    )
  })

  it('of a transaction that nobody has touched is ready for its first execution', () => {
    expect(packStatus(0, STATE.READY)).toBe(0)
  })

  it('differs for every pair of incarnation and state', () => {
    const states = Object.values(STATE)
    const words = states.flatMap((state) => [0, 1, 2].map((i) => packStatus(i, state)))
    expect(new Set(words).size).toBe(words.length)
  })
})
