// The medians of the benchmark.
import { describe, expect, it } from 'vitest'
import { median, medianSample } from '../../../plugin/bench/statistics.ts'

describe('the median', () => {
  it('is the middle value, or the mean of the middle two', () => {
    expect(median([3])).toBe(3)
    expect(median([9, 1, 2])).toBe(2)
    expect(median([10, 1, 4, 2])).toBe(3)
  })

  it('of samples has parts that add up to its total', () => {
    const samples = [
      { total: 10, first: 9, second: 1 },
      { total: 4, first: 1, second: 3 },
      { total: 6, first: 2, second: 4 },
    ]
    expect(medianSample(samples, 'total')).toEqual({ total: 6, first: 2, second: 4 })
    expect(medianSample(samples.slice(0, 2), 'total')).toEqual({ total: 7, first: 5, second: 2 })
  })
})
