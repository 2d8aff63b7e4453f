// Holds our flush of stock's MerkleStateManager to stock's own, call by call, on any sequence of calls.
// Authority on what a flushed manager is left like, and on which managers are declined.
import { createMPT, MerklePatriciaTrie } from '@ethereumjs/mpt'
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, MapDB } from '@ethereumjs/util'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { flushMerkleStateManager } from '../../../src/state/flush-merkle.ts'
import { canFlush } from '../../../src/state/merkle-manager.ts'
import { readMerkleAccounts, readMerkleStorage } from '../../../src/state/merkle-reads.ts'
import {
  ADDRESSES,
  createManager,
  dumpManager,
  insideOf,
  type ManagerWays,
  managerCalls,
  managerSetups,
  plainSetup,
  proveAll,
  readAll,
  SLOTS,
  stockWays,
} from '../../support/merkle-managers.ts'

const flushStock = stockWays.flush

const ourWays: ManagerWays = {
  flush: flushMerkleStateManager,
  readAccounts: readMerkleAccounts,
  readStorage: readMerkleStorage,
}

describe('flushing a MerkleStateManager', () => {
  it('leaves it as its own flush does, on any sequence of calls', async () => {
    const calls = fc.array(managerCalls, { maxLength: 40, size: 'max' })
    await fc.assert(
      fc.asyncProperty(managerSetups, calls, async (setup, sequence) => {
        const stock = await createManager(setup)
        const database = new Map<string, string | Uint8Array>()
        const ours = await createManager(setup, database)
        expect(canFlush(ours)).toBe(true)
        for (const call of sequence) {
          expect(await call(ours, ourWays)).toEqual(await call(stock, stockWays))
          expect(dumpManager(ours)).toEqual(dumpManager(stock))
        }
        while (insideOf(stock)._checkpointCount > 0) {
          for (const manager of [stock, ours]) await manager.commit()
        }
        await stock.flush()
        await flushMerkleStateManager(ours)
        expect(dumpManager(ours)).toEqual(dumpManager(stock))
        // What is stored is enough for stock, in this manager, a copy, and a new one.
        expect(await proveAll(ours)).toEqual(await proveAll(stock))
        expect(await readAll(ours.shallowCopy())).toEqual(await readAll(stock.shallowCopy()))
        const root = insideOf(ours)._trie.root()
        const fresh = await createManager(setup, database)
        await fresh.setStateRoot(root)
        await stock.setStateRoot(root)
        expect(await readAll(fresh)).toEqual(await readAll(stock))
      }),
      { numRuns: 150 },
    )
  })

  it('keeps what a revert after the flush takes back, and what a later flush finds', async () => {
    const [to] = ADDRESSES
    for (const flush of [flushStock, flushMerkleStateManager]) {
      const manager = await createManager(plainSetup)
      await manager.putAccount(to, new Account(1n))
      await manager.putStorage(to, SLOTS[0], Uint8Array.of(1))
      await flush(manager)
      const before = await manager.getStateRoot()
      await manager.checkpoint()
      await manager.checkpoint()
      await manager.putStorage(to, SLOTS[1], Uint8Array.of(2))
      await flush(manager)
      expect(insideOf(manager)._trie.root()).not.toEqual(before)
      await manager.revert()
      await manager.revert()
      expect(insideOf(manager)._trie.root()).toEqual(before)
    }
  })

  it('writes slots that only the cache knows, and empties a trie', async () => {
    const manager = await createManager(plainSetup)
    const [to] = ADDRESSES
    await manager.putAccount(to, new Account(1n))
    insideOf(manager)._caches.storage?.put(to, SLOTS[0], Uint8Array.of(5))
    await flushMerkleStateManager(manager)
    const filled = await manager.getAccount(to)
    expect(filled?.storageRoot).not.toEqual(new Account().storageRoot)
    expect(await manager.dumpStorage(to)).toEqual({
      [`0x${Buffer.from(keccak_256(SLOTS[0])).toString('hex')}`]: '0x05',
    })
    insideOf(manager)._caches.storage?.put(to, SLOTS[0], Uint8Array.of(0x80))
    await flushMerkleStateManager(manager)
    expect((await manager.getAccount(to))?.storageRoot).toEqual(new Account().storageRoot)
  })

  it('calls no method of the manager that writes', async () => {
    const manager = await createManager(plainSetup)
    await manager.putAccount(ADDRESSES[0], new Account(1n))
    await manager.putCode(ADDRESSES[0], Uint8Array.of(1))
    insideOf(manager)._caches.storage?.put(ADDRESSES[0], SLOTS[0], Uint8Array.of(5))
    const names = ['putAccount', 'modifyAccountFields', 'putCode', 'putStorage', 'flush'] as const
    const spies = names.map((name) => vi.spyOn(manager, name))
    expect(canFlush(manager)).toBe(false)
    expect(canFlush(manager, names)).toBe(true)
    await flushMerkleStateManager(manager)
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  it('loads the storage tries of several accounts at once', async () => {
    const manager = await createManager({ ...plainSetup, isForeignDatabase: true })
    for (const [i, to] of ADDRESSES.entries()) {
      await manager.putAccount(to, new Account(1n))
      for (const key of SLOTS) await manager.putStorage(to, key, Uint8Array.of(i + 1))
    }
    await manager.setStateRoot(await manager.getStateRoot())
    for (const [i, to] of ADDRESSES.entries()) {
      await manager.getAccount(to)
      insideOf(manager)._caches.storage?.put(to, SLOTS[0], Uint8Array.of(i + 10))
    }
    const { db } = insideOf(manager)._trie.database()
    const get = Object.getPrototypeOf(db).get
    const tops = new Set<unknown>()
    for (const to of ADDRESSES) {
      const account = await manager.getAccount(to)
      tops.add(Buffer.from(account?.storageRoot ?? []).toString('hex'))
    }
    expect(tops.size).toBe(ADDRESSES.length)
    let waiting = 0
    let most = 0
    const spy = vi.spyOn(Object.getPrototypeOf(db), 'get').mockImplementation(async function (
      this: unknown,
      key: unknown,
    ) {
      if (!tops.has(key)) return get.call(this, key)
      most = Math.max(most, ++waiting)
      const value = await get.call(this, key)
      waiting--
      return value
    })
    await flushMerkleStateManager(manager)
    spy.mockRestore()
    expect(most).toBe(ADDRESSES.length)
  })

  it('leaves a trie with missing nodes to stock, whatever that makes of it', async () => {
    const roots = []
    for (const flush of [flushStock, flushMerkleStateManager]) {
      const database = new Map<string, string | Uint8Array>()
      const manager = await createManager(plainSetup, database)
      for (const to of ADDRESSES) await manager.putAccount(to, new Account(1n))
      await manager.flush()
      const root = insideOf(manager)._trie.root()
      for (const key of database.keys()) {
        if (key !== Buffer.from(root).toString('hex')) database.delete(key)
      }
      await manager.putAccount(ADDRESSES[0], new Account(2n))
      await flush(manager)
      roots.push(insideOf(manager)._trie.root())
    }
    expect(roots[1]).toEqual(roots[0])
  })
})

describe('a manager that is declined', () => {
  const caches = () => new Caches()

  it('is not of the class itself, or has methods of its own', async () => {
    class Derived extends MerkleStateManager {}
    expect(canFlush(new Derived({ caches: caches() }))).toBe(false)
    expect(canFlush({})).toBe(false)
    const manager = new MerkleStateManager({ caches: caches() })
    expect(canFlush(manager)).toBe(true)
    manager.getAccount = async () => undefined
    expect(canFlush(manager)).toBe(false)
    expect(canFlush(manager, ['getAccount'])).toBe(true)
  })

  it('has no cache for accounts or for storage, or caches of a class of the user', () => {
    expect(canFlush(new MerkleStateManager())).toBe(false)
    for (const lacking of ['account', 'storage'] as const) {
      const some = new Caches({ [lacking]: { size: 0 } })
      expect(canFlush(new MerkleStateManager({ caches: some }))).toBe(false)
    }
    expect(canFlush(new MerkleStateManager({ caches: new Caches({ code: { size: 0 } }) }))).toBe(
      true,
    )
    class Derived extends Caches {}
    expect(canFlush(new MerkleStateManager({ caches: new Derived() }))).toBe(false)
    for (const name of ['account', 'storage', 'code'] as const) {
      const touched = caches()
      vi.spyOn(touched[name] as NonNullable<Caches['account']>, 'flush')
      expect(canFlush(new MerkleStateManager({ caches: touched }))).toBe(false)
    }
  })

  it('has a trie that prunes, hashes otherwise, or is not of the class itself', async () => {
    const accepts = (trie: MerklePatriciaTrie) =>
      canFlush(new MerkleStateManager({ trie, caches: caches() }))
    expect(accepts(await createMPT({ useKeyHashing: true }))).toBe(true)
    expect(accepts(await createMPT({ useKeyHashing: true, useNodePruning: true }))).toBe(false)
    expect(accepts(await createMPT({ useKeyHashingFunction: (bytes) => keccak_256(bytes) }))).toBe(
      true,
    )
    expect(accepts(await createMPT({ useKeyHashingFunction: sha256 }))).toBe(false)
    class Derived extends MerklePatriciaTrie {}
    expect(accepts(new Derived({ db: new MapDB() }))).toBe(false)
    const spied = await createMPT()
    vi.spyOn(spied.database(), 'put')
    expect(accepts(spied)).toBe(false)
  })

  it('has a storage trie that does not take batches, which stock then updates', async () => {
    const managers = [await createManager(plainSetup), await createManager(plainSetup)]
    for (const manager of managers) {
      await manager.putAccount(ADDRESSES[0], new Account(1n))
      await manager.putStorage(ADDRESSES[0], SLOTS[0], Uint8Array.of(1))
      insideOf(manager)._caches.storage?.put(ADDRESSES[0], SLOTS[1], Uint8Array.of(5))
    }
    const [stock, ours] = managers
    const puts = Object.values(insideOf(ours)._storageTries).map((trie) => vi.spyOn(trie, 'put'))
    await stock.flush()
    await flushMerkleStateManager(ours)
    expect(puts.some((put) => put.mock.calls.length > 0)).toBe(true)
    expect(dumpManager(ours)).toEqual(dumpManager(stock))
  })
})
