// Measures the Merkle engine against @ethereumjs/mpt and stock's flush: CPU time, medians of some runs.
// Authority on the figures that the texts name. Must not be part of the tests: figures depend on machines.
import { Common, Mainnet } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { Caches, CacheType, MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, MapDB, ValueEncoding } from '@ethereumjs/util'
import { createFlatState } from '../src/state/create-flat-state.ts'
import { flushMerkleStateManager } from '../src/state/flush-merkle.ts'
import { loadKeccak } from '../src/state/keccak.ts'
import { readStockTrie, updateStockTrie } from '../src/state/stock-trie.ts'
import { TrieCache } from '../src/state/trie-cache.ts'

const ENTRIES = 100_000
const UPDATES = 2_000
const ACCOUNTS = 1_000
const RUNS = { stock: 3, ours: 21 }

type Database = Map<string, Uint8Array>

const keccak = await loadKeccak()

/** 32 bytes that depend on a number and a salt only. */
function bytesOf(number: number, salt: number): Uint8Array {
  const seed = new Uint8Array(8)
  const view = new DataView(seed.buffer)
  view.setUint32(0, number)
  view.setUint32(4, salt)
  return keccak(seed)
}

function addressOf(number: number): Address {
  return new Address(bytesOf(number, 1).slice(12))
}

async function medianCpu(
  runs: number,
  prepare: () => Promise<() => Promise<void>>,
): Promise<string> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const work = await prepare()
    const start = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / 1000)
  }
  times.sort((a, b) => a - b)
  return `${times[runs >> 1].toFixed(1)} ms (least ${times[0].toFixed(1)})`
}

async function trieOver(database: Database, root?: Uint8Array) {
  const db = new MapDB<string, Uint8Array>(database)
  return createMPT({ db, valueEncoding: ValueEncoding.Bytes, useKeyHashing: true, root })
}

async function measureUpdates(): Promise<void> {
  const entry = (i: number, salt: number) => ({
    key: bytesOf(i, 0),
    value: Uint8Array.from([...bytesOf(i, salt), ...bytesOf(i, salt + 1), 1, 2, 3, 4, 5, 6]),
  })
  const all = await trieOver(new Map())
  const entries = Array.from({ length: ENTRIES }, (_, i) => entry(i, 2))
  await updateStockTrie(all, entries, keccak)
  const base = (all.database().db as MapDB<string, Uint8Array>)._database
  const changes = Array.from({ length: UPDATES }, (_, i) =>
    entry((i * (ENTRIES / UPDATES) + (bytesOf(i, 9)[0] % 50)) | 0, 4),
  )
  const roots = new Set<string>()
  const stock = await medianCpu(RUNS.stock, async () => {
    const trie = await trieOver(base, all.root())
    return async () => {
      for (const { key, value } of changes) await trie.put(key, value)
      roots.add(Buffer.from(trie.root()).toString('hex'))
    }
  })
  const ours = await medianCpu(RUNS.ours, async () => {
    const trie = await trieOver(base, all.root())
    return async () => {
      await updateStockTrie(trie, changes, keccak)
      roots.add(Buffer.from(trie.root()).toString('hex'))
    }
  })
  const keys = changes.map(({ key }) => key)
  const read = await medianCpu(RUNS.ours, async () => {
    const trie = await trieOver(base, all.root())
    return async () => {
      await readStockTrie(trie, keys, keccak)
    }
  })
  const afterReading = await medianCpu(RUNS.ours, async () => {
    const trie = await trieOver(base, all.root())
    const cache = new TrieCache()
    await readStockTrie(trie, keys, keccak, cache)
    return async () => {
      await updateStockTrie(trie, changes, keccak, cache)
      roots.add(Buffer.from(trie.root()).toString('hex'))
    }
  })
  console.log(`${UPDATES} updates of ${ENTRIES} entries, equal roots: ${roots.size === 1}`)
  console.log(`  @ethereumjs/mpt ${stock}\n  ours            ${ours}`)
  console.log(`  ours, of entries that were read before ${afterReading}; the reading ${read}`)
}

async function managerOver(database: Database, root?: Uint8Array): Promise<MerkleStateManager> {
  const type = CacheType.ORDERED_MAP
  const caches = new Caches({
    account: { size: 1e6, type },
    storage: { size: 1e6, type },
    code: { size: 1e6, type },
  })
  return new MerkleStateManager({ trie: await trieOver(database, root), caches })
}

