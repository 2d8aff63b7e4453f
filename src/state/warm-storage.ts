// Loads the storage tries of many accounts at once into the cache of tries, where a database is slow.
// Authority on nothing: what is loaded here is not loaded later, and all else goes on as without it.
// Must leave no trace in the manager, neither in its caches nor among its storage tries.

import type { Address } from '@ethereumjs/util'
import { createAccountFromRLP } from '@ethereumjs/util'
import { hexOf } from './hex.ts'
import type { Keccak } from './keccak.ts'
import { type ManagerInternals, trieCacheOf } from './merkle-manager.ts'
import type { ReadAhead } from './merkle-reads.ts'
import { isInMemory } from './stock-nodes.ts'
import { isBatchable, readStockTrie } from './stock-trie.ts'

/** Slots of an account that will be looked for. */
export interface WantedSlots {
  readonly address: Address
  readonly addressHex: string
  readonly changes: readonly { readonly key: Uint8Array }[]
}

/** Loads what leads to these slots. `ahead` has accounts that the manager's cache does not know. */
export async function warmStorage(
  manager: ManagerInternals,
  wanted: readonly WantedSlots[],
  ahead: ReadAhead,
  keccak: Keccak,
): Promise<void> {
  if (wanted.length < 2 || isInMemory(manager._trie.database())) return
  await Promise.all(
    wanted.map(async (slots) => {
      try {
        await warmTrie(manager, slots, ahead, keccak)
      } catch {
        // Whoever needs the nodes will meet the same error, at the place where stock would.
      }
    }),
  )
}

async function warmTrie(
  manager: ManagerInternals,
  { address, addressHex, changes }: WantedSlots,
  ahead: ReadAhead,
  keccak: Keccak,
): Promise<void> {
  const { _lruCache, _orderedMapCache } = manager._caches.account
  const cached = _lruCache?.peek(addressHex) ?? _orderedMapCache?.getElementByKey(addressHex)
  const rlp = cached === undefined ? ahead.get(addressHex) : cached.accountRLP
  if (rlp === undefined || rlp === null) return
  const hash = keccak(address.bytes)
  let trie = manager._storageTries[hexOf(hash)]
  if (trie === undefined) {
    const keyPrefix = manager._prefixStorageTrieKeys ? hash.slice(0, 7) : undefined
    trie = manager._trie.shallowCopy(false, { keyPrefix })
    trie.root(createAccountFromRLP(rlp).storageRoot)
  }
  if (!isBatchable(trie)) return
  const keys = changes.map(({ key }) => key)
  await readStockTrie(trie, keys, keccak, trieCacheOf(manager))
}
