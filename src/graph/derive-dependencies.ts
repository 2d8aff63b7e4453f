// From what transactions access to what they depend on, by one sweep over the accesses.
// Authority on which edges a graph has; both the executor and ConflictDetector derive theirs here.
// Its answer has the reachability of the pairwise definition and fewer edges: see below.

import { ACCESS, accessGroup } from '../access/access-flags.ts'
import type { AccessRows } from '../access/access-lists.ts'
import { type DependencyLists, DependencyListsBuilder } from './dependency-lists.ts'
import { LocationIndex } from './location-index.ts'

/**
 * - `conflicts`: the later of two transactions that conflict depends on the earlier. For values that
 *   are overwritten in place.
 * - `reads-from`: a transaction depends on those whose writes make up what it reads: the last write
 *   before it and the deltas since. For a store that keeps versions, where a write neither disturbs
 *   those that read before it nor needs the write before it.
 */
export type DependencyRule = 'conflicts' | 'reads-from'

/**
 * A bounded graph may have this many edges for each access; after that a read names only so many of
 * the transactions whose writes make up its value, the newest.
 */
const BOUND = { EDGES_PER_ACCESS: 16, NEWEST: 4 } as const

/**
 * The dependencies of transactions that are listed in canonical order. Linear in accesses and edges.
 * `isBounded`, for `reads-from`: edges may be left out so that there are not many more than accesses.
 *
 * Of the edges that the rule `conflicts` names pairwise, those are left out that a chain on the same
 * location implies. The rest cannot be left out: n deltas that are followed by m reads of the sum are
 * n × m edges.
 */
export function deriveDependencies(
  accesses: AccessRows,
  rule: DependencyRule = 'conflicts',
  isBounded = false,
): DependencyLists {
  if (rule === 'conflicts') return conflictDependencies(accesses)
  return readsFromDependencies(accesses, isBounded)
}

/**
 * The accesses of a location form groups: reads next to each other, deltas next to each other, and
 * each write alone. Members of a group do not conflict, and each conflicts with every member of the
 * group before, so depending on that group alone leads to all groups before it.
 */
const GROUP = { KIND: 0, MEMBERS: 1, BEFORE: 2, WORDS: 3 } as const

function conflictDependencies({ count, starts, locations, flags }: AccessRows): DependencyLists {
  const entries = starts[count]
  const index = new LocationIndex(entries)
  const groups = new Int32Array(entries * GROUP.WORDS)
  const members = new MemberLists(entries)
  const lists = new DependencyListsBuilder(count)
  for (let t = 0; t < count; t++) {
    for (let entry = starts[t]; entry < starts[t + 1]; entry++) {
      const at = index.numberOf(locations[entry]) * GROUP.WORDS
      const kind = accessGroup(flags[entry])
      if (kind !== groups[at + GROUP.KIND] || kind === ACCESS.WRITE) {
        groups[at + GROUP.KIND] = kind
        groups[at + GROUP.BEFORE] = groups[at + GROUP.MEMBERS]
        groups[at + GROUP.MEMBERS] = 0
      }
      members.addAll(groups[at + GROUP.BEFORE], lists)
      groups[at + GROUP.MEMBERS] = members.push(groups[at + GROUP.MEMBERS], entry, t)
    }
    lists.endTransaction()
  }
  return lists.finish()
}

function readsFromDependencies(
  { count, starts, locations, flags }: AccessRows,
  isBounded: boolean,
): DependencyLists {
  const entries = starts[count]
  let budget = isBounded ? entries * BOUND.EDGES_PER_ACCESS : Number.POSITIVE_INFINITY
  const index = new LocationIndex(entries)
  /** Of each location, the last write and the deltas since. */
  const sources = new Int32Array(entries)
  const members = new MemberLists(entries)
  const lists = new DependencyListsBuilder(count)
  for (let t = 0; t < count; t++) {
    for (let entry = starts[t]; entry < starts[t + 1]; entry++) {
      const at = index.numberOf(locations[entry])
      const reads = (flags[entry] & ACCESS.READ) !== 0
      if (reads) budget -= members.addAll(sources[at], lists, Math.max(budget, BOUND.NEWEST))
      if (flags[entry] === ACCESS.READ) continue
      // A delta of who has read the sum stands for all that the sum is made of.
      const replaces = reads || (flags[entry] & ACCESS.WRITE) !== 0
      sources[at] = members.push(replaces ? 0 : sources[at], entry, t)
    }
    lists.endTransaction()
  }
  return lists.finish()
}

/** Linked lists of transactions, one node for each entry; a list is 1 + its first entry, or 0. */
class MemberLists {
  readonly #next: Int32Array
  readonly #transaction: Int32Array

  constructor(entries: number) {
    this.#next = new Int32Array(entries)
    this.#transaction = new Int32Array(entries)
  }

  /** The list `list` with the transaction of `entry` in front. */
  push(list: number, entry: number, transaction: number): number {
    this.#next[entry] = list
    this.#transaction[entry] = transaction
    return entry + 1
  }

  /** Adds at most the `most` newest. Returns how many. */
  addAll(list: number, target: DependencyListsBuilder, most = Number.POSITIVE_INFINITY): number {
    let added = 0
    for (let node = list; node !== 0 && added < most; node = this.#next[node - 1]) {
      target.add(this.#transaction[node - 1])
      added++
    }
    return added
  }
}
