// What we use of stock's MerkleStateManager beyond its public methods, and when that may be used.
// Authority on which managers are stock's own in every part that matters. Must not change any.

import type { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import {
  AccountCache,
  Caches,
  CodeCache,
  MerkleStateManager,
  StorageCache,
} from '@ethereumjs/statemanager'
import type { Account, Address } from '@ethereumjs/util'
import { isBatchable } from './stock-trie.ts'
import { TrieCache } from './trie-cache.ts'
import { isUnmodified } from './unmodified.ts'

/** The inside of a manager that {@link canFlush} accepts. */
export interface ManagerInternals {
  readonly _caches: Caches & { readonly account: AccountCache; readonly storage: StorageCache }
  readonly _trie: MerklePatriciaTrie
  readonly _storageTries: Record<string, MerklePatriciaTrie>
  readonly _prefixCodeHashes: boolean
  readonly _prefixStorageTrieKeys: boolean
  _getStorageTrie(addressHash: Uint8Array, account?: Account): MerklePatriciaTrie
}

/**
 * Whether {@link flushMerkleStateManager} and the batched reads do to `manager` what its own methods do:
 * it and its parts are of stock's classes (not of subclasses), nobody has put methods of his own on them,
 * it has caches for accounts and storage, and its trie hashes with keccak-256 and prunes nothing.
 *
 * @param covered - Methods that the caller has covered on this manager, and knows to pass on.
 */
export function canFlush(
  manager: object,
  covered: readonly string[] = [],
): manager is MerkleStateManager {
  if (!isUnmodified(manager, MerkleStateManager, covered)) return false
  const internals = internalsOf(manager)
  const { _caches, _trie, _storageTries, _prefixCodeHashes, _prefixStorageTrieKeys } = internals
  if (_caches === undefined || !isUnmodified(_caches, Caches)) return false
  const { account, storage, code } = _caches
  return (
    account !== undefined &&
    isUnmodified(account, AccountCache) &&
    storage !== undefined &&
    isUnmodified(storage, StorageCache) &&
    (code === undefined || isUnmodified(code, CodeCache)) &&
    typeof _storageTries === 'object' &&
    typeof _prefixCodeHashes === 'boolean' &&
    typeof _prefixStorageTrieKeys === 'boolean' &&
    isBatchable(_trie)
  )
}

const caches = new WeakMap<object, TrieCache>()

/** The cache for the tries of a manager: one for all of them, since they share a database. */
export function trieCacheOf({ _trie }: ManagerInternals): TrieCache {
  const database = _trie.database()
  let cache = caches.get(database)
  if (cache === undefined) {
    cache = new TrieCache()
    caches.set(database, cache)
  }
  return cache
}

/** The inside of a manager; only of one that {@link canFlush} accepts. */
export function internalsOf(manager: object): ManagerInternals {
  return manager as unknown as ManagerInternals
}

/**
 * Puts a slot (32-byte key, value without leading zeros) into the storage cache alone. The manager's own
 * `putStorage` writes it into the trie as well, which its next flush does once more.
 */
export function putStorageInCache(
  manager: MerkleStateManager,
  address: Address,
  key: Uint8Array,
  value: Uint8Array,
): void {
  internalsOf(manager)._caches.storage.put(address, key, RLP.encode(value))
}
