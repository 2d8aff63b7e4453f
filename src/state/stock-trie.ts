// Updates and reads the tries of @ethereumjs/mpt in batches.
// Authority on what such a trie is left like: as its own `put` and `del` would leave it, except that
// nodes of the states in between are not stored. Must not be used on tries that it does not accept.

import { CheckpointDB, MerklePatriciaTrie } from '@ethereumjs/mpt'
import { equalsBytes, KECCAK256_NULL, type Lock } from '@ethereumjs/util'
import { ParallelError } from '../errors.ts'
import { allocateAlone, createSharedAllocator } from './allocate.ts'
import type { Keccak } from './keccak.ts'
import { readTrie } from './read-trie.ts'
import { sortByKey } from './sort-by-key.ts'
import { isInMemory, nodesOf, storeNodes } from './stock-nodes.ts'
import type { TrieCache } from './trie-cache.ts'
import { isUnmodified } from './unmodified.ts'
import { updateTrie } from './update-trie.ts'

/** What we use of a trie beyond its public methods. */
interface TrieInternals {
  readonly _opts: {
    readonly useKeyHashing: boolean
    readonly useKeyHashingFunction: Keccak
    readonly useNodePruning: boolean
  }
  readonly _lock: Lock
}

/** A change of a trie as its `put` and `del` take it: the key is not hashed yet. */
export interface StockChange {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** Hash functions by whether they are keccak-256. */
const keccaks = new WeakMap<object, boolean>()

/**
 * Whether batches do to this trie what its own methods do: it is of the class itself, nobody has put
 * methods of his own on it, it hashes with keccak-256, and it keeps nodes that are no longer reachable.
 */
export function isBatchable(trie: MerklePatriciaTrie): boolean {
  if (!isUnmodified(trie, MerklePatriciaTrie)) return false
  if (!isUnmodified(trie.database(), CheckpointDB)) return false
  const { _opts, _lock } = internalsOf(trie)
  if (_opts.useNodePruning || typeof _lock?.acquire !== 'function') return false
  const hash = _opts.useKeyHashingFunction
  let isKeccak = keccaks.get(hash)
  if (isKeccak === undefined) {
    isKeccak = equalsBytes(hash(new Uint8Array()), KECCAK256_NULL)
    keccaks.set(hash, isKeccak)
  }
  return isKeccak
}

/** Applies changes, each key at most once, to a batchable trie. */
export async function updateStockTrie(
  trie: MerklePatriciaTrie,
  changes: readonly StockChange[],
  keccak: Keccak,
  cache?: TrieCache,
): Promise<void> {
  if (changes.length === 0) return
  const { _lock } = internalsOf(trie)
  const applied = changes.map(({ key, value }) => ({ key: applyKey(trie, key, keccak), value }))
  await _lock.acquire()
  try {
    const allocate = isInMemory(trie.database()) ? createSharedAllocator() : allocateAlone
    const options = { cache, allocate }
    const update = await updateTrie(trie.root(), sortByKey(applied), nodesOf(trie), keccak, options)
    await storeNodes(trie, update.nodes)
    trie.root(update.root)
    await trie.persistRoot()
    return
  } catch (error) {
    if (!isBrokenTrie(error)) throw error
  } finally {
    _lock.release()
  }
  await updateOneByOne(trie, changes)
}

/** Where nodes are missing, what stock makes of that is its own; nothing has been stored by then. */
export async function updateOneByOne(
  trie: MerklePatriciaTrie,
  changes: readonly StockChange[],
): Promise<void> {
  for (const { key, value } of changes) {
    if (value === null) await trie.del(key)
    else await trie.put(key, value)
  }
}

/**
 * What a batchable trie's `get` gives for each of `keys`.
 *
 * @throws ParallelError `BROKEN_TRIE` if nodes are missing; then only stock knows what it gives.
 */
export async function readStockTrie(
  trie: MerklePatriciaTrie,
  keys: readonly Uint8Array[],
  keccak: Keccak,
  cache?: TrieCache,
): Promise<(Uint8Array | null)[]> {
  const applied = keys.map((key) => applyKey(trie, key, keccak))
  const values = await readTrie(trie.root(), applied, nodesOf(trie), cache)
  return values.map((value) => (value === null ? null : value.slice()))
}

/** Whether an error says that nodes are missing or are none. */
export function isBrokenTrie(error: unknown): boolean {
  return error instanceof ParallelError && error.code === 'BROKEN_TRIE'
}

function applyKey(trie: MerklePatriciaTrie, key: Uint8Array, keccak: Keccak): Uint8Array {
  return internalsOf(trie)._opts.useKeyHashing ? keccak(key) : key
}

function internalsOf(trie: MerklePatriciaTrie): TrieInternals {
  return trie as unknown as TrieInternals
}
