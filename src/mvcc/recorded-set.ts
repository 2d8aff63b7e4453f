// How a set that was recorded in private memory gets into the block region, where others find it.
// Authority on the room that it takes there: its length, then its entries. What these are is the
// recorder's matter; publishing the offset is the caller's.

import type { RegionAllocator } from '../memory/shared-region.ts'

/** A {@link ReadSetRecorder} or a {@link WriteSetRecorder}. */
export interface Recorder {
  readonly words: number
  copyTo(target: Int32Array, at: number): void
}

/**
 * Copies what was recorded into words of its own and returns the first.
 * @throws ParallelError `STORE_FULL` when the region's maximum is reached.
 */
export function copyRecorded(recorder: Recorder, allocator: RegionAllocator): number {
  const at = allocator.allocate(recorder.words + 1)
  recorder.copyTo(allocator.region.words, at)
  return at
}
