// Holds batched reads of a MerkleStateManager to its own methods, where nodes are read and where not.
// Authority on how often nodes are read. Random sequences of calls are in the tests of the flush.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account } from '@ethereumjs/util'
import { describe, expect, it, vi } from 'vitest'

import { flushMerkleStateManager } from '../../../src/state/flush-merkle.ts'
import { readMerkleAccounts, readMerkleStorage } from '../../../src/state/merkle-reads.ts'
import {
  ADDRESSES,
  createManager,
  dumpManager,
  insideOf,
  plainSetup,
  SLOTS,
  stockWays,
} from '../../support/merkle-managers.ts'

/** Two accounts, the first with two slots; everything is in the tries and nothing in the caches. */
async function filledManager(
  database = new Map<string, string | Uint8Array>(),
): Promise<MerkleStateManager> {
  const manager = await createManager(plainSetup, database)
  for (const at of ADDRESSES.slice(0, 2)) await manager.putAccount(at, new Account(1n, 5n))
  for (const key of SLOTS.slice(0, 2)) await manager.putStorage(ADDRESSES[0], key, key.slice(-1))
  await manager.flush()
  const root = await manager.getStateRoot()
  await manager.setStateRoot(root)
  return manager
}

describe('reading many accounts', () => {
  it('gives what there is, in any order and repeatedly, and leaves it in the cache', async () => {
    const [a, b, c] = ADDRESSES
    const ours = await filledManager()
    const stock = await filledManager()
    const found = await readMerkleAccounts(ours, [c, b, a, b])
    expect(found).toEqual(await stockWays.readAccounts(stock, [c, b, a, b]))
    expect(found.map((account) => account?.balance)).toEqual([undefined, 5n, 5n, 5n])
    expect(dumpManager(ours)).toEqual(dumpManager(stock))
    const get = vi.spyOn(insideOf(ours)._trie, 'get')
    await ours.getAccount(a)
    await ours.getAccount(c)
    expect(get).not.toHaveBeenCalled()
    expect(await readMerkleAccounts(ours, [])).toEqual([])
  })

  it('gives copies, which change nothing', async () => {
    const manager = await filledManager()
    const [first] = await readMerkleAccounts(manager, [ADDRESSES[0]])
    first?.storageRoot.fill(0)
    first?.codeHash.fill(0)
    const [again] = await readMerkleAccounts(manager, [ADDRESSES[0]])
    expect(again?.isContract()).toBe(false)
    expect(Buffer.compare(again?.storageRoot ?? ([0] as never), new Uint8Array(32))).not.toBe(0)
  })

  it('does not go through the trie, but for nodes that are missing', async () => {
    const database = new Map<string, string | Uint8Array>()
    const manager = await filledManager(database)
    const get = vi.spyOn(manager, 'getAccount')
    await readMerkleAccounts(manager, ADDRESSES)
    expect(get).not.toHaveBeenCalled()
    const root = Buffer.from(insideOf(manager)._trie.root()).toString('hex')
    for (const name of database.keys()) if (name !== root) database.delete(name)
    const poor = await createManager(plainSetup, database)
    await poor.setStateRoot(Buffer.from(root, 'hex'))
    const stock = await createManager(plainSetup, database)
    await stock.setStateRoot(Buffer.from(root, 'hex'))
    const found = await readMerkleAccounts(poor, ADDRESSES)
    expect(found).toEqual(await stockWays.readAccounts(stock, ADDRESSES))
    expect(dumpManager(poor)).toEqual(dumpManager(stock))
  })
})

describe('reading many slots', () => {
  it('gives what there is, in any order and repeatedly, and leaves it in the cache', async () => {
    const ours = await filledManager()
    const stock = await filledManager()
    const keys = [SLOTS[2], SLOTS[1], SLOTS[0], SLOTS[1]]
    const found = await readMerkleStorage(ours, ADDRESSES[0], keys)
    expect(found).toEqual(await stockWays.readStorage(stock, ADDRESSES[0], keys))
    expect(found.map((value) => [...value])).toEqual([[], [2], [1], [2]])
    expect(dumpManager(ours)).toEqual(dumpManager(stock))
    const tries = Object.values(insideOf(ours)._storageTries)
    expect(tries).toHaveLength(1)
    const get = vi.spyOn(tries[0], 'get')
    await ours.getStorage(ADDRESSES[0], SLOTS[0])
    expect(get).not.toHaveBeenCalled()
  })

  it('gives nothing for an account without storage, and for none', async () => {
    const manager = await filledManager()
    for (const at of [ADDRESSES[1], ADDRESSES[2]]) {
      expect(await readMerkleStorage(manager, at, SLOTS.slice(0, 2))).toEqual([
        new Uint8Array(),
        new Uint8Array(),
      ])
    }
    expect(await readMerkleStorage(manager, ADDRESSES[0], [])).toEqual([])
  })

  it('refuses keys of another length as stock does', async () => {
    const manager = await filledManager()
    const read = readMerkleStorage(manager, ADDRESSES[0], [SLOTS[0], Uint8Array.of(1)])
    await expect(read).rejects.toThrow('Storage key must be 32 bytes long')
  })
})

describe('what has been read or flushed', () => {
  it('is in memory of its own, and in no Buffer, whatever the database answers with', async () => {
    const database = new Map<string, string | Uint8Array>()
    const root = await (await filledManager(database)).getStateRoot()
    const manager = await createManager({ ...plainSetup, isForeignDatabase: true }, database)
    await manager.setStateRoot(root)
    await readMerkleStorage(manager, ADDRESSES[0], SLOTS)
    await readMerkleAccounts(manager, ADDRESSES)
    const { storage, account } = insideOf(manager)._caches
    const kept = [
      ...(storage?.dump(ADDRESSES[0])?.values() ?? []),
      account?.get(ADDRESSES[0])?.accountRLP,
    ]
    expect(kept).toHaveLength(SLOTS.length + 1)
    for (const bytes of kept) {
      expect(bytes?.constructor).toBe(Uint8Array)
      expect(bytes?.buffer.byteLength).toBe(bytes?.length)
    }
  })

  it('is not read from the database again', async () => {
    const manager = await createManager({ ...plainSetup, isForeignDatabase: true })
    for (const at of ADDRESSES) await manager.putAccount(at, new Account(1n))
    await manager.flush()
    manager.clearCaches()
    const read = vi.spyOn(insideOf(manager)._trie.database().db, 'get')
    await readMerkleAccounts(manager, ADDRESSES)
    const reads = read.mock.calls.length
    expect(reads).toBeGreaterThan(0)
    manager.clearCaches()
    await readMerkleAccounts(manager, ADDRESSES)
    expect(read.mock.calls.length).toBe(reads)
    for (const at of ADDRESSES) await manager.putAccount(at, new Account(2n))
    await flushMerkleStateManager(manager)
    manager.clearCaches()
    const found = await readMerkleAccounts(manager, ADDRESSES)
    expect(found.map((account) => account?.nonce)).toEqual(ADDRESSES.map(() => 2n))
    expect(read.mock.calls.length).toBe(reads)
  })
})
