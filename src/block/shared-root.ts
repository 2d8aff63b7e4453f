// Takes a flat state's root with its hashing spread over the workers.
// Authority on when that pays, and on workers that die meanwhile. What is hashed, and in which order, is the
// matter of flat-parts.ts.

import { FLAT_PARTS } from '../memory/flat-layout.ts'
import type { FlatData } from '../state/flat-data.ts'
import {
  areHashed,
  hashReadyParts,
  loseHelper,
  partsMoved,
  partsQuiet,
  stopParts,
} from '../state/flat-parts.ts'
import type { WorkerPool } from '../workers/pool.ts'
import type { HashTask } from '../workers/protocol.ts'

/**
 * Changed accounts and slots below which the calling thread hashes alone. Each takes 10 to 12 us, and two
 * workers cost it 0.45 ms of messages: that is even at 100 (measured), and at 200 worth its noise.
 */
const FEWEST_LEAVES = 200
/** Parts for which a worker is woken. */
const PARTS_PER_WORKER = 6

/** Whether so much was changed that workers hash the root. */
export function areManyChanged(flat: FlatData): boolean {
  return flat.changedLeaves() >= FEWEST_LEAVES
}

/**
 * Hashes what is stale, so that the root is there when it is asked for. The calling thread takes its share
 * if it `helps`. Who asks for the root or writes meanwhile waits for it, and helps.
 * @returns what went wrong, in a sentence, if something did: the root is right all the same
 */
export async function hashOnWorkers(
  flat: FlatData,
  pool: WorkerPool,
  helps = true,
  fewest = FEWEST_LEAVES,
): Promise<string | undefined> {
  const parts = pool.size === 0 ? undefined : flat.shareRoot(fewest)
  if (parts === undefined) {
    flat.root()
    return undefined
  }
  let isLost = false
  const lose = (helper: number): void => {
    isLost = true
    loseHelper(parts, helper)
    stopParts(parts)
  }
  const helpers = helpersFor(parts, pool)
  for (let helper = 0; helper < helpers; helper++) {
    const region = flat.region.buffer
    const task: HashTask = {
      kind: 'hash',
      region,
      parts: parts.buffer as SharedArrayBuffer,
      helper,
    }
    void pool.run(task).then(
      (report) => {
        if (report.kind !== 'hashed') lose(helper)
      },
      () => lose(helper),
    )
  }
  // Somebody who cannot wait may take the root meanwhile; what is under way then is not ours.
  const isOurs = (): boolean => flat.tries.isSharing(parts)
  while (isOurs() && !areHashed(parts) && !isLost) {
    if (helps) hashReadyParts(parts, flat.tries.hasher)
    await partsMoved(parts, helps)
  }
  // What a dead worker began is stale still; when no other hashes any more, it can be done here.
  if (isOurs() && !areHashed(parts)) await partsQuiet(parts)
  if (isOurs()) flat.root()
  return areHashed(parts)
    ? undefined
    : 'A worker ended while it hashed the state: the calling thread hashed what was left'
}

function helpersFor(parts: Int32Array, pool: WorkerPool): number {
  const count = Math.ceil(parts[FLAT_PARTS.COUNT] / PARTS_PER_WORKER)
  return Math.min(pool.size, count, FLAT_PARTS.MOST_HELPERS)
}
