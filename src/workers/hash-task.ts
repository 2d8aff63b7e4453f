// A worker's part in a state root: hashes parts of a flat state's tries in shared memory.
// Authority on nothing: which parts, and when, the buffers say. Must not write anything else of the state.

import { SharedRegion } from '../memory/shared-region.ts'
import { FlatHasher } from '../state/flat-hasher.ts'
import { hashParts } from '../state/flat-parts.ts'
import { loadKeccak } from '../state/keccak.ts'
import type { HashTask } from './protocol.ts'

/** Hashes until no part is left that nobody has begun. */
export async function runHashTask({ region, parts, helper }: HashTask): Promise<void> {
  const hasher = new FlatHasher(new SharedRegion(region), await loadKeccak())
  hashParts(new Int32Array(parts), hasher, helper)
}
