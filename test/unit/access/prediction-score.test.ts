// Precision and recall of predictions, in counts that can be added up.
import { describe, expect, it } from 'vitest'

import { LocationSet } from '../../../src/access/location-set.ts'
import {
  addScores,
  NO_SCORE,
  precisionOf,
  recallOf,
  scorePrediction,
} from '../../../src/access/prediction-score.ts'
import { addressOf, toWord } from './support/facts.ts'

describe('the score of a prediction', () => {
  it('counts what was right, what was wrong, and what was missed', () => {
    const [predicted, actual] = [new LocationSet(), new LocationSet()]
    const [one, other] = [addressOf(1), addressOf(2)]
    predicted.slot(one, toWord(1n), 'write')
    predicted.balance(one, 'delta')
    predicted.nonce(one, 'write')
    actual.slot(one, toWord(1n), 'write')
    actual.balance(one, 'write')
    actual.slot(one, toWord(2n), 'write')
    actual.code(other, 'read')
    const score = scorePrediction(predicted, actual)
    expect(score).toEqual({ right: 2, sameKind: 1, wrong: 1, missed: 2, missedWrites: 1 })
    expect(precisionOf(score)).toBe(2 / 3)
    expect(recallOf(score)).toBe(1 / 2)
    expect(addScores(score, score).right).toBe(4)
  })

  it('is perfect where nothing was touched and nothing predicted', () => {
    expect([precisionOf(NO_SCORE), recallOf(NO_SCORE)]).toEqual([1, 1])
  })
})
