// Updates a Merkle Patricia trie by many changes at once, or builds one from nothing.
// Authority on roots. Pure: it reads nodes from where it is told to, and returns the new ones; storing
// them is the caller's.

import { internalError } from '../errors.ts'
import { applyChanges, buildNode, type LonelyChild } from './apply-changes.ts'
import { hashRoot, mendShape, type NewNode } from './hash-nodes.ts'
import type { Keccak } from './keccak.ts'
import { loadNodes, loadPaths, type NodeSource, type PathChange } from './load-paths.ts'
import { toNibbles } from './nibbles.ts'
import type { Node } from './trie-node.ts'

/** A change of one entry. All keys of a trie are of one length; `null` deletes. */
export interface TrieChange {
  /** As the trie has it: in Ethereum's state the keccak-256 of the address or slot. */
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** What an update comes to. */
export interface TrieUpdate {
  readonly root: Uint8Array
  /** Nodes that the old trie did not have, children before parents; an update in vain has none. */
  readonly nodes: readonly NewNode[]
}

/** keccak-256 of the RLP of nothing: the root of the trie without entries. */
export const EMPTY_ROOT: Uint8Array = Uint8Array.from(
  Buffer.from('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421', 'hex'),
)

/**
 * The trie at `root` after `changes`, which must be sorted, a key at most once (see {@link sortChanges}).
 * Every node on the way is read once, and every changed one hashed once. Deleting what is not there and
 * writing what is there already changes nothing.
 *
 * @throws ParallelError `BROKEN_TRIE` if a node is missing or cannot be decoded.
 */
export async function updateTrie(
  root: Uint8Array,
  changes: readonly TrieChange[],
  source: NodeSource,
  keccak: Keccak,
): Promise<TrieUpdate> {
  if (changes.length === 0) return { root, nodes: [] }
  const paths = toPathChanges(changes)
  const before = isEmptyRoot(root) ? null : await loadPaths(root, source, paths)
  const lonely: LonelyChild[] = []
  const after = applyChanges(before, paths, lonely)
  if (after === null) return { root: EMPTY_ROOT, nodes: [] }
  if (lonely.length > 0) await loadLonely(lonely, source)
  return hashTrie(after, keccak)
}

/**
 * The trie that has just these entries, sorted by key. Keys may differ in length, but none may be the start
 * of another; so it is with those of transactions and receipts, the RLP of their index.
 */
export function buildTrie(
  entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[],
  keccak: Keccak,
): TrieUpdate {
  if (entries.length === 0) return { root: EMPTY_ROOT, nodes: [] }
  checkOrder(entries)
  const paths = entries.map(({ key, value }) => ({ key: toNibbles(key), value }))
  return hashTrie(buildNode(paths, 0, paths.length, 0), keccak)
}

/** More entries than this have no room for their place beside the start of their key. */
const MOST_RANKED = 2 ** 20

/** The changes sorted by key. */
export function sortChanges<T extends { readonly key: Uint8Array }>(changes: readonly T[]): T[] {
  const compare = (a: T, b: T): number => compareBytes(a.key, b.key)
  if (changes.length > MOST_RANKED) return changes.toSorted(compare)
  // Numbers are sorted much faster than objects, and the starts of hashes hardly ever agree; the second
  // sorting then only looks whether all is in order.
  const ranks = new Float64Array(changes.length)
  for (let i = 0; i < changes.length; i++) ranks[i] = startOf(changes[i].key) * MOST_RANKED + i
  return Array.from(ranks.sort(), (rank) => changes[rank % MOST_RANKED]).sort(compare)
}

/** The first four bytes as a number; bytes that are missing count as zero. */
function startOf(key: Uint8Array): number {
  return ((key[0] << 24) | (key[1] << 16) | (key[2] << 8) | key[3]) >>> 0
}

/** Whether a root is that of the empty trie. */
export function isEmptyRoot(root: Uint8Array): boolean {
  return compareBytes(root, EMPTY_ROOT) === 0
}

function hashTrie(changed: Node, keccak: Keccak): TrieUpdate {
  const nodes: NewNode[] = []
  const root = hashRoot(mendShape(changed), keccak, nodes)
  return { root, nodes }
}

async function loadLonely(lonely: readonly LonelyChild[], source: NodeSource): Promise<void> {
  const references = lonely.map(({ reference }) => reference)
  const nodes = await loadNodes(references, source)
  for (let i = 0; i < lonely.length; i++) lonely[i].branch.children[lonely[i].nibble] = nodes[i]
}

function toPathChanges(changes: readonly TrieChange[]): PathChange[] {
  checkOrder(changes)
  return changes.map(({ key, value }) => {
    if (key.length !== changes[0].key.length) {
      throw internalError('the keys of changes to a trie differ in length')
    }
    return { key: toNibbles(key), value }
  })
}

function checkOrder(entries: readonly { readonly key: Uint8Array }[]): void {
  for (let i = 1; i < entries.length; i++) {
    if (compareBytes(entries[i - 1].key, entries[i].key) >= 0) {
      throw internalError('changes to a trie are not sorted, or have a key twice')
    }
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}
