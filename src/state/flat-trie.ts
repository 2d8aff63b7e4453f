// The shape of tries over a flat state: branches in shared memory, whose leaves are the state's records.
// Authority on which references are stale: those of a node that changed, and of all above it. Must not hash
// (flat-hasher.ts does) and knows nothing of values.

import { internalError } from '../errors.ts'
import { FLAT_ACCOUNT, FLAT_BITS, FLAT_BRANCH, FLAT_SLOT } from '../memory/flat-layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import type { FlatPages } from './flat-pages.ts'

const { BRANCH, STALE, DEPTH_SHIFT } = FLAT_BITS
const { CHILDREN } = FLAT_BRANCH
const { KEY_HASH } = FLAT_SLOT
/** Nibbles of a key. */
export const KEY_NIBBLES = 64

/** Nibble `depth` of the key of a leaf. */
export function nibbleOf(bytes: Uint8Array, leaf: number, depth: number): number {
  const byte = bytes[(leaf + KEY_HASH) * 4 + (depth >> 1)]
  return (depth & 1) === 0 ? byte >> 4 : byte & 15
}

/** Some leaf at or below `node`. */
export function anyLeaf(words: Int32Array, node: number): number {
  let leaf = node
  while ((words[leaf] & BRANCH) !== 0) {
    let at = leaf + CHILDREN
    while (words[at] === 0) at++
    leaf = words[at]
  }
  return leaf
}

/** The leaves at and below `node`, in the order of their keys; 0 is the empty trie. */
export function* leavesBelow(words: Int32Array, node: number): Generator<number> {
  if (node === 0) return
  const open = [node]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ((words[next] & BRANCH) === 0) {
      yield next
      continue
    }
    for (let at = next + FLAT_BRANCH.WORDS - 1; at >= next + CHILDREN; at--) {
      if (words[at] !== 0) open.push(words[at])
    }
  }
}

/** How many nibbles lead to a branch. */
export function depthOf(words: Int32Array, branch: number): number {
  return words[branch] >>> DEPTH_SHIFT
}

export class FlatTrie {
  readonly #region: SharedRegion
  /** Branches that can be used again. */
  readonly free: number[] = []
  readonly #pages: FlatPages | undefined

  /** `pages` hears of all nodes that change: of their hashing too, since that is what stale nodes wait for. */
  constructor(region: SharedRegion, pages?: FlatPages) {
    this.#region = region
    this.#pages = pages
  }

  /** Marks what leads from `root` to `leaf`, which is there, as stale. */
  mark(root: number, leaf: number): void {
    const { words, bytes } = this.#region
    let node = root
    while ((words[node] & BRANCH) !== 0) {
      this.#setStale(node)
      node = words[node + CHILDREN + nibbleOf(bytes, leaf, depthOf(words, node))]
    }
    if (node !== leaf) throw internalError('a leaf is not where its key leads')
    this.#setStale(node)
  }

  /** Adds a leaf, which is not there; returns the new top node. 0 is the empty trie. */
  insert(root: number, leaf: number): number {
    // Made first: it can fail, and what was read of the region before could be out of view afterwards.
    const branch = root === 0 ? 0 : this.#newBranch()
    this.#setStale(leaf)
    if (root === 0) return leaf
    const { words, bytes } = this.#region
    const depth = commonNibbles(bytes, leaf, this.#nearestLeaf(root, leaf))
    let node = root
    let slot = -1
    while ((words[node] & BRANCH) !== 0 && depthOf(words, node) <= depth) {
      this.#setStale(node)
      slot = node + CHILDREN + nibbleOf(bytes, leaf, depthOf(words, node))
      node = words[slot]
      if (node === 0) {
        words[slot] = leaf
        this.free.push(branch)
        return root
      }
    }
    words[branch] = BRANCH | (depth << DEPTH_SHIFT)
    this.#setStale(branch)
    words[branch + CHILDREN + nibbleOf(bytes, leaf, depth)] = leaf
    words[branch + CHILDREN + nibbleOf(bytes, anyLeaf(words, node), depth)] = node
    // What leads to it has become shorter.
    this.#setStale(node)
    if (slot < 0) return branch
    words[slot] = branch
    return root
  }

  /** Takes out a leaf, which is there; returns the new top node. */
  remove(root: number, leaf: number): number {
    const { words, bytes } = this.#region
    let above = -1
    let slot = -1
    let parent = 0
    let node = root
    while ((words[node] & BRANCH) !== 0) {
      this.#setStale(node)
      above = slot
      slot = node + CHILDREN + nibbleOf(bytes, leaf, depthOf(words, node))
      parent = node
      node = words[slot]
    }
    if (node !== leaf) throw internalError('a leaf is not where its key leads')
    if (parent === 0) return 0
    words[slot] = 0
    const only = onlyChild(words, parent)
    if (only === 0) return root
    this.#setStale(only)
    this.free.push(parent)
    if (above < 0) return only
    words[above] = only
    return root
  }

  #setStale(node: number): void {
    const { words } = this.#region
    if ((words[node] & STALE) !== 0) return
    words[node] |= STALE
    this.#pages?.touch(node, FLAT_ACCOUNT.WORDS)
  }

  /** A leaf that has as many nibbles in common with the key of `leaf` as any. */
  #nearestLeaf(root: number, leaf: number): number {
    const { words, bytes } = this.#region
    let node = root
    while ((words[node] & BRANCH) !== 0) {
      const child = words[node + CHILDREN + nibbleOf(bytes, leaf, depthOf(words, node))]
      if (child === 0) return anyLeaf(words, node)
      node = child
    }
    return node
  }

  #newBranch(): number {
    const branch = this.free.pop() ?? this.#region.allocate(FLAT_BRANCH.WORDS)
    this.#region.words.fill(0, branch, branch + FLAT_BRANCH.WORDS)
    return branch
  }
}

function commonNibbles(bytes: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < KEY_NIBBLES; i++)
    if (nibbleOf(bytes, a, i) !== nibbleOf(bytes, b, i)) return i
  throw internalError('two leaves of a trie have one key')
}

/** The child of a branch that has just one; otherwise 0. */
function onlyChild(words: Int32Array, branch: number): number {
  let only = 0
  for (let at = branch + CHILDREN; at < branch + FLAT_BRANCH.WORDS; at++) {
    if (words[at] === 0) continue
    if (only !== 0) return 0
    only = words[at]
  }
  return only
}
