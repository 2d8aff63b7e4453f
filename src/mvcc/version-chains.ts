// The versions of keys by the time of their commit: find one, put some into place, cut off old ones.
// Authority on what a reader at a time sees, and on which versions may go. Knows no transactions.
//
// A chain is sorted, newest first. Only the holder of the record's lock changes it, at its head and by
// cutting its end off; readers need no lock. No reader goes beyond the newest version that is not above
// the watermark, so what is cut behind it can be used again at once.

import type { AtomicOperations } from '../memory/atomics.ts'
import { DELETED, RECORD, STORE, TIME_UNIT, VERSION } from '../memory/engine-layout.ts'
import type { FreeLists } from '../memory/free-lists.ts'
import { lock, unlock } from '../memory/lock.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { readBytes, wordsForBytes } from '../memory/word-codec.ts'
import { highOf, lowOf } from './commit-clock.ts'

/** What may go although nothing newer is hidden by it. */
export interface Retention {
  /** Versions of a key that stay at most, if nobody can read the others. */
  readonly mostVersions: number
  /** Versions written before this second go, if nobody can read them; -Infinity: none by age. */
  readonly oldestSecond: number
}

export class VersionChains {
  readonly #atomics: AtomicOperations
  readonly #control: Int32Array
  readonly #region: SharedRegion
  readonly #blocks: FreeLists

  constructor(atomics: AtomicOperations, control: Int32Array, blocks: FreeLists) {
    this.#atomics = atomics
    this.#control = control
    this.#region = blocks.region
    this.#blocks = blocks
  }

  lock(record: number): void {
    lock(this.#atomics, this.#region.reach(record + RECORD.KEY), record + RECORD.LOCK)
  }

  unlock(record: number): void {
    unlock(this.#atomics, this.#region.reach(record + RECORD.KEY), record + RECORD.LOCK)
  }

  /** Time of the newest version; 0 if there is none. */
  newestTime(record: number): number {
    const head = this.#head(record)
    return head === 0 ? 0 : this.#timeOf(head)
  }

  /** The value that a reader at `time` sees, as a private copy; `undefined`: none. */
  read(record: number, time: number): Uint8Array | undefined {
    let version = this.#head(record)
    while (version !== 0 && this.#timeOf(version) > time) {
      version = this.#atomics.load(this.#region.words, version + VERSION.NEXT)
    }
    if (version === 0) return undefined
    const length = this.#region.words[version + VERSION.LENGTH]
    if (length === DELETED) return undefined
    this.#region.reach(version + VERSION.BYTES + wordsForBytes(length))
    return readBytes(this.#region.bytes, version + VERSION.BYTES, length)
  }

  /** Writes a version that nobody can see yet; `undefined`: the key is deleted. */
  prepare(value: Uint8Array | undefined, second: number): number {
    const length = value === undefined ? DELETED : value.length
    const version = this.#blocks.take(wordsOf(length))
    const words = this.#region.reach(version + wordsOf(length))
    words[version + VERSION.LENGTH] = length
    words[version + VERSION.WRITTEN_AT] = second
    if (value !== undefined) this.#region.bytes.set(value, (version + VERSION.BYTES) * 4)
    return version
  }

  /** Whether {@link prepare} needs no fresh memory. */
  hasRoomFor(value: Uint8Array | undefined): boolean {
    return this.#blocks.hasFree(wordsOf(value === undefined ? DELETED : value.length))
  }

  /** Gives up what {@link prepare} returned. */
  discard(version: number): void {
    const length = this.#region.reach(version + VERSION.BYTES)[version + VERSION.LENGTH]
    this.#blocks.give(version, wordsOf(length))
  }

  /**
   * Puts a prepared version at the head. The record's lock and the commit lock must be held. Nobody sees
   * it before the clock says `time`.
   */
  push(record: number, version: number, time: number): void {
    const atomics = this.#atomics
    const words = this.#region.reach(Math.max(record + RECORD.KEY, version + VERSION.BYTES))
    words[version + VERSION.TIME_HIGH] = highOf(time)
    words[version + VERSION.TIME] = lowOf(time)
    atomics.store(words, version + VERSION.NEXT, words[record + RECORD.HEAD])
    atomics.store(words, record + RECORD.HEAD, version)
    const count = ++words[record + RECORD.COUNT]
    if (count === 1) atomics.add(this.#control, STORE.KEYS, 1)
    if (count > 1 && words[record + RECORD.IS_CROWDED] === 0) this.#listCrowded(record)
  }

  /** Takes the list of records that have more than one version. */
  takeCrowded(): number {
    const atomics = this.#atomics
    for (;;) {
      const first = atomics.load(this.#control, STORE.CROWDED)
      if (atomics.compareExchange(this.#control, STORE.CROWDED, first, 0) === first) return first
    }
  }

  /**
   * Removes the versions of a record from the list of {@link takeCrowded} that may go, and puts it into
   * the next list if it still has more than one. `removed` is how many went.
   */
  trim(record: number, watermark: number, retention: Retention): { removed: number; next: number } {
    this.lock(record)
    const words = this.#region.reach(record + RECORD.KEY)
    const next = words[record + RECORD.NEXT_CROWDED]
    const last = this.#lastThatStays(words[record + RECORD.HEAD], watermark, retention)
    let gone = this.#region.words[last + VERSION.NEXT]
    if (gone !== 0) this.#atomics.store(this.#region.words, last + VERSION.NEXT, 0)
    let removed = 0
    while (gone !== 0) {
      const old = this.#region.reach(gone + VERSION.BYTES)
      const older = old[gone + VERSION.NEXT]
      this.#blocks.give(gone, wordsOf(old[gone + VERSION.LENGTH]))
      removed++
      gone = older
    }
    const left = this.#region.words[record + RECORD.COUNT] - removed
    this.#region.words[record + RECORD.COUNT] = left
    if (left > 1) this.#listCrowded(record)
    else this.#region.words[record + RECORD.IS_CROWDED] = 0
    this.unlock(record)
    return { removed, next }
  }

  /** The rules, in order: the newest; what somebody may read; then number and age. */
  #lastThatStays(newest: number, watermark: number, retention: Retention): number {
    let last = newest
    let count = 1
    // Down to the newest version that is not above the watermark: whoever is active reads no older one.
    while (this.#timeOf(last) > watermark) {
      const older = this.#region.words[last + VERSION.NEXT]
      if (older === 0) return last
      last = older
      count++
    }
    for (;;) {
      const older = this.#region.words[last + VERSION.NEXT]
      if (older === 0 || count >= retention.mostVersions) return last
      const words = this.#region.reach(older + VERSION.BYTES)
      if (words[older + VERSION.WRITTEN_AT] < retention.oldestSecond) return last
      last = older
      count++
    }
  }

  #listCrowded(record: number): void {
    const atomics = this.#atomics
    const words = this.#region.words
    words[record + RECORD.IS_CROWDED] = 1
    for (;;) {
      const first = atomics.load(this.#control, STORE.CROWDED)
      words[record + RECORD.NEXT_CROWDED] = first
      if (atomics.compareExchange(this.#control, STORE.CROWDED, first, record) === first) return
    }
  }

  #head(record: number): number {
    return this.#atomics.load(this.#region.reach(record + RECORD.KEY), record + RECORD.HEAD)
  }

  #timeOf(version: number): number {
    const words = this.#region.reach(version + VERSION.BYTES)
    return words[version + VERSION.TIME_HIGH] * TIME_UNIT + words[version + VERSION.TIME]
  }
}

function wordsOf(length: number): number {
  return VERSION.BYTES + (length === DELETED ? 0 : wordsForBytes(length))
}
