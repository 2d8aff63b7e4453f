// Holds the batched trie to @ethereumjs/mpt: equal roots on any history, and nodes that stock reads.
// Authority on that each node is read and hashed once. Keys are made close, so that branches collapse.
import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

import { type Keccak, loadKeccak } from '../../../src/state/keccak.ts'
import { sortByKey } from '../../../src/state/sort-by-key.ts'
import { EMPTY_ROOT, isEmptyRoot } from '../../../src/state/trie-node.ts'
import { buildTrie, type TrieChange, updateTrie } from '../../../src/state/update-trie.ts'
import { applyStock, changesOf, closeKeys, NodeStore, trieValues } from '../../support/tries.ts'

let keccak: Keccak
beforeAll(async () => {
  keccak = await loadKeccak()
})

/** A key whose nibbles are `start`, zeros, and `end`. */
function keyOf(start: string, end = ''): Uint8Array {
  return Uint8Array.from(
    Buffer.from(start + '0'.repeat(64 - start.length - end.length) + end, 'hex'),
  )
}

const big = (byte: number) => new Uint8Array(40).fill(byte)

/** Applies batches, each to the result of the one before. */
async function rootAfter(store: NodeStore, ...batches: TrieChange[][]): Promise<Uint8Array> {
  let root = EMPTY_ROOT
  for (const changes of batches) {
    const update = await updateTrie(root, sortByKey(changes), store, keccak)
    store.add(update.nodes)
    root = update.root
  }
  return root
}