/** Changes accounts, and slots of the first one, in the caches alone. */
async function change(manager: MerkleStateManager, accounts: number, slots: number, salt: number) {
  const { storage } = (manager as unknown as { _caches: Caches })._caches
  for (let i = 0; i < accounts; i++) {
    await manager.modifyAccountFields(addressOf(i), { balance: BigInt(salt) })
  }
  for (let i = 0; i < slots; i++) {
    const value = bytesOf(i, salt)
    storage?.put(addressOf(0), bytesOf(i, 0), Uint8Array.of(0xa0, ...value))
  }
}

async function measureFlush(): Promise<void> {
  const first = await managerOver(new Map())
  await change(first, ENTRIES, ENTRIES, 1)
  await flushMerkleStateManager(first)
  const trie = (first as unknown as { _trie: Awaited<ReturnType<typeof createMPT>> })._trie
  const base = (trie.database().db as MapDB<string, Uint8Array>)._database
  const roots = new Set<string>()
  const measure = (runs: number, flush: (manager: MerkleStateManager) => Promise<void>) =>
    medianCpu(runs, async () => {
      const manager = await managerOver(base, trie.root())
      await change(manager, ACCOUNTS, UPDATES, 2)
      return async () => {
        await flush(manager)
        roots.add(Buffer.from(await manager.getStateRoot()).toString('hex'))
      }
    })
  const stock = await measure(RUNS.stock, (manager) => manager.flush())
  const ours = await measure(RUNS.ours, flushMerkleStateManager)
  console.log(
    `flush of ${ACCOUNTS} of ${ENTRIES} accounts and ${UPDATES} of ${ENTRIES} slots of one, equal roots: ${roots.size === 1}`,
  )
  console.log(`  stock ${stock}\n  ours  ${ours}`)
}

/** Both tries have the same accounts; both sides begin with changed accounts, ours in memory already. */
async function measureFlatState(): Promise<void> {
  const account = (i: number, round: number) =>
    new Account(BigInt(round), 10n ** 18n * BigInt(i + 1) + BigInt(round))
  const flat = await createFlatState({ common: new Common({ chain: Mainnet }) })
  function* alloc() {
    for (let i = 0; i < ENTRIES; i++) yield [addressOf(i).toString(), account(i, 0)] as const
  }
  const root = await flat.importAlloc(alloc())
  const all = await trieOver(new Map())
  const entries = Array.from({ length: ENTRIES }, (_, i) => ({
    key: addressOf(i).bytes,
    value: account(i, 0).serialize(),
  }))
  await updateStockTrie(all, entries, keccak)
  const base = (all.database().db as MapDB<string, Uint8Array>)._database
  const isEqual = [Buffer.from(root).equals(all.root())]
  const which = Array.from({ length: UPDATES }, (_, i) => (i * (ENTRIES / UPDATES) + 7) | 0)
  let round = 0
  const roots = new Map<number, string>()
  const puts = await medianCpu(RUNS.ours, async () => {
    round++
    return async () => {
      for (const i of which) await flat.putAccount(addressOf(i), account(i, round))
    }
  })
  await flat.setStateRoot(root)
  round = 0
  const ours = await medianCpu(RUNS.ours, async () => {
    round++
    for (const i of which) await flat.putAccount(addressOf(i), account(i, round))
    return async () => {
      roots.set(round, Buffer.from(await flat.getStateRoot()).toString('hex'))
    }
  })
  round = 0
  const stock = await medianCpu(RUNS.stock, async () => {
    round++
    const trie = await trieOver(base, all.root())
    const values = which.map((i) => account(i, round).serialize())
    return async () => {
      for (const [k, i] of which.entries()) await trie.put(addressOf(i).bytes, values[k])
      isEqual.push(roots.get(round) === Buffer.from(trie.root()).toString('hex'))
    }
  })
  console.log(
    `root of a flat state, ${UPDATES} of ${ENTRIES} accounts, equal roots: ${isEqual.every(Boolean)}`,
  )
  console.log(`  @ethereumjs/mpt ${stock}\n  ours            ${ours}; putting them before ${puts}`)
}

await measureFlatState()
await measureUpdates()
await measureFlush()
