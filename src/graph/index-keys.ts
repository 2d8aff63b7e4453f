// Turns read-write sets into numbered accesses: keys become integers, prefixes the keys they cover.
// Authority on what a prefix means to the graph. Sets without prefixes pay nothing for them.

import { ACCESS, type AccessFlags } from '../access/access-flags.ts'
import { AccessLists } from '../access/access-lists.ts'
import type { Key } from '../access/key.ts'

/** What the index needs of a `ReadWriteSet`. */
interface Accesses {
  readonly accesses: ReadonlyMap<Key, AccessFlags>
  readonly prefixes: ReadonlyMap<string, AccessFlags>
}

/** The accesses of `sets`, the keys numbered in the order in which they are met. */
export function indexKeys(sets: readonly Accesses[]): AccessLists {
  const numbers = new Map<Key, number>()
  const hasPrefixes = sets.some(({ prefixes }) => prefixes.size > 0)
  const covers = hasPrefixes ? new PrefixCovers(sets, numbers) : undefined
  const lists = new AccessLists(sets.length, sets.length * 8)
  for (const { accesses, prefixes } of sets) {
    for (const [key, flags] of accesses) lists.add(numberOf(key, numbers), flags)
    if (covers !== undefined) {
      for (const [prefix, flags] of prefixes) {
        for (const location of covers.locationsOf(prefix, flags)) lists.add(location, flags)
      }
    }
    lists.endTransaction()
  }
  return lists
}

function numberOf(key: Key, numbers: Map<Key, number>): number {
  const known = numbers.get(key)
  if (known !== undefined) return known
  numbers.set(key, numbers.size)
  return numbers.size - 1
}

/**
 * The locations that the prefixes of a block stand for: every exact key of the block that begins with
 * the prefix, and one location for each prefix of the block that begins with it, itself among them. So
 * two prefixes meet in the longer one, and siblings nowhere.
 */
class PrefixCovers {
  readonly #keys: SortedLocations
  /** What nobody writes need not be listed for who reads it. */
  readonly #writtenKeys: SortedLocations
  readonly #prefixes: SortedLocations
  readonly #covered = new Map<string, readonly number[]>()
  readonly #coveredByRead = new Map<string, readonly number[]>()

  constructor(sets: readonly Accesses[], numbers: Map<Key, number>) {
    const keys = new Map<string, AccessFlags>()
    const prefixes = new Set<string>()
    for (const set of sets) {
      for (const [key, flags] of set.accesses) {
        if (typeof key === 'string') keys.set(key, (keys.get(key) ?? 0) | flags)
      }
      for (const prefix of set.prefixes.keys()) prefixes.add(prefix)
    }
    const written = [...keys.keys()].filter((key) => keys.get(key) !== ACCESS.READ)
    this.#keys = new SortedLocations(keys.keys(), (key) => numberOf(key, numbers))
    this.#writtenKeys = new SortedLocations(written, (key) => numberOf(key, numbers))
    // Negative, so that they are not the number of a key.
    this.#prefixes = new SortedLocations(prefixes, (_, i) => -1 - i)
  }

  locationsOf(prefix: string, flags: AccessFlags): readonly number[] {
    const isRead = flags === ACCESS.READ
    const known = isRead ? this.#coveredByRead : this.#covered
    let locations = known.get(prefix)
    if (locations === undefined) {
      const keys = (isRead ? this.#writtenKeys : this.#keys).under(prefix)
      locations = [...keys, ...this.#prefixes.under(prefix)]
      known.set(prefix, locations)
    }
    return locations
  }
}

/** Texts in order, so that those with a common prefix are neighbours, and their locations. */
class SortedLocations {
  readonly #texts: readonly string[]
  readonly #locations: readonly number[]

  constructor(texts: Iterable<string>, locationOf: (text: string, i: number) => number) {
    this.#texts = [...texts].sort()
    this.#locations = this.#texts.map(locationOf)
  }

  /** Locations of the texts that begin with `prefix`. */
  under(prefix: string): readonly number[] {
    let low = 0
    let high = this.#texts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#texts[middle] < prefix) low = middle + 1
      else high = middle
    }
    let end = low
    while (end < this.#texts.length && this.#texts[end].startsWith(prefix)) end++
    return this.#locations.slice(low, end)
  }
}
