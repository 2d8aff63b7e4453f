// Plain transfers are done without stock only after stock has done one and come to the same.
// Authority on when that is so. What a transfer comes to is direct-transfer.test.ts's.
import { describe, expect, it } from 'vitest'
import { TransferTrust } from '../../../src/execution/transfer-trust.ts'

describe('trust in plain transfers', () => {
  it('is not there to begin with, and comes with one that came out alike', () => {
    const trust = new TransferTrust()
    expect(trust.of(2)).toBe('unproven')
    trust.compare(2, 'as stock', 'as stock')
    expect(trust.of(2)).toBe('trusted')
  })

  it('is for each type of transaction by itself', () => {
    const trust = new TransferTrust()
    trust.compare(0, 'same', 'same')
    expect([0, 1, 2].map((type) => trust.of(type))).toEqual(['trusted', 'unproven', 'unproven'])
  })

  it('is given up after 64 that came out otherwise, and never before', () => {
    const trust = new TransferTrust()
    for (let i = 0; i < 64; i++) {
      expect(trust.of(1)).toBe('unproven')
      trust.compare(1, 'this', 'that')
    }
    expect(trust.of(1)).toBe('refuted')
    expect(trust.of(2)).toBe('unproven')
  })
})
