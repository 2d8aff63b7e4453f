// Holds batched reading to @ethereumjs/mpt, and the cache of tries to giving what the database would.
// Authority on that old tries stay readable when new ones are made of their nodes.
import { createMPT } from '@ethereumjs/mpt'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

import { allocateAlone, createSharedAllocator } from '../../../src/state/allocate.ts'
import { type Keccak, loadKeccak } from '../../../src/state/keccak.ts'
import { readTrie } from '../../../src/state/read-trie.ts'
import { sortByKey } from '../../../src/state/sort-by-key.ts'
import { TrieCache } from '../../../src/state/trie-cache.ts'
import { EMPTY_ROOT } from '../../../src/state/trie-node.ts'
import { updateTrie } from '../../../src/state/update-trie.ts'
import { applyStock, changesOf, closeKeys, NodeStore } from '../../support/tries.ts'

let keccak: Keccak
beforeAll(async () => {
  keccak = await loadKeccak()
})

const plain = (values: readonly (Uint8Array | null)[]) =>
  values.map((value) => value && Buffer.from(value).toString('hex'))

describe('reading a trie', () => {
  it('gives what stock gives, for any keys, of any trie of a history, cached or not', async () => {
    const histories = fc.array(changesOf(closeKeys, 12), { maxLength: 5, size: 'max' })
    const lookups = fc.array(closeKeys, { maxLength: 12, size: 'max' })
    const limits = fc.constantFrom(0, 20, 1000, undefined)
    await fc.assert(
      fc.asyncProperty(
        histories,
        lookups,
        limits,
        fc.boolean(),
        async (history, keys, limit, slow) => {
          const cache = limit === undefined ? undefined : new TrieCache(limit)
          const store = new NodeStore(slow)
          const stock = await createMPT()
          const past: { root: Uint8Array; all: Uint8Array[]; values: (Uint8Array | null)[] }[] = []
          let root = EMPTY_ROOT
          for (const changes of history) {
            await applyStock(stock, changes)
            const options = { cache, allocate: slow ? createSharedAllocator() : allocateAlone }
            const update = await updateTrie(root, sortByKey(changes), store, keccak, options)
            store.add(update.nodes)
            root = update.root
            expect(Buffer.from(root)).toEqual(Buffer.from(stock.root()))
            const all = [...keys, ...changes.map(({ key }) => key)]
            const values = []
            for (const key of all) values.push(await stock.get(key))
            expect(plain(await readTrie(root, all, store, cache))).toEqual(plain(values))
            past.push({ root, all, values })
          }
          for (const { root, all, values } of past) {
            expect(plain(await readTrie(root, all, store, cache))).toEqual(plain(values))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('may go on beside updates and other readers of the same trie', async () => {
    const value = (byte: number) => new Uint8Array(40).fill(byte)
    const keys = Array.from({ length: 200 }, (_, i) => keccak(Uint8Array.of(i)))
    const filled = sortByKey(keys.map((key, i) => ({ key, value: value(i) })))
    const store = new NodeStore(true)
    const { root, nodes } = await updateTrie(EMPTY_ROOT, filled, store, keccak)
    store.add(nodes)
    const cache = new TrieCache()
    await readTrie(root, [keys[0]], store, cache)
    const reads = Array.from({ length: 10 }, (_, i) =>
      readTrie(root, keys.slice(i * 10, i * 10 + 60), store, cache),
    )
    const changes = filled.map(({ key }) => ({ key, value: value(255) }))
    const updates = [
      updateTrie(root, changes.slice(0, 100), store, keccak, { cache }),
      updateTrie(root, changes, store, keccak, { cache }),
      updateTrie(root, changes.slice(100), store, keccak, { cache }),
    ]
    for (const [i, found] of (await Promise.all(reads)).entries()) {
      expect(found).toEqual(Array.from({ length: 60 }, (_, j) => value(i * 10 + j)))
    }
    const direct = await updateTrie(root, changes, store, keccak)
    expect((await Promise.all(updates))[1].root).toEqual(direct.root)
  })

  it('reads each node once, and none again that the cache has', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => keccak(Uint8Array.of(i)))
    const entries = sortByKey(keys.map((key) => ({ key, value: new Uint8Array(40).fill(1) })))
    const store = new NodeStore()
    const { root, nodes } = await updateTrie(EMPTY_ROOT, entries, store, keccak)
    store.add(nodes)
    const cache = new TrieCache()
    await readTrie(root, keys, store, cache)
    expect(new Set(store.reads).size).toBe(nodes.length)
    expect(store.reads).toHaveLength(nodes.length)
    await readTrie(root, keys.slice(0, 9), store, cache)
    expect(store.reads).toHaveLength(nodes.length)
    const update = await updateTrie(root, [{ key: keys[0], value: null }], store, keccak, { cache })
    await readTrie(update.root, keys, store, cache)
    expect(store.reads).toHaveLength(nodes.length)
  })

  it('says so when a node is missing', async () => {
    await expect(
      readTrie(new Uint8Array(32), [new Uint8Array(32)], new NodeStore()),
    ).rejects.toMatchObject({ code: 'BROKEN_TRIE' })
  })
})

describe('the cache of tries', () => {
  it('drops everything when it has had too many nodes', async () => {
    const cache = new TrieCache(10)
    const keys = Array.from({ length: 8 }, (_, i) => keccak(Uint8Array.of(i)))
    const entries = sortByKey(keys.map((key) => ({ key, value: keccak(key) })))
    const store = new NodeStore()
    const first = await updateTrie(EMPTY_ROOT, entries.slice(0, 2), store, keccak, { cache })
    expect(cache.find(first.root)).toBeDefined()
    store.add(first.nodes)
    const second = await updateTrie(first.root, entries.slice(2), store, keccak, { cache })
    expect(cache.find(first.root)).toBeUndefined()
    expect(cache.find(second.root)).toBeUndefined()
    expect(cache.find(EMPTY_ROOT)).toBeUndefined()
  })
})
