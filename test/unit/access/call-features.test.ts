// The yes-or-no properties of calls that branches may depend on.
// Authority on what each bit means: masks of them are persisted.
import { describe, expect, it } from 'vitest'

import { FLAG_FEATURES, featuresOf } from '../../../src/access/call-features.ts'
import { callWith, factsWith } from './support/facts.ts'

const features = (value: bigint, ...words: bigint[]): number =>
  featuresOf(factsWith({ value, ...callWith('f()', ...words) }))

/** Bits that differ between two calls. */
const difference = (one: number, other: number): number[] =>
  Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ((one ^ other) >>> bit) & 1)

describe('features of a call', () => {
  it('say which arguments are zero, and whether value is sent', () => {
    const base = features(0n, 5n, 4n, 3n)
    expect(difference(base, features(0n, 5n, 4n, 0n))).toEqual([2])
    expect(difference(base, features(1n, 5n, 4n, 3n))).toEqual([12])
  })

  it('say which of two neighbours is the smaller', () => {
    expect(difference(features(0n, 5n, 4n), features(0n, 4n, 5n))).toEqual([13])
  })

  it('say how many words the calldata has, modulo eight', () => {
    const lengths = difference(features(0n), features(0n, 0n))
    expect(lengths).toEqual([19, 20])
    expect(features(0n, ...Array<bigint>(8).fill(0n))).toBe(features(0n))
  })

  it('are flags, but for order and length', () => {
    expect(features(1n, ...Array<bigint>(12).fill(7n)) & FLAG_FEATURES).toBe(FLAG_FEATURES)
    expect(features(0n, 0n, 0n) & FLAG_FEATURES).toBe(0)
  })

  it('are there for calldata of any length', () => {
    for (const length of [0, 1, 3, 4, 35, 36, 37, 68, 1 << 20]) {
      expect(Number.isInteger(featuresOf(factsWith({ data: new Uint8Array(length) })))).toBe(true)
    }
  })
})
