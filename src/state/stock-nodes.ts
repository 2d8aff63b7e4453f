// Reads and stores nodes in the database of a trie of @ethereumjs/mpt, under its open checkpoint.
// Authority on what such a database has: as the trie's own methods would read and write it, except that
// reading leaves no copies in the checkpoint. Only for tries that `isBatchable` accepts.

import type { CheckpointDB, MerklePatriciaTrie } from '@ethereumjs/mpt'
import { MapDB, ValueEncoding } from '@ethereumjs/util'
import type { NewNode } from './hash-nodes.ts'
import { bytesOfHex, hexOf } from './hex.ts'
import type { NodeSource } from './load-paths.ts'
import { isUnmodified } from './unmodified.ts'

type StringMap = MapDB<string, string | Uint8Array>

/** What we use of a database beyond its public fields. */
interface DatabaseInternals {
  readonly valueEncoding: ValueEncoding
  readonly _cache?: object
}

/** Whether nodes can be read without waiting for a database. */
export function isInMemory(database: CheckpointDB): boolean {
  return mapOf(database) !== undefined
}

/** The nodes of a trie. */
export function nodesOf(trie: MerklePatriciaTrie): NodeSource {
  const database = trie.database()
  const { checkpoints } = database
  const name = namer(trie)
  const map = mapOf(database)
  if (map === undefined) return { get: (hash) => database.get(bytesOfHex(name(hash))) }
  const isString = internalsOf(database).valueEncoding === ValueEncoding.String
  return {
    get: (hash) => {
      const key = name(hash)
      for (let i = checkpoints.length - 1; i >= 0; i--) {
        if (checkpoints[i].keyValueMap.has(key)) return checkpoints[i].keyValueMap.get(key)
      }
      const value = map.get(key)
      if (value instanceof Uint8Array) return value
      return isString && typeof value === 'string' ? bytesOfHex(value) : undefined
    },
  }
}

/** Stores the nodes of an update of a trie. */
export async function storeNodes(
  trie: MerklePatriciaTrie,
  nodes: readonly NewNode[],
): Promise<void> {
  const database = trie.database()
  const name = namer(trie)
  const checkpoint = database.checkpoints.at(-1)
  if (checkpoint !== undefined) {
    for (const { hash, rlp } of nodes) checkpoint.keyValueMap.set(name(hash), rlp)
    return
  }
  if (nodes.length === 0) return
  const { valueEncoding } = internalsOf(database)
  const isString = valueEncoding === ValueEncoding.String
  database._stats.db.writes += nodes.length
  const map = mapOf(database)
  if (map !== undefined) {
    for (const { hash, rlp } of nodes) map.set(name(hash), isString ? hexOf(rlp) : rlp)
    return
  }
  await database.db.batch(
    nodes.map(({ hash, rlp }) => ({
      type: 'put',
      key: name(hash),
      value: isString ? hexOf(rlp) : rlp,
      opts: { valueEncoding },
    })),
  )
}

/** The map that nodes are in, if the database is nothing but one: to look into that costs least. */
function mapOf(database: CheckpointDB): StringMap['_database'] | undefined {
  const { db } = database
  if (internalsOf(database)._cache !== undefined || !isUnmodified(db, MapDB)) return undefined
  return (db as StringMap)._database
}

/** Gives the names that a trie's database has for nodes: hash, after the trie's prefix, in hex. */
function namer(trie: MerklePatriciaTrie): (hash: Uint8Array) => string {
  const { keyPrefix } = (trie as unknown as { _opts: { keyPrefix?: Uint8Array } })._opts
  if (keyPrefix === undefined) return hexOf
  const prefix = hexOf(keyPrefix)
  return (hash) => prefix + hexOf(hash)
}

function internalsOf(database: CheckpointDB): DatabaseInternals {
  return database as unknown as DatabaseInternals
}
