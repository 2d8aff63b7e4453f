// Takes a flat state's root with its hashing spread over the workers.
// Authority on when that pays, and on workers that die meanwhile. What is hashed, and in which order, is the
// matter of flat-parts.ts.

import { FLAT_PARTS } from '../memory/flat-layout.ts'
import type { FlatData } from '../state/flat-data.ts'
import { areHashed, hashReadyParts, partsMoved, stopParts } from '../state/flat-parts.ts'
import type { WorkerPool } from '../workers/pool.ts'

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
 */
export async function hashOnWorkers(
  flat: FlatData,
  pool: WorkerPool,
  helps = true,
  fewest = FEWEST_LEAVES,
): Promise<void> {
  const parts = pool.size === 0 ? undefined : flat.shareRoot(fewest)
  if (parts === undefined) {
    flat.root()
    return
  }
  const task = {
    kind: 'hash',
    region: flat.region.buffer,
    parts: parts.buffer as SharedArrayBuffer,
  } as const
  let isLost = false
  const lose = (): void => {
    isLost = true
    stopParts(parts)
  }
  const tasks = Array.from({ length: helpersFor(parts, pool) }, () =>
    pool.run(task).then((report) => {
      if (report.kind !== 'hashed') lose()
    }, lose),
  )
  // Somebody who cannot wait may take the root meanwhile; what is under way then is not ours.
  const isOurs = (): boolean => flat.tries.isSharing(parts)
  while (isOurs() && !areHashed(parts) && !isLost) {
    if (helps) hashReadyParts(parts, flat.tries.hasher)
    await partsMoved(parts, helps)
  }
  // What a dead worker began is stale still; when no other hashes any more, it can be done here.
  if (isLost && !areHashed(parts)) await Promise.all(tasks)
  if (!isOurs()) return
  if (!areHashed(parts)) flat.tries.unshare(parts)
  flat.root()
}

function helpersFor(parts: Int32Array, pool: WorkerPool): number {
  return Math.min(pool.size, Math.ceil(parts[FLAT_PARTS.COUNT] / PARTS_PER_WORKER))
}
