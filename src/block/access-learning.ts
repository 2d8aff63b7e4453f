// After a block: how good its predictions were, what its hot locations are, and what templates learn
// from it. Authority on what counts as right. Must run before the block's memory is reset.

import type { AccessKind } from '../access/access-sink.ts'
import {
  addScores,
  NO_SCORE,
  type PredictionScore,
  precisionOf,
  recallOf,
} from '../access/prediction-score.ts'
import type { WorkBudget } from '../access/work-budget.ts'
import { readPreimages } from '../execution/preimage-log.ts'
import type { LocationId } from '../ids.ts'
import { OUTCOME, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import type { BlockMemory } from './block-memory.ts'
import { type BlockPlanner, calledCodeHash, type Foresight } from './block-planner.ts'
import { LearningLimit } from './learning-limit.ts'
import { observedAccesses, placeOf, type Touched, touchedBy } from './observed-accesses.ts'
import type { AccessReport, HotLocation } from './report.ts'

const HOTTEST = 10

/**
 * Compares, learns, and reports. `executeMs` is the time that the transactions took. Only those count that
 * ran to their end as the last thing they did: all, but where a block is being built.
 */
export function learnFrom(
  memory: BlockMemory,
  planner: BlockPlanner,
  foresight: Foresight,
  executeMs: number,
): AccessReport {
  const { rows, facts } = planner.predictions
  const heat = new Map<LocationId, Heat>()
  let score = NO_SCORE
  const limit = new LearningLimit(performance.now(), executeMs)
  for (let index = 0; index < facts.length; index++) {
    const outcome = memory.control[transactionIndex(index, TRANSACTION.OUTCOME)]
    if (outcome !== OUTCOME.RESULT) continue
    const touched = touchedBy(memory, index)
    for (const [location, one] of touched) addHeat(heat, location, one)
    const predicted = new Set(rows.locations.subarray(rows.starts[index], rows.starts[index + 1]))
    const compared = compare(predicted, touched)
    score = addScores(score, compared)
    const work = limit.lesson(index, touched.size, performance.now())
    if (work !== undefined)
      learn(memory, foresight, facts[index], index, touched, isRight(compared), work)
  }
  const { right, wrong, missed } = score
  return {
    right,
    wrong,
    missed,
    precision: precisionOf(score),
    recall: recallOf(score),
    hottest: hottest(memory, heat),
  }
}

function learn(
  memory: BlockMemory,
  { library }: Foresight,
  facts: BlockPlanner['predictions']['facts'][number],
  index: number,
  touched: ReadonlyMap<LocationId, Touched>,
  isAsPredicted: boolean,
  work: WorkBudget,
): void {
  const codeHash = facts.to === undefined ? undefined : calledCodeHash(memory, facts.to)
  if (codeHash === undefined) return
  if (isAsPredicted) {
    library.confirm(facts, codeHash)
    return
  }
  const preimages = memory.control[transactionIndex(index, TRANSACTION.PREIMAGES)]
  const observation = {
    accesses: observedAccesses(memory, touched),
    hashes: readPreimages(memory.block, preimages),
  }
  library.observe(facts, codeHash, observation, work)
}

function isRight({ wrong, missed }: PredictionScore): boolean {
  return wrong === 0 && missed === 0
}

function compare(
  predicted: ReadonlySet<number>,
  touched: ReadonlyMap<LocationId, Touched>,
): PredictionScore {
  let [right, missed, missedWrites] = [0, 0, 0]
  for (const [location, { kind }] of touched) {
    if (predicted.has(location)) {
      right++
    } else {
      missed++
      if (kind !== 'read') missedWrites++
    }
  }
  return { right, sameKind: right, wrong: predicted.size - right, missed, missedWrites }
}

interface Heat {
  readonly touched: Touched
  readers: number
  writers: number
  adders: number
}

function addHeat(heat: Map<LocationId, Heat>, location: LocationId, touched: Touched): void {
  let known = heat.get(location)
  if (known === undefined) {
    known = { touched, readers: 0, writers: 0, adders: 0 }
    heat.set(location, known)
  }
  count(known, touched.kind)
}

function count(heat: Heat, kind: AccessKind): void {
  if (kind === 'read') heat.readers++
  else if (kind === 'write') heat.writers++
  else heat.adders++
}

/** Transactions that one after the other: additions alone, and reads alone, are not hot. */
function warmth({ readers, writers, adders }: Heat): number {
  const changes = writers + adders
  if (writers === 0 && readers === 0) return 0
  return changes === 0 ? 0 : readers + writers + adders
}

function hottest(memory: BlockMemory, heat: ReadonlyMap<LocationId, Heat>): HotLocation[] {
  return [...heat]
    .filter(([, one]) => warmth(one) > 1)
    .sort(([, one], [, other]) => warmth(other) - warmth(one))
    .slice(0, HOTTEST)
    .map(([location, one]) => {
      const place = placeOf(memory, one.touched.locationKind, location)
      return {
        field: place.field,
        address: toHex(place.address),
        ...(place.key === undefined ? {} : { slot: toHex(place.key) }),
        readers: one.readers,
        writers: one.writers,
        adders: one.adders,
      }
    })
}

function toHex(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
