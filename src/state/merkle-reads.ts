// Reads many accounts, or many slots of an account, of a MerkleStateManager in one descent.
// Authority on being equal to its `getAccount` and `getStorage`, with what they leave in the caches.
// Must not be used on managers that `canFlush` does not accept.

import type { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { type Account, type Address, createAccountFromRLP } from '@ethereumjs/util'
import { hexOf } from './hex.ts'
import { type Keccak, loadKeccak } from './keccak.ts'
import { internalsOf, type ManagerInternals, trieCacheOf } from './merkle-manager.ts'
import { isBatchable, isBrokenTrie, readStockTrie } from './stock-trie.ts'

/** What a trie has, by address or slot in hex; `null` for what it does not have. */
export type ReadAhead = ReadonlyMap<string, Uint8Array | null>

const NOTHING: ReadAhead = new Map()

/** RLP of nothing: what stock's cache holds for a slot that is known to be empty. */
const EMPTY_SLOT = 0x80

/** What `getAccount` gives for each of `addresses`, in their order. */
export async function readMerkleAccounts(
  manager: MerkleStateManager,
  addresses: readonly Address[],
): Promise<(Account | undefined)[]> {
  const internals = internalsOf(manager)
  const ahead = await readAccountsAhead(internals, addresses, await loadKeccak())
  const accounts: (Account | undefined)[] = []
  for (const address of addresses) accounts.push(await getAccount(internals, address, ahead))
  return accounts
}

/** What `getStorage` gives for each of `keys` of an account, in their order. */
export async function readMerkleStorage(
  manager: MerkleStateManager,
  address: Address,
  keys: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const internals = internalsOf(manager)
  const ahead = await readSlotsAhead(internals, address, keys, await loadKeccak())
  const { storage } = internals._caches
  const values: Uint8Array[] = []
  for (const key of keys) {
    const read = ahead.get(hexOf(key))
    // Looked up even so: a key may come twice, and somebody may have written it while we read.
    if (read !== undefined && storage.get(address, key) === undefined) {
      storage.put(address, key, read ?? Uint8Array.of(EMPTY_SLOT))
    }
    values.push(await getSlot(manager, address, key))
  }
  return values
}

/** What `getStorage` gives, without promises where the cache knows. */
function getSlot(
  manager: MerkleStateManager,
  address: Address,
  key: Uint8Array,
): Uint8Array | Promise<Uint8Array> {
  const cached =
    key.length === 32 ? internalsOf(manager)._caches.storage.get(address, key) : undefined
  return cached === undefined
    ? manager.getStorage(address, key)
    : (RLP.decode(cached) as Uint8Array)
}

/** Reads those accounts from the trie that the cache does not know, and leaves the cache alone. */
export async function readAccountsAhead(
  manager: ManagerInternals,
  addresses: readonly Address[],
  keccak: Keccak,
): Promise<ReadAhead> {
  const { _lruCache, _orderedMapCache } = manager._caches.account
  const missing = new Map<string, Uint8Array>()
  for (const { bytes } of addresses) {
    const name = hexOf(bytes)
    const isKnown = _lruCache?.has(name) ?? _orderedMapCache?.getElementByKey(name) !== undefined
    if (!isKnown) missing.set(name, bytes)
  }
  return readAhead(manager, manager._trie, missing, keccak)
}

/** What `getAccount` gives; what was read ahead is not read again. */
export async function getAccount(
  manager: ManagerInternals,
  address: Address,
  ahead: ReadAhead,
): Promise<Account | undefined> {
  const { account: accounts } = manager._caches
  const rlp = ahead.get(hexOf(address.bytes))
  const cached = accounts.get(address)
  if (cached !== undefined) {
    return cached.accountRLP === undefined ? undefined : createAccountFromRLP(cached.accountRLP)
  }
  if (rlp === undefined) return (manager as unknown as MerkleStateManager).getAccount(address)
  const account = rlp === null ? undefined : createAccountFromRLP(rlp)
  accounts.put(address, account)
  return account
}

/** Reads those slots from the trie that the cache does not know, and leaves that cache alone. */
async function readSlotsAhead(
  manager: ManagerInternals,
  address: Address,
  keys: readonly Uint8Array[],
  keccak: Keccak,
): Promise<ReadAhead> {
  // Stock refuses a key of another length, and looks at nothing for it.
  if (keys.length === 0 || keys.some((key) => key.length !== 32)) return NOTHING
  const known = manager._caches.storage.dump(address)
  const missing = new Map<string, Uint8Array>()
  for (const key of keys) {
    const name = hexOf(key)
    if (known?.get(name) === undefined) missing.set(name, key)
  }
  if (missing.size === 0) return NOTHING
  const ahead = await readAccountsAhead(manager, [address], keccak)
  const account = await getAccount(manager, address, ahead)
  if (account === undefined) return NOTHING
  const trie = manager._getStorageTrie(keccak(address.bytes), account)
  return readAhead(manager, trie, missing, keccak)
}

async function readAhead(
  manager: ManagerInternals,
  trie: MerklePatriciaTrie,
  keys: ReadonlyMap<string, Uint8Array>,
  keccak: Keccak,
): Promise<ReadAhead> {
  if (keys.size === 0 || !isBatchable(trie)) return NOTHING
  try {
    const values = await readStockTrie(trie, [...keys.values()], keccak, trieCacheOf(manager))
    return new Map([...keys.keys()].map((name, i) => [name, values[i]]))
  } catch (error) {
    // What stock makes of missing nodes is its own.
    if (isBrokenTrie(error)) return NOTHING
    throw error
  }
}
