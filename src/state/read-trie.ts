// Reads many entries of a trie in one descent, or one.
// Authority on what a trie says of a key. Changes nothing.

import { internalError } from '../errors.ts'
import { load, loadTrie, type NodeSource } from './load-paths.ts'
import { commonLength, toNibbles } from './nibbles.ts'
import { sortByKey } from './sort-by-key.ts'
import type { TrieCache } from './trie-cache.ts'
import { childOf, isEmptyRoot, isReference, type Node, type Reference } from './trie-node.ts'

/**
 * The values of `keys`, which may be in any order and repeat, in the trie at `root`; `null` for those that
 * it does not have. Values share memory with nodes: do not change them. What `cache` has of the trie is
 * not read again.
 *
 * @throws ParallelError `BROKEN_TRIE` if a node is missing or cannot be decoded.
 */
export async function readTrie(
  root: Uint8Array,
  keys: readonly Uint8Array[],
  source: NodeSource,
  cache?: TrieCache,
): Promise<(Uint8Array | null)[]> {
  const values = new Array<Uint8Array | null>(keys.length).fill(null)
  if (keys.length === 0 || isEmptyRoot(root)) return values
  const sorted = sortByKey(keys.map((key, place) => ({ key, place })))
  const paths = sorted.map(({ key, place }) => ({ key: toNibbles(key), place }))
  const node = await load(loadTrie(root, paths, cache), source)
  for (const { key, place } of paths) values[place] = findValue(node, key)
  return values
}

function findValue(root: Node, key: Uint8Array): Uint8Array | null {
  let node = root
  let depth = 0
  while (node.kind !== 'leaf') {
    let child: Node | Reference | null
    if (node.kind === 'extension') {
      if (commonLength(node.path, key, depth) < node.path.length) return null
      depth += node.path.length
      child = node.child
    } else {
      child = childOf(node, key[depth])
      depth++
    }
    if (child === null) return null
    if (isReference(child)) throw internalError('a key leads to a node that was not loaded')
    node = child
  }
  return commonLength(node.path, key, depth) === node.path.length ? node.value : null
}
