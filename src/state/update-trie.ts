// Updates a Merkle Patricia trie by many changes at once, or builds one from nothing.
// Authority on roots. Pure: it reads nodes from where it is told to, and returns the new ones; storing
// them is the caller's.

import { internalError } from '../errors.ts'
import { type Allocate, allocateAlone } from './allocate.ts'
import { applyChanges, buildNode, type LonelyChild, type PathChange } from './apply-changes.ts'
import { hashTrie, mendShape, type NewNode } from './hash-nodes.ts'
import type { Keccak } from './keccak.ts'
import { type Loading, load, loadNow, loadTrie, type NodeSource } from './load-paths.ts'
import { toNibbles } from './nibbles.ts'
import { compareBytes } from './sort-by-key.ts'
import type { TrieCache } from './trie-cache.ts'
import { EMPTY_ROOT, isEmptyRoot } from './trie-node.ts'

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

export interface UpdateOptions {
  /** Where tries are kept in memory. Default: nowhere. */
  readonly cache?: TrieCache
  /** Where the bytes of new nodes come from. Default: an array of its own for each. */
  readonly allocate?: Allocate
}

/**
 * The trie at `root` after `changes`, which must be sorted, a key at most once (see `sortByKey`).
 * Every node on the way is read once, and every changed one hashed once. Deleting what is not there and
 * writing what is there already changes nothing. With a cache, what that has of the trie is not read, and
 * the new trie is kept in it.
 *
 * @throws ParallelError `BROKEN_TRIE` if a node is missing or cannot be decoded.
 */
export async function updateTrie(
  root: Uint8Array,
  changes: readonly TrieChange[],
  source: NodeSource,
  keccak: Keccak,
  options: UpdateOptions = {},
): Promise<TrieUpdate> {
  return load(updating(root, changes, keccak, options), source)
}

/** The same at once, with a source that answers at once. */
export function updateTrieNow(
  root: Uint8Array,
  changes: readonly TrieChange[],
  source: NodeSource,
  keccak: Keccak,
  options: UpdateOptions = {},
): TrieUpdate {
  return loadNow(updating(root, changes, keccak, options), source)
}

function* updating(
  root: Uint8Array,
  changes: readonly TrieChange[],
  keccak: Keccak,
  { cache, allocate = allocateAlone }: UpdateOptions,
): Loading<TrieUpdate> {
  if (changes.length === 0) return { root, nodes: [] }
  const paths = toPathChanges(changes)
  const before = isEmptyRoot(root) ? null : yield* loadTrie(root, paths, cache)
  const lonely: LonelyChild[] = []
  const after = applyChanges(before, paths, lonely)
  if (after === null) return { root: EMPTY_ROOT, nodes: [] }
  if (lonely.length > 0) {
    const nodes = yield lonely.map(({ reference }) => reference)
    for (let i = 0; i < lonely.length; i++) lonely[i].branch.children[lonely[i].nibble] = nodes[i]
  }
  const shaped = mendShape(after)
  const update = hashTrie(shaped, keccak, allocate)
  cache?.keep(update.root, shaped, update.nodes.length)
  return update
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
  return hashTrie(buildNode(paths, 0, paths.length, 0), keccak, allocateAlone)
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
