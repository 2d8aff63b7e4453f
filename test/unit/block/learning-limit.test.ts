// Which transactions are learned from: by work for the first ones, by the clock behind them.
// Authority on the limits; the time is made up.
import { describe, expect, it } from 'vitest'

import { MOST_LESSON_WORK } from '../../../src/access/work-budget.ts'
import { LearningLimit } from '../../../src/block/learning-limit.ts'

describe('learning', () => {
  it('is from the first eight transactions, however late it is', () => {
    const limit = new LearningLimit(0, 1_000)
    for (let index = 0; index < 8; index++) {
      const work = limit.lesson(index, 20, 1e9)
      expect(work).toBeDefined()
      work!.spend(MOST_LESSON_WORK / 10)
    }
    expect(limit.lesson(8, 20, 1e9)).toBeUndefined()
  })

  it('ends among the first eight where these are dear, unless there is time', () => {
    const limit = new LearningLimit(0, 1_000)
    let lessons = 0
    for (let index = 0; index < 8; index++) {
      const work = limit.lesson(index, 20, 1e9)
      if (work === undefined) continue
      lessons++
      work.spend(MOST_LESSON_WORK)
    }
    expect(lessons).toBe(2)
    expect(limit.lesson(7, 20, 1)).toBeDefined()
  })

  it('goes on for 2 % of the time that the transactions took, and for 2 ms at least', () => {
    const long = new LearningLimit(500, 1_000)
    expect(long.lesson(100, 20, 519.9)).toBeDefined()
    expect(long.lesson(100, 20, 520)).toBeUndefined()
    const short = new LearningLimit(500, 1)
    expect(short.lesson(100, 20, 501.9)).toBeDefined()
    expect(short.lesson(100, 20, 502)).toBeUndefined()
  })

  it('gives each later lesson as much work as one may take', () => {
    const limit = new LearningLimit(0, 1_000)
    limit.lesson(8, 20, 1)!.spend(2 * MOST_LESSON_WORK)
    expect(limit.lesson(9, 20, 1)!.left).toBe(MOST_LESSON_WORK)
  })

  it('is not from transactions that touch thousands of locations', () => {
    const limit = new LearningLimit(0, 1_000)
    expect(limit.lesson(0, 2_048, 0)).toBeDefined()
    expect(limit.lesson(0, 2_049, 0)).toBeUndefined()
  })
})
