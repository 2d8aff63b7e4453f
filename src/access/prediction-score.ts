// How a prediction compares with what happened, in counts that can be added up.
// Authority on precision and recall of predictions.
import type { LocationSet } from './location-set.ts'

export interface PredictionScore {
  /** Locations predicted and touched. */
  readonly right: number
  /** Of these, those touched as predicted: read, written or added to. */
  readonly sameKind: number
  /** Predicted, and not touched. */
  readonly wrong: number
  /** Touched, and not predicted. */
  readonly missed: number
  /** Of these, those that were written or added to: a scheduler misses an edge. */
  readonly missedWrites: number
}

export const NO_SCORE: PredictionScore = {
  right: 0,
  sameKind: 0,
  wrong: 0,
  missed: 0,
  missedWrites: 0,
}

/** Compares two sets location by location. */
export function scorePrediction(predicted: LocationSet, actual: LocationSet): PredictionScore {
  let [right, sameKind, missedWrites] = [0, 0, 0]
  for (const { field, address, key, kind } of actual) {
    const position = predicted.find(field, address, key)
    if (position === -1) {
      if (kind !== 'read') missedWrites++
      continue
    }
    right++
    if (predicted.kindAt(position) === kind) sameKind++
  }
  return {
    right,
    sameKind,
    wrong: predicted.size - right,
    missed: actual.size - right,
    missedWrites,
  }
}

export function addScores(one: PredictionScore, other: PredictionScore): PredictionScore {
  return {
    right: one.right + other.right,
    sameKind: one.sameKind + other.sameKind,
    wrong: one.wrong + other.wrong,
    missed: one.missed + other.missed,
    missedWrites: one.missedWrites + other.missedWrites,
  }
}

/** The share of what was predicted that was touched, 0..1; 1 where nothing was predicted. */
export function precisionOf({ right, wrong }: PredictionScore): number {
  return right + wrong === 0 ? 1 : right / (right + wrong)
}

/** The share of what was touched that was predicted, 0..1; 1 where nothing was touched. */
export function recallOf({ right, missed }: PredictionScore): number {
  return right + missed === 0 ? 1 : right / (right + missed)
}
