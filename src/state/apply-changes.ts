// Applies sorted changes to a trie whose paths are loaded, in memory only.
// Authority on the shape of the trie; a branch may be left with one child, which the hashing mends.
// Changed nodes are new ones, so the trie before goes on to be what it was.
// Must not load: children that the mending will need and that are not loaded are handed out in a list.

import { internalError } from '../errors.ts'
import { groupEnd, rangeBelow } from './load-paths.ts'
import { commonLength, joinPaths } from './nibbles.ts'
import {
  type Branch,
  childOf,
  copyBranch,
  type Extension,
  isReference,
  type Leaf,
  type Node,
  newBranch,
  newExtension,
  newLeaf,
  onlyChild,
  type Reference,
  setChild,
} from './trie-node.ts'

/** A change whose key is spelled out; `null` deletes. */
export interface PathChange {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** An only child of a branch that is not loaded. */
export interface LonelyChild {
  readonly branch: Branch
  readonly nibble: number
  readonly reference: Reference
}

/** An entry to build from. */
interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Applies `changes` below `root`, `null` being the empty trie; what it needs loaded goes to `lonely`. */
export function applyChanges(
  root: Node | null,
  changes: readonly PathChange[],
  lonely: LonelyChild[],
): Node | null {
  return new Application(changes, lonely).apply(root, 0, changes.length, 0)
}

/** A trie of `entries`, which are sorted, and none of whose keys is the start of another. */
export function buildNode(
  entries: readonly Entry[],
  low: number,
  high: number,
  depth: number,
): Leaf | Extension | Branch {
  const first = entries[low].key
  if (high - low === 1) return newLeaf(first.subarray(depth), entries[low].value)
  const shared = commonLength(first.subarray(depth), entries[high - 1].key, depth)
  const split = depth + shared
  if (split === first.length) throw internalError('a key of a trie is the start of another')
  const branch = newBranch()
  for (let from = low; from < high; ) {
    const to = groupEnd(entries, from, high, split)
    setChild(branch, entries[from].key[split], buildNode(entries, from, to, split + 1))
    from = to
  }
  return shared === 0 ? branch : newExtension(first.subarray(depth, split), branch)
}

class Application {
  readonly #changes: readonly PathChange[]
  readonly #lonely: LonelyChild[]

  constructor(changes: readonly PathChange[], lonely: LonelyChild[]) {
    this.#changes = changes
    this.#lonely = lonely
  }

  /** Applies the changes from `low` to below `high`; gives back `node` itself if it stays clean. */
  apply(node: Node | null, low: number, high: number, depth: number): Node | null {
    if (node === null) return this.#build(this.#changes.slice(low, high), depth)
    if (node.kind === 'leaf') return this.#applyToLeaf(node, low, high, depth)
    if (node.kind === 'extension') return this.#applyToExtension(node, low, high, depth)
    return this.#applyToBranch(node, low, high, depth)
  }

  #build(changes: readonly PathChange[], depth: number): Node | null {
    const entries = changes.filter((change): change is Entry => change.value !== null)
    return entries.length === 0 ? null : buildNode(entries, 0, entries.length, depth)
  }

  #applyToLeaf(leaf: Leaf, low: number, high: number, depth: number): Node | null {
    const { key: first, value } = this.#changes[low]
    if (high - low === 1 && commonLength(leaf.path, first, depth) === leaf.path.length) {
      if (value === null) return null
      return areEqual(value, leaf.value) ? leaf : newLeaf(leaf.path, value)
    }
    const entries: PathChange[] = []
    const key = joinPaths(first, depth, leaf.path)
    let isPlaced = false
    let isChanged = false
    for (let i = low; i < high; i++) {
      const change = this.#changes[i]
      const order = comparePaths(change.key, key, depth)
      if (order >= 0 && !isPlaced) {
        isPlaced = true
        if (order > 0) entries.push({ key, value: leaf.value })
      }
      entries.push(change)
      if (order === 0) isChanged ||= change.value === null || !areEqual(change.value, leaf.value)
      else isChanged ||= change.value !== null
    }
    if (!isChanged) return leaf
    if (!isPlaced) entries.push({ key, value: leaf.value })
    return this.#build(entries, depth)
  }

  #applyToExtension(node: Extension, low: number, high: number, depth: number): Node | null {
    const { path } = node
    let split = path.length
    for (let i = low; i < high; i++) {
      const { key, value } = this.#changes[i]
      // Deleting what is not there splits nothing.
      if (value !== null) split = Math.min(split, commonLength(path, key, depth))
    }
    const [from, to] = rangeBelow(node, this.#changes, low, high, depth, split)
    if (from === to) return node
    if (split < path.length) {
      const branch = newBranch()
      const rest = path.subarray(split + 1)
      const below = rest.length === 0 ? node.child : newExtension(rest, node.child)
      setChild(branch, path[split], below)
      const changed = this.#applyToBranch(branch, from, to, depth + split)
      if (changed === null) throw internalError('an extension was split for nothing')
      return split === 0 ? changed : newExtension(path.subarray(0, split), changed)
    }
    const child = expectLoaded(node.child)
    const changed = this.apply(child, from, to, depth + path.length)
    if (changed === null) return null
    return isClean(child, changed) ? node : newExtension(path, changed)
  }

  #applyToBranch(before: Branch, low: number, high: number, depth: number): Branch | null {
    let branch = before
    for (let from = low; from < high; ) {
      const to = groupEnd(this.#changes, from, high, depth)
      const nibble = this.#changes[from].key[depth]
      const found = childOf(branch, nibble)
      const child = found === null ? null : expectLoaded(found)
      const changed = this.apply(child, from, to, depth + 1)
      if (!isClean(child, changed)) {
        if (branch.reference !== undefined) branch = copyBranch(before)
        setChild(branch, nibble, changed)
      }
      from = to
    }
    if (branch.occupied === 0) return null
    const nibble = branch.reference === undefined ? onlyChild(branch) : -1
    if (nibble >= 0) {
      const reference = childOf(branch, nibble)
      if (reference !== null && isReference(reference)) {
        this.#lonely.push({ branch, nibble, reference })
      }
    }
    return branch
  }
}

function isClean(before: Node | null, after: Node | null): boolean {
  return before === after && (after === null || after.reference !== undefined)
}

function expectLoaded(child: Node | Reference): Node {
  if (isReference(child)) throw internalError('a change leads to a node that was not loaded')
  return child
}

/** Compares two keys that are equal up to `depth`. */
function comparePaths(a: Uint8Array, b: Uint8Array, depth: number): number {
  const length = Math.min(a.length, b.length)
  for (let i = depth; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
