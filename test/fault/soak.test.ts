// A short soak for every run of the tests; run-soak.ts does the thousand blocks.
// It must not be the place to look for leaks: a hundred blocks only show large ones.
import { expect, it } from 'vitest'
import { isFlat, soak } from './soak.ts'

it('a hundred consecutive blocks are right, and resident memory stays flat', async () => {
  const report = await soak(100, () => {})
  expect(report.differences).toEqual([])
  expect(isFlat(report), JSON.stringify(report)).toBe(true)
})