describe('updating a trie', () => {
  it('gives the roots of stock on any history, and nodes that stock reads', async () => {
    const batches = fc.array(changesOf(closeKeys, 12), { maxLength: 6, size: 'max' })
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), async (history, isSlow) => {
        const store = new NodeStore(isSlow)
        const stock = await createMPT()
        const entries = new Map<string, Uint8Array | null>()
        let root = EMPTY_ROOT
        for (const changes of history) {
          await applyStock(stock, changes)
          const update = await updateTrie(root, sortByKey([...changes]), store, keccak)
          store.add(update.nodes)
          root = update.root
          expect(Buffer.from(root)).toEqual(Buffer.from(stock.root()))
          for (const { key, value } of changes) entries.set(Buffer.from(key).toString('hex'), value)
        }
        const reader = await store.stockTrie(root)
        for (const [key, value] of entries) {
          const read = await reader.get(Buffer.from(key, 'hex'), !isEmptyRoot(root))
          expect(read && Buffer.from(read)).toEqual(value && Buffer.from(value))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('gives the roots of stock on keys that lie far apart', async () => {
    const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })
    await fc.assert(
      fc.asyncProperty(changesOf(keys, 60), changesOf(keys, 20), async (first, second) => {
        const stock = await createMPT()
        await applyStock(stock, [...first, ...second])
        const again = first.slice(0, 5).map(({ key }) => ({ key, value: null }))
        const overlap = again.filter(
          ({ key }) => !second.some((c) => Buffer.compare(c.key, key) === 0),
        )
        await applyStock(stock, overlap)
        const root = await rootAfter(new NodeStore(), first, [...second, ...overlap])
        expect(Buffer.from(root)).toEqual(Buffer.from(stock.root()))
      }),
      { numRuns: 100 },
    )
  })

  it('ends at the empty root when everything is deleted, and starts from it', async () => {
    const keys = [keyOf('12'), keyOf('13'), keyOf('2')]
    const put = keys.map((key, i) => ({ key, value: big(i) }))
    const del = keys.map((key) => ({ key, value: null }))
    expect(await rootAfter(new NodeStore(), put, del)).toEqual(EMPTY_ROOT)
    expect(await rootAfter(new NodeStore(), del)).toEqual(EMPTY_ROOT)
    expect(await rootAfter(new NodeStore(), put, del, put)).toEqual(
      await rootAfter(new NodeStore(), put),
    )
    expect(await rootAfter(new NodeStore())).toEqual(EMPTY_ROOT)
  })

  it('stores nothing when values are as they were, or what is deleted is not there', async () => {
    const store = new NodeStore()
    const put = [keyOf('12'), keyOf('13'), keyOf('13', '1'), keyOf('2')].map((key) => ({
      key,
      value: big(key[0]),
    }))
    const root = await rootAfter(store, put)
    const absent = ['0', '11', '14', '131', '3'].map((start) => ({
      key: keyOf(start),
      value: null,
    }))
    const update = await updateTrie(root, sortByKey([...put, ...absent]), store, keccak)
    expect(update).toEqual({ root, nodes: [] })
  })

  it('reads each node on the way once, and a sibling only where a branch collapses', async () => {
    const store = new NodeStore()
    const put = ['11', '12', '21', '22', '31'].map((start) => ({
      key: keyOf(start),
      value: big(Number(start)),
    }))
    const root = await rootAfter(store, put)
    store.reads.length = 0
    await updateTrie(root, [{ key: keyOf('11'), value: big(7) }], store, keccak)
    // The root, the branch at 1, the leaf.
    expect(store.reads).toHaveLength(3)
    store.reads.length = 0
    await updateTrie(root, [{ key: keyOf('11'), value: null }], store, keccak)
    expect(store.reads).toHaveLength(4)
    store.reads.length = 0
    const several = sortByKey([
      { key: keyOf('11'), value: null },
      { key: keyOf('13'), value: big(1) },
      { key: keyOf('21'), value: big(2) },
    ])
    await updateTrie(root, several, store, keccak)
    // Two branches have their paths in common with the root; 12 is not needed, 13 keeps the branch.
    expect(store.reads).toHaveLength(5)
    expect(new Set(store.reads).size).toBe(5)
  })

  it('asks for all nodes of a level at once', async () => {
    const store = new NodeStore()
    const put = ['11', '12', '21', '22'].map((start) => ({ key: keyOf(start), value: big(1) }))
    const root = await rootAfter(store, put)
    let waiting = 0
    let most = 0
    const slow = {
      get: async (hash: Uint8Array) => {
        most = Math.max(most, ++waiting)
        await new Promise((resolve) => setImmediate(resolve))
        waiting--
        return store.get(hash)
      },
    }
    await updateTrie(
      root,
      put.map(({ key }) => ({ key, value: big(2) })),
      slow,
      keccak,
    )
    expect(most).toBe(4)
  })

  it('hashes each changed node once, and lists children before parents', async () => {
    const store = new NodeStore()
    const put = ['11', '12', '21', '22'].map((start) => ({ key: keyOf(start), value: big(1) }))
    const root = await rootAfter(store, put)
    let hashed = 0
    const counting: Keccak = (bytes) => {
      hashed++
      return keccak(bytes)
    }
    const changes = ['11', '12', '13'].map((start) => ({ key: keyOf(start), value: big(2) }))
    const { root: after, nodes } = await updateTrie(root, changes, store, counting)
    // Three leaves, the branch at 1, the root.
    expect(hashed).toBe(5)
    expect(nodes).toHaveLength(5)
    expect(nodes.at(-1)?.hash).toEqual(after)
  })

  it('says which node is missing', async () => {
    const store = new NodeStore()
    const put = ['11', '12', '2'].map((start) => ({ key: keyOf(start), value: big(1) }))
    const root = await rootAfter(store, put)
    const changes = [{ key: keyOf('2'), value: null }]
    const lost = [...store.nodes.keys()].filter(
      (name) => name !== Buffer.from(root).toString('hex'),
    )
    for (const name of lost) store.nodes.delete(name)
    await expect(updateTrie(root, changes, store, keccak)).rejects.toMatchObject({
      code: 'BROKEN_TRIE',
      message: expect.stringMatching(/node 0x[0-9a-f]{64} .*not in its database/),
    })
  })

  it('refuses bytes that are no node, and a branch that holds a value', async () => {
    const branch = (value: number[]) =>
      RLP.encode([
        ...new Array(15).fill(new Uint8Array()),
        big(1).slice(0, 32),
        Uint8Array.from(value),
      ])
    const bad = [
      Uint8Array.of(),
      Uint8Array.of(0x80),
      Uint8Array.of(0xc0),
      RLP.encode([big(1)]),
      RLP.encode([big(1), big(1), big(1)]),
      branch([]).slice(0, -1),
      Uint8Array.of(...branch([]), 1),
      RLP.encode([Uint8Array.of(0x20), [big(1)]]),
      branch([1]),
    ]
    for (const rlp of bad) {
      const source = { get: () => rlp }
      const changes = [{ key: keyOf('1'), value: big(1) }]
      await expect(updateTrie(big(1).slice(0, 32), changes, source, keccak)).rejects.toMatchObject({
        code: 'BROKEN_TRIE',
      })
    }
    const good = { get: () => branch([]) }
    const update = updateTrie(
      big(1).slice(0, 32),
      [{ key: keyOf('1'), value: big(1) }],
      good,
      keccak,
    )
    await expect(update).resolves.toMatchObject({ nodes: { length: 2 } })
  })

  it('refuses keys of another length than the trie has', async () => {
    const store = new NodeStore()
    const root = await rootAfter(store, [{ key: keyOf('1'), value: big(1) }])
    const short = [{ key: Uint8Array.of(0x10), value: big(1) }]
    await expect(updateTrie(root, short, store, keccak)).rejects.toMatchObject({
      code: 'BROKEN_TRIE',
    })
  })

  it('refuses changes that are not sorted, name a key twice, or differ in length', async () => {
    const change = (start: string) => ({ key: keyOf(start), value: big(1) })
    const short = { key: Uint8Array.of(0xff), value: big(1) }
    for (const changes of [
      [change('2'), change('1')],
      [change('1'), change('1')],
      [change('1'), short],
    ]) {
      const update = updateTrie(EMPTY_ROOT, changes, new NodeStore(), keccak)
      await expect(update).rejects.toMatchObject({ code: 'INTERNAL' })
    }
  })
})

describe('building a trie from nothing', () => {
  it('gives the roots of stock for lists, whose keys are the RLP of the index', async () => {
    const lists = fc.array(fc.oneof(trieValues, fc.constant(new Uint8Array(70_000).fill(7))), {
      maxLength: 300,
    })
    await fc.assert(
      fc.asyncProperty(lists, async (values) => {
        const entries = values.map((value, i) => ({ key: RLP.encode(i), value }))
        const stock = await createMPT()
        await applyStock(stock, entries)
        const { root, nodes } = buildTrie(sortByKey(entries), keccak)
        expect(Buffer.from(root)).toEqual(Buffer.from(stock.root()))
        const store = new NodeStore()
        store.add(nodes)
        const reader = await store.stockTrie(root)
        for (const { key, value } of entries.slice(0, 20)) {
          expect(Buffer.from((await reader.get(key, true)) ?? [])).toEqual(Buffer.from(value))
        }
      }),
      { numRuns: 20 },
    )
  })

  it('refuses a key that is the start of another', () => {
    const entries = [Uint8Array.of(1), Uint8Array.of(1, 2)].map((key) => ({ key, value: key }))
    expect(() => buildTrie(entries, keccak)).toThrow(/start of another/)
  })
})
