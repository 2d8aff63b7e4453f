// The list of versions that an incarnation published, kept so that the next incarnation, an abort and
// the commit find them. Authority on the format of write sets; publishes through the version store.

import type { BlockOffset, LocationId } from '../ids.ts'
import type { LocationKind } from '../memory/layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'

const ENTRY = { KIND: 0, LOCATION: 1, NODE: 2 } as const
const ENTRY_WORDS = 3

/** Collects the writes of an incarnation in private memory. */
export class WriteSetRecorder {
  #words = new Int32Array(256)
  #length = 0

  clear(): void {
    this.#length = 0
  }

  /** Words that {@link copyTo} writes, without the leading length. */
  get words(): number {
    return this.#length
  }

  /** Locations recorded. */
  get count(): number {
    return this.#length / ENTRY_WORDS
  }

  record(kind: LocationKind, location: LocationId, node: BlockOffset): void {
    const at = this.#length
    if (at + ENTRY_WORDS > this.#words.length) {
      const larger = new Int32Array(this.#words.length * 2)
      larger.set(this.#words)
      this.#words = larger
    }
    this.#words[at + ENTRY.KIND] = kind
    this.#words[at + ENTRY.LOCATION] = location
    this.#words[at + ENTRY.NODE] = node
    this.#length = at + ENTRY_WORDS
  }

  /** Writes the length in words, then the entries. Needs `words + 1` words at `at`. */
  copyTo(target: Int32Array, at: number): void {
    target[at] = this.#length
    for (let i = 0; i < this.#length; i++) target[at + 1 + i] = this.#words[i]
  }
}

/** Calls `visit` for every entry of the write set at block offset `at`; 0 means that there is none. */
export function forEachWrite(
  block: SharedRegion,
  at: number,
  visit: (kind: LocationKind, location: LocationId, node: BlockOffset) => void,
): void {
  if (at === 0) return
  let words = block.reach(at)
  const end = at + 1 + words[at]
  words = block.reach(end)
  for (let entry = at + 1; entry < end; entry += ENTRY_WORDS) {
    visit(
      words[entry + ENTRY.KIND] as LocationKind,
      words[entry + ENTRY.LOCATION] as LocationId,
      words[entry + ENTRY.NODE] as BlockOffset,
    )
  }
}

/** Number of entries of the write set at block offset `at`. */
export function writeCount(block: SharedRegion, at: number): number {
  return at === 0 ? 0 : block.reach(at)[at] / ENTRY_WORDS
}
