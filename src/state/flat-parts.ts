// The parts of a flat state's stale tries that threads hash at once, and how threads share them.
// Authority on where tries are cut, and on who may hash which part when (FLAT_PARTS says why that is enough).
// Must not hash what lies above the parts: the calling thread does that.

import { nativeAtomics } from '../memory/atomics.ts'
import { FLAT_BITS, FLAT_BRANCH, FLAT_HELPER, FLAT_PARTS } from '../memory/flat-layout.ts'
import type { FlatHasher } from './flat-hasher.ts'
import { depthOf } from './flat-trie.ts'

const { BRANCH, STALE } = FLAT_BITS
const { NEXT, DONE, STOPPED, STORAGE, COUNT, HELPERS, MOST_HELPERS, FIRST, PART_WORDS } = FLAT_PARTS
const { IDLE, BUSY, LOST } = FLAT_HELPER

/** Changed leaves of a part, about: some 60 us of hashing, so that nobody waits long for the last one. */
const PART_LEAVES = 16
/** ms until who waits looks again, should a notice be lost. */
const LOOK_MS = 10
/** Looks after which a part's thread is lost. Counted, since a process that is stopped loses none. */
const MOST_LOOKS = 500
/** The same for one whose task has ended: what is terminated runs a moment longer. */
const LOST_LOOKS = 20

/** A trie with stale nodes. */
export interface StaleTrie {
  readonly top: number
  /** Changed leaves. */
  readonly leaves: number
}

/** Cuts tries into parts; with the accounts' trie go storage tries of which too little changed to cut them. */
export function cutTries(
  words: Int32Array,
  storages: Iterable<StaleTrie>,
  accounts: StaleTrie,
): Int32Array {
  const parts: number[] = []
  let { leaves } = accounts
  for (const storage of storages) {
    if (storage.leaves <= PART_LEAVES) leaves += storage.leaves
    else cut(words, storage.top, 0, storage.leaves, parts)
  }
  const storageParts = parts.length / PART_WORDS
  cut(words, accounts.top, 0, leaves, parts)
  const shared = new Int32Array(new SharedArrayBuffer((FIRST + parts.length) * 4))
  shared[STORAGE] = storageParts
  shared[COUNT] = parts.length / PART_WORDS
  shared.set(parts, FIRST)
  return shared
}

/** Keys are hashes, so that changed leaves lie about evenly below the stale children of a branch. */
function cut(
  words: Int32Array,
  node: number,
  depth: number,
  leaves: number,
  parts: number[],
): void {
  if (node === 0 || (words[node] & STALE) === 0) return
  if (leaves <= PART_LEAVES || (words[node] & BRANCH) === 0) {
    parts.push(node, depth)
    return
  }
  const children: number[] = []
  for (let at = node + FLAT_BRANCH.CHILDREN; at < node + FLAT_BRANCH.WORDS; at++) {
    if (words[at] !== 0 && (words[words[at]] & STALE) !== 0) children.push(words[at])
  }
  const below = depthOf(words, node) + 1
  for (const child of children) cut(words, child, below, leaves / children.length, parts)
}

/** Hashes parts until there is none to begin at once; returns whether all have been begun. */
export function hashReadyParts(parts: Int32Array, hasher: FlatHasher): boolean {
  const { load, add, compareExchange, notify } = nativeAtomics
  for (;;) {
    const part = load(parts, NEXT)
    if (part >= parts[COUNT] || load(parts, STOPPED) !== 0) return true
    if (part >= parts[STORAGE] && load(parts, DONE) < parts[STORAGE]) return false
    if (compareExchange(parts, NEXT, part, part + 1) !== part) continue
    const at = FIRST + PART_WORDS * part
    hasher.refresh(parts[at], parts[at + 1])
    const done = add(parts, DONE, 1) + 1
    if (done === parts[STORAGE] || done === parts[COUNT]) notify(parts, DONE)
  }
}

