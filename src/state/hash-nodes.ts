// Mends the shape of a changed trie and hashes it from the bottom up, each changed node once.
// Authority on which nodes are new and have to be stored. Must not load: what it meets is loaded.

import { internalError } from '../errors.ts'
import type { Allocate } from './allocate.ts'
import type { Keccak } from './keccak.ts'
import { joinPaths } from './nibbles.ts'
import { decodeBranch, encodeNode } from './node-codec.ts'
import {
  type Branch,
  childOf,
  HASH_LENGTH,
  isReference,
  type Node,
  newExtension,
  newLeaf,
  onlyChild,
  type Reference,
} from './trie-node.ts'

/** A node as it is stored. */
export interface NewNode {
  readonly hash: Uint8Array
  readonly rlp: Uint8Array
}

/**
 * Gives a branch that was left with one child, and an extension above anything but a branch, the form
 * that the trie's definition wants. Returns what takes the place of `node`.
 */
export function mendShape(node: Node): Node {
  if (node.reference !== undefined || node.kind === 'leaf') return node
  if (node.kind === 'extension') {
    if (isReference(node.child)) return node
    node.child = mendShape(node.child)
    return node.child.kind === 'branch' ? node : prolong(node.path, node.child)
  }
  forEachChanged(node, (child, nibble) => {
    node.children[nibble] = mendShape(child)
  })
  const nibble = onlyChild(node)
  if (nibble < 0) return node
  const child = childOf(node, nibble)
  if (child === null || isReference(child)) throw internalError('an only child was not loaded')
  return prolong(Uint8Array.of(nibble), child)
}

/** A node that leads along `path` to `node`. */
function prolong(path: Uint8Array, node: Node): Node {
  if (node.kind === 'branch') return newExtension(path, node)
  const joined = joinPaths(path, path.length, node.path)
  return node.kind === 'leaf' ? newLeaf(joined, node.value) : newExtension(joined, node.child)
}

/**
 * Hashes what is not clean below the top node of a trie, and makes it clean. Children stay in memory, for
 * whoever keeps the trie. Returns the root and all new nodes, children before parents.
 */
export function hashTrie(
  root: Node,
  keccak: Keccak,
  allocate: Allocate,
): { root: Uint8Array; nodes: NewNode[] } {
  const nodes: NewNode[] = []
  const hashNode = (node: Node, leastHashed: number): Reference => {
    if (node.reference !== undefined) return node.reference
    if (node.kind === 'extension') {
      if (!isReference(node.child)) hashNode(node.child, HASH_LENGTH)
    } else if (node.kind === 'branch') {
      forEachChanged(node, (child) => hashNode(child, HASH_LENGTH))
    }
    const rlp = encodeNode(node, allocate)
    if (node.kind === 'branch') {
      node.stored = decodeBranch(rlp)
      node.changed = 0
    }
    if (rlp.length < leastHashed) {
      node.reference = rlp
    } else {
      node.reference = keccak(rlp)
      nodes.push({ hash: node.reference, rlp })
    }
    return node.reference
  }
  // The root is a hash however short its node is.
  return { root: hashNode(root, 0), nodes }
}

function forEachChanged(
  { children, changed }: Branch,
  act: (child: Node, nibble: number) => void,
): void {
  for (let nibble = 0; nibble < 16; nibble++) {
    if ((changed & (1 << nibble)) === 0) continue
    const child = children[nibble]
    if (child !== null && child !== undefined && !isReference(child)) act(child, nibble)
  }
}
