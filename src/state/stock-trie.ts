// Reads and writes the tries of @ethereumjs/mpt through their own databases, in batches.
// Authority on what such a trie is left like: as its own `put` and `del` would leave it, except that
// nodes of the states in between are not stored. Must not be used on tries that it does not accept.

import { CheckpointDB, MerklePatriciaTrie } from '@ethereumjs/mpt'
import { equalsBytes, KECCAK256_NULL, type Lock, MapDB, ValueEncoding } from '@ethereumjs/util'
import { ParallelError } from '../errors.ts'
import type { NewNode } from './hash-nodes.ts'
import type { Keccak } from './keccak.ts'
import type { NodeSource } from './load-paths.ts'
import { HASH_LENGTH } from './trie-node.ts'
import { sortChanges, type TrieChange, updateTrie } from './update-trie.ts'

/** What we use of a trie beyond its public methods. */
interface TrieInternals {
  readonly _opts: {
    readonly useKeyHashing: boolean
    readonly useKeyHashingFunction: Keccak
    readonly useNodePruning: boolean
    readonly keyPrefix?: Uint8Array
  }
  readonly _lock: Lock
}

interface DatabaseInternals {
  readonly valueEncoding: ValueEncoding
  readonly _cache?: object
}

type StringMap = MapDB<string, string | Uint8Array>

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

/** Whether `object` is of just this class, and has no method of its own but `allowed` ones. */
export function isUnmodified(
  object: object,
  itsClass: { readonly prototype: object },
  allowed: readonly string[] = [],
): boolean {
  return (
    Object.getPrototypeOf(object) === itsClass.prototype &&
    Object.getOwnPropertyNames(object).every(
      (name) => !(name in itsClass.prototype) || allowed.includes(name),
    )
  )
}

/** Applies changes, each key at most once, to a batchable trie. */
export async function updateStockTrie(
  trie: MerklePatriciaTrie,
  changes: readonly StockChange[],
  keccak: Keccak,
): Promise<void> {
  if (changes.length === 0) return
  const { _lock, _opts } = internalsOf(trie)
  const hashed: TrieChange[] = _opts.useKeyHashing
    ? changes.map(({ key, value }) => ({ key: keccak(key), value }))
    : [...changes]
  await _lock.acquire()
  try {
    const update = await updateTrie(trie.root(), sortChanges(hashed), nodesOf(trie), keccak)
    await storeNodes(trie, update.nodes)
    trie.root(update.root)
    await trie.persistRoot()
    return
  } catch (error) {
    if (!(error instanceof ParallelError && error.code === 'BROKEN_TRIE')) throw error
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

/** The nodes of a batchable trie. */
export function nodesOf(trie: MerklePatriciaTrie): NodeSource {
  const database = trie.database()
  const { checkpoints, db } = database
  const { valueEncoding, _cache } = database as unknown as DatabaseInternals
  const name = namer(trie)
  // Going through the methods of a map in memory costs more than looking into it.
  const map =
    isUnmodified(db, MapDB) && _cache === undefined ? (db as StringMap)._database : undefined
  return {
    get: (hash) => {
      if (map === undefined) return database.get(Buffer.from(name(hash), 'hex'))
      const key = name(hash)
      for (let i = checkpoints.length - 1; i >= 0; i--) {
        if (checkpoints[i].keyValueMap.has(key)) return checkpoints[i].keyValueMap.get(key)
      }
      const value = map.get(key)
      if (value instanceof Uint8Array) return value
      return typeof value === 'string' && valueEncoding === ValueEncoding.String
        ? bytesOfHex(value)
        : undefined
    },
  }
}

async function storeNodes(trie: MerklePatriciaTrie, nodes: readonly NewNode[]): Promise<void> {
  const database = trie.database()
  const name = namer(trie)
  const checkpoint = database.checkpoints.at(-1)
  if (checkpoint !== undefined) {
    for (const { hash, rlp } of nodes) checkpoint.keyValueMap.set(name(hash), rlp)
    return
  }
  if (nodes.length === 0) return
  const { valueEncoding } = database as unknown as DatabaseInternals
  database._stats.db.writes += nodes.length
  await database.db.batch(
    nodes.map(({ hash, rlp }) => ({
      type: 'put',
      key: name(hash),
      value: valueEncoding === ValueEncoding.String ? hexOf(rlp) : rlp,
      opts: { valueEncoding },
    })),
  )
}

/** Gives the names that a trie's database has for nodes: hash, after the trie's prefix, in hex. */
function namer(trie: MerklePatriciaTrie): (hash: Uint8Array) => string {
  const { keyPrefix } = internalsOf(trie)._opts
  if (keyPrefix === undefined) return hexOf
  const prefix = hexOf(keyPrefix)
  return (hash) => prefix + hexOf(hash)
}

/** Hashes are named one after the other, so that they need not each become a Buffer first. */
const hashScratch = Buffer.alloc(HASH_LENGTH)

function hexOf(bytes: Uint8Array): string {
  if (bytes.length === HASH_LENGTH) {
    hashScratch.set(bytes)
    return hashScratch.toString('hex')
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** Not a Buffer, nor a part of a larger one: these bytes are kept, and may reach the user. */
function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1)
  Buffer.from(bytes.buffer).write(hex, 'hex')
  return bytes
}

function internalsOf(trie: MerklePatriciaTrie): TrieInternals {
  return trie as unknown as TrieInternals
}