/** As number `helper`, hashes parts until all have been begun, and waits where others have to be done first. */
export function hashParts(parts: Int32Array, hasher: FlatHasher, helper: number): void {
  const { store, notify } = nativeAtomics
  for (let isDone = false; !isDone; ) {
    store(parts, HELPERS + helper, BUSY)
    try {
      isDone = hashReadyParts(parts, hasher)
    } finally {
      store(parts, HELPERS + helper, IDLE)
      notify(parts, HELPERS + helper)
    }
    if (!isDone) waitForParts(parts, parts[STORAGE])
  }
}

/** A helper's task has ended without a word: its thread is terminated, or about to be. */
export function loseHelper(parts: Int32Array, helper: number): void {
  if (nativeAtomics.compareExchange(parts, HELPERS + helper, BUSY, LOST) !== BUSY) return
  nativeAtomics.notify(parts, HELPERS + helper)
}

/** Stops parts and waits until no helper hashes any more: that takes as long as a part. */
export function quietParts(parts: Int32Array): void {
  stopParts(parts)
  for (let helper = 0; helper < MOST_HELPERS; helper++) {
    for (let looks = 0; isAtWork(parts, helper, looks); looks++) {
      const state = nativeAtomics.load(parts, HELPERS + helper)
      if (state !== IDLE) nativeAtomics.wait(parts, HELPERS + helper, state, LOOK_MS)
    }
  }
}

/** The same without blocking the thread, so that it hears of helpers that have ended. */
export async function partsQuiet(parts: Int32Array): Promise<void> {
  stopParts(parts)
  for (let helper = 0; helper < MOST_HELPERS; helper++) {
    for (let looks = 0; isAtWork(parts, helper, looks); looks++) {
      const state = nativeAtomics.load(parts, HELPERS + helper)
      if (state === IDLE) break
      const changed = Atomics.waitAsync(parts, HELPERS + helper, state, LOOK_MS)
      if (changed.async) await changed.value
    }
  }
}

/** Whether a helper may be hashing, after so many looks at it without a word of it. */
function isAtWork(parts: Int32Array, helper: number, looks: number): boolean {
  const state = nativeAtomics.load(parts, HELPERS + helper)
  return state !== IDLE && looks < (state === LOST ? LOST_LOOKS : MOST_LOOKS)
}

/**
 * Hashes parts until all have been begun, and waits for those that others hash: blocks the thread for as long
 * as that takes.
 * @returns `false` if some do not come
 */
export function finishParts(parts: Int32Array, hasher: FlatHasher): boolean {
  for (let looks = 0; !areHashed(parts); looks++) {
    if (nativeAtomics.load(parts, STOPPED) !== 0 || looks === MOST_LOOKS) return false
    const seen = nativeAtomics.load(parts, DONE)
    const isBegun = hashReadyParts(parts, hasher)
    if (nativeAtomics.load(parts, DONE) !== seen) looks = 0
    else waitForParts(parts, isBegun ? parts[COUNT] : parts[STORAGE])
  }
  return true
}

export function areHashed(parts: Int32Array): boolean {
  return nativeAtomics.load(parts, DONE) === parts[COUNT]
}

/** Nobody begins another part; what was begun may still be under way. */
export function stopParts(parts: Int32Array): void {
  nativeAtomics.store(parts, STOPPED, 1)
  nativeAtomics.notify(parts, DONE)
}

/** Resolves when something may have moved: all is hashed, or, for who `helps`, there may be more to hash. */
export async function partsMoved(parts: Int32Array, helps: boolean): Promise<void> {
  const seen = nativeAtomics.load(parts, DONE)
  if (seen === parts[COUNT] || nativeAtomics.load(parts, STOPPED) !== 0) return
  const isReady = nativeAtomics.load(parts, NEXT) < parts[COUNT] && seen >= parts[STORAGE]
  if (helps && isReady) return
  const moved = Atomics.waitAsync(parts, DONE, seen, LOOK_MS)
  if (moved.async) await moved.value
  // Without this, parts that are done one after the other would keep the event loop from turning.
  else await new Promise(setImmediate)
}

/** Waits while DONE is what it is, and less than `until`. */
function waitForParts(parts: Int32Array, until: number): void {
  const seen = nativeAtomics.load(parts, DONE)
  if (seen >= until || nativeAtomics.load(parts, STOPPED) !== 0) return
  nativeAtomics.wait(parts, DONE, seen, LOOK_MS)
}
