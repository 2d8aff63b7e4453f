// Byte strings of any length in a shared region: a word with the length, then the bytes.
// Authority on that format and on how much of a region must be in view to read it; knows nothing of what
// the bytes mean. Publishing the offset is the caller's.

import type { RegionAllocator, SharedRegion } from './shared-region.ts'
import { readBytes, wordsForBytes } from './word-codec.ts'

/**
 * Writes `bytes` into words of their own and returns the first, which {@link readSizedBytes} takes.
 * @throws ParallelError `STORE_FULL` when the region's maximum is reached.
 */
export function writeSizedBytes(
  allocator: RegionAllocator | SharedRegion,
  bytes: Uint8Array,
): number {
  const at = allocator.allocate(1 + wordsForBytes(bytes.length))
  // What was allocated is in view already.
  const region = 'region' in allocator ? allocator.region : allocator
  region.words[at] = bytes.length
  region.bytes.set(bytes, (at + 1) * 4)
  return at
}

/** Reads what {@link writeSizedBytes} wrote at `at`, on whichever thread, as a private copy. */
export function readSizedBytes(region: SharedRegion, at: number): Uint8Array {
  const length = region.reach(at)[at]
  // The region may have grown, on another thread, between the length and the bytes.
  region.reach(at + wordsForBytes(length))
  return readBytes(region.bytes, at + 1, length)
}
