// Looks into the tries of a state on disk: what they have in the order of their keys, and proofs.
// Authority on nothing: stock's own state manager looks, over the nodes that are stored. Changes nothing.

import type { Common, Proof, StorageDump, StorageRange } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { getMerkleStateProof, MerkleStateManager } from '@ethereumjs/statemanager'
import type { Address, DB } from '@ethereumjs/util'
import type { DiskData } from './disk-data.ts'
import { bytesOfHex } from './hex.ts'
import { HASH_LENGTH } from './trie-node.ts'

/** What `dumpStorage` of stock's managers gives. */
export async function dumpDiskStorage(
  data: DiskData,
  common: Common,
  address: Address,
): Promise<StorageDump> {
  return (await managerOver(data, common)).dumpStorage(address)
}

/** What `dumpStorageRange` of a flat state gives: `nextKey` is the next, where stock names the last. */
export async function dumpDiskRange(
  data: DiskData,
  common: Common,
  address: Address,
  startKey: bigint,
  limit: number,
): Promise<StorageRange> {
  const manager = await managerOver(data, common)
  const storage: StorageRange['storage'] = Object.create(null)
  // Refuses an account that does not exist.
  await manager.dumpStorageRange(address, startKey, 0)
  const dump = await manager.dumpStorage(address)
  let count = 0
  for (const name of Object.keys(dump).sort()) {
    if (BigInt(name) < startKey) continue
    if (count === limit) return { storage, nextKey: name }
    storage[name] = { key: null, value: dump[name] }
    count++
  }
  return { storage, nextKey: null }
}

/** An EIP-1186 proof. */
export async function proveOnDisk(
  data: DiskData,
  common: Common,
  address: Address,
  slots: readonly Uint8Array[],
): Promise<Proof> {
  return getMerkleStateProof(await managerOver(data, common), address, [...slots])
}

async function managerOver(data: DiskData, common: Common): Promise<MerkleStateManager> {
  const root = data.root()
  const nodes = data.nodes()
  const db: DB<string, string> = {
    // Names of nodes of storage tries begin with a part of their account's.
    get: async (name) => {
      const rlp = await nodes.get(bytesOfHex(name.slice(-2 * HASH_LENGTH)))
      return rlp === undefined ? undefined : Buffer.from(rlp).toString('hex')
    },
    put: async () => {},
    del: async () => {},
    batch: async () => {},
    shallowCopy: () => db,
    open: async () => {},
  }
  const trie = await createMPT({ db, root, useKeyHashing: true, common, useRootPersistence: false })
  return new MerkleStateManager({ trie, common })
}
