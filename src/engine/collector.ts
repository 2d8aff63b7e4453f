// Removes versions that nobody can read any more, and counts what it does.
// Authority on when a collection may begin; which versions may go is the version chains' to say.

import type { AtomicOperations } from '../memory/atomics.ts'
import { STORE } from '../memory/engine-layout.ts'
import { lock, tryLock, unlock } from '../memory/lock.ts'
import { addLong, readLong } from '../mvcc/commit-clock.ts'
import type { Retention } from '../mvcc/version-chains.ts'
import type { StoreCore } from './store-core.ts'

/** What the collections of a store did since it was made, in all threads. */
export interface GcStats {
  /** Collections, and how many of them were automatic. */
  readonly collections: number
  readonly automatic: number
  /** Versions that went, and keys with more than one version that were looked at. */
  readonly versionsRemoved: number
  readonly keysVisited: number
  /** Milliseconds that the last collection took. */
  readonly lastMs: number
  /** Milliseconds that all of them took. */
  readonly collectingMs: number
  /** Versions that are in the store now. */
  readonly versions: number
  /** Bytes of shared memory ever used, and how many of them are free to be used again. */
  readonly bytesUsed: number
  readonly bytesFree: number
}

/**
 * Collects, unless another thread does so just now; `waits`: after that one then. Only keys with more than
 * one version are looked at. The caller's thread must not be ended meanwhile. Returns how many versions went.
 */
export function collect(core: StoreCore, isAutomatic: boolean, waits = false): number {
  const { atomics, control, chains, active } = core
  if (waits) lock(atomics, control, STORE.GC_LOCK)
  else if (!tryLock(atomics, control, STORE.GC_LOCK)) return 0
  const start = performance.now()
  try {
    const retention = retentionOf(core)
    let removed = 0
    let visited = 0
    for (let record = chains.takeCrowded(); record !== 0; ) {
      // Looked up again and again, because who is open now may not be so for long.
      const watermark = active.watermark()
      for (let i = 0; i < RECORDS_PER_WATERMARK && record !== 0; i++) {
        const trimmed = chains.trim(record, watermark, retention)
        removed += trimmed.removed
        visited++
        record = trimmed.next
      }
    }
    const left = atomics.sub(control, STORE.VERSIONS, removed) - removed
    atomics.store(control, STORE.VERSIONS_KEPT, left)
    atomics.add(control, STORE.COLLECTIONS, 1)
    if (isAutomatic) atomics.add(control, STORE.AUTOMATIC_COLLECTIONS, 1)
    addLong(control, STORE.REMOVED, removed)
    addLong(control, STORE.VISITED, visited)
    const microseconds = Math.min(2 ** 31 - 1, Math.round((performance.now() - start) * 1000))
    addLong(control, STORE.COLLECTING_MICROSECONDS, microseconds)
    atomics.store(control, STORE.LAST_COLLECTION_MICROSECONDS, microseconds)
    return removed
  } finally {
    unlock(atomics, control, STORE.GC_LOCK)
  }
}

const RECORDS_PER_WATERMARK = 256

/** Whether so many versions have come since the last collection that whoever commits should collect. */
export function isDue({ atomics, control }: StoreCore): boolean {
  const threshold = atomics.load(control, STORE.THRESHOLD)
  return threshold !== 0 && versionsSince(atomics, control) >= threshold
}

/**
 * Whether to collect before memory for `value` is taken, also without automatic collection: what is freed
 * serves values of about the same size only, so the last part of the memory is left to keys and to others.
 * Where most versions must stay, collecting costs a bounded part of what committing does.
 */
export function isTight(core: StoreCore, value: Uint8Array | undefined): boolean {
  const { atomics, control, blocks, chains } = core
  if (!blocks.isTight || chains.hasRoomFor(value)) return false
  const kept = atomics.load(control, STORE.VERSIONS_KEPT)
  return versionsSince(atomics, control) >= kept * PART_SINCE
}

const PART_SINCE = 0.25

function versionsSince(atomics: AtomicOperations, control: Int32Array): number {
  return atomics.load(control, STORE.VERSIONS) - atomics.load(control, STORE.VERSIONS_KEPT)
}

export function statsOf({ atomics, control, blocks }: StoreCore): GcStats {
  return {
    collections: atomics.load(control, STORE.COLLECTIONS),
    automatic: atomics.load(control, STORE.AUTOMATIC_COLLECTIONS),
    versionsRemoved: readLong(control, STORE.REMOVED),
    keysVisited: readLong(control, STORE.VISITED),
    lastMs: atomics.load(control, STORE.LAST_COLLECTION_MICROSECONDS) / 1000,
    collectingMs: readLong(control, STORE.COLLECTING_MICROSECONDS) / 1000,
    versions: atomics.load(control, STORE.VERSIONS),
    bytesUsed: Math.min(blocks.region.used() * 4, blocks.region.buffer.maxByteLength),
    bytesFree: blocks.freeWords() * 4,
  }
}

function retentionOf({ control, handle }: StoreCore): Retention {
  const life = control[STORE.LIFE]
  const now = Math.floor((Date.now() - handle.bornAt) / 1000)
  return {
    mostVersions: control[STORE.MOST_VERSIONS],
    oldestSecond: life === 0 ? Number.NEGATIVE_INFINITY : now - life,
  }
}
