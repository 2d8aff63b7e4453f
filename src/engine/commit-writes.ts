// Commits the writes of a transaction: all of them at one time, or none because somebody was first.
// Authority on the order of locks (keys by ascending record, then the commit lock) and on conflicts.

import { ParallelError } from '../errors.ts'
import { STORE } from '../memory/engine-layout.ts'
import { lock, unlock } from '../memory/lock.ts'
import { readClock, setClock } from '../mvcc/commit-clock.ts'
import { collect, isTight } from './collector.ts'
import { atWork, isNewerThan, type StoreCore } from './store-core.ts'
import { WriteConflictError } from './write-conflict-error.ts'

/** Values by record; `undefined` deletes. */
export type Writes = ReadonlyMap<number, Uint8Array | undefined>

/**
 * Returns the time of the commit. `reads` are records that must be unchanged, too: with them all that
 * commit so are as if they had run one after the other.
 * @throws WriteConflictError if one of either was committed after `started`; ParallelError `STORE_FULL`.
 */
export function commitWrites(
  core: StoreCore,
  started: number,
  writes: Writes,
  reads: ReadonlySet<number> | undefined,
): number {
  return atWork(core, () => {
    // Sorted, so that no two commits wait for each other; prepared before, so that nothing can fail then.
    const records =
      writes.size === 1 ? [...writes.keys()] : [...writes.keys()].sort((a, b) => a - b)
    const versions = prepareAll(core, records, writes)
    let locked = 0
    try {
      for (const record of records) {
        core.chains.lock(record)
        locked++
        if (isNewerThan(core, record, started)) throw conflict(core, record, 'write')
      }
      return putInPlace(core, records, versions, started, reads)
    } catch (error) {
      for (const version of versions) core.chains.discard(version)
      throw error
    } finally {
      for (let i = 0; i < locked; i++) core.chains.unlock(records[i])
    }
  })
}

function putInPlace(
  core: StoreCore,
  records: readonly number[],
  versions: readonly number[],
  started: number,
  reads: ReadonlySet<number> | undefined,
): number {
  const { atomics, control } = core
  lock(atomics, control, STORE.COMMIT_LOCK)
  try {
    // Nobody else commits now, so what is unchanged here is unchanged at this commit's time.
    if (reads !== undefined) {
      for (const record of reads) {
        if (isNewerThan(core, record, started)) throw conflict(core, record, 'read')
      }
    }
    const time = readClock(atomics, control) + 1
    for (let i = 0; i < records.length; i++) core.chains.push(records[i], versions[i], time)
    atomics.add(control, STORE.VERSIONS, records.length)
    setClock(atomics, control, time)
    return time
  } finally {
    unlock(atomics, control, STORE.COMMIT_LOCK)
  }
}

function prepareAll(core: StoreCore, records: readonly number[], writes: Writes): number[] {
  const second = Math.floor((Date.now() - core.handle.bornAt) / 1000)
  const versions: number[] = []
  const prepare = (): void => {
    while (versions.length < records.length) {
      const value = writes.get(records[versions.length])
      if (isTight(core, value)) collect(core, true)
      versions.push(core.chains.prepare(value, second))
    }
  }
  try {
    try {
      prepare()
    } catch (error) {
      // What is given back now may do.
      if (!isFull(error)) throw error
      collect(core, false, true)
      prepare()
    }
  } catch (error) {
    for (const version of versions) core.chains.discard(version)
    throw error
  }
  return versions
}

function isFull(error: unknown): boolean {
  return error instanceof ParallelError && error.code === 'STORE_FULL'
}

function conflict(core: StoreCore, record: number, access: 'write' | 'read'): WriteConflictError {
  return new WriteConflictError(core.keys.keyOf(record), access)
}
