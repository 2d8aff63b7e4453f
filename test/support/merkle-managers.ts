// Pairs of stock's state managers that get the same calls, one flushed by stock and one by our code.
// Authority on what "left the same" means: roots, tries, caches with their undo records, what is stored.
// Must not compare counters of use, nor nodes of states in between, which stock stores and ours does not.
import { createMPT, type MerklePatriciaTrie } from '@ethereumjs/mpt'
import {
  Caches,
  type CachesStateManagerOpts,
  CacheType,
  getMerkleStateProof,
  MerkleStateManager,
} from '@ethereumjs/statemanager'
import { Account, Address, MapDB, setLengthLeft, ValueEncoding } from '@ethereumjs/util'
import fc from 'fast-check'

/** How the managers of a pair are set up. */
export interface ManagerSetup {
  readonly cacheType: CacheType
  readonly hasCodeCache: boolean
  /** Small enough to lose accounts, or large. */
  readonly accountCacheSize: number
  readonly useKeyHashing: boolean
  readonly useRootPersistence: boolean
  readonly nodeCacheSize: number
  readonly valueEncoding: ValueEncoding
  readonly prefixCodeHashes: boolean
  readonly prefixStorageTrieKeys: boolean
  /** Stock's map in memory, or a database of the user, which answers later, and with Buffers. */
  readonly isForeignDatabase: boolean
}

class ForeignDatabase extends MapDB<string, string | Uint8Array> {
  override async get(key: string): Promise<string | Uint8Array | undefined> {
    await new Promise((resolve) => setImmediate(resolve))
    const value = await super.get(key)
    return value instanceof Uint8Array ? Buffer.from(value) : value
  }

  override shallowCopy(): ForeignDatabase {
    return new ForeignDatabase(this._database)
  }
}

export const managerSetups: fc.Arbitrary<ManagerSetup> = fc.record({
  cacheType: fc.constantFrom(CacheType.LRU, CacheType.ORDERED_MAP),
  hasCodeCache: fc.boolean(),
  accountCacheSize: fc.constantFrom(3, 1000),
  useKeyHashing: fc.boolean(),
  useRootPersistence: fc.boolean(),
  nodeCacheSize: fc.constantFrom(0, 3, 1000),
  valueEncoding: fc.constantFrom(ValueEncoding.Bytes, ValueEncoding.String),
  prefixCodeHashes: fc.boolean(),
  prefixStorageTrieKeys: fc.boolean(),
  isForeignDatabase: fc.boolean(),
})

export const plainSetup: ManagerSetup = {
  cacheType: CacheType.ORDERED_MAP,
  hasCodeCache: true,
  accountCacheSize: 1000,
  useKeyHashing: true,
  useRootPersistence: false,
  nodeCacheSize: 0,
  valueEncoding: ValueEncoding.Bytes,
  prefixCodeHashes: true,
  prefixStorageTrieKeys: false,
  isForeignDatabase: false,
}

export async function createManager(
  setup: ManagerSetup,
  database: Map<string, string | Uint8Array> = new Map(),
): Promise<MerkleStateManager> {
  const { cacheType: type, useKeyHashing, useRootPersistence, valueEncoding } = setup
  const trie = await createMPT({
    db: setup.isForeignDatabase ? new ForeignDatabase(database) : new MapDB(database),
    useKeyHashing,
    useRootPersistence,
    valueEncoding,
    cacheSize: setup.nodeCacheSize,
  })
  const caches: CachesStateManagerOpts = {
    account: { size: setup.accountCacheSize, type },
    storage: { size: 1000, type },
    code: { size: setup.hasCodeCache ? 1000 : 0, type },
  }
  const { prefixCodeHashes, prefixStorageTrieKeys } = setup
  return new MerkleStateManager({
    trie,
    caches: new Caches(caches),
    prefixCodeHashes,
    prefixStorageTrieKeys,
  })
}

export const ADDRESSES = [1, 2, 3, 4, 5].map(
  (n) => new Address(setLengthLeft(Uint8Array.of(n), 20)),
)
export const SLOTS = [1, 2, 3, 256, 65_536].map((n) =>
  setLengthLeft(Uint8Array.of(n >> 16, n >> 8, n), 32),
)

/** What is done in two ways, stock's and ours. */
export interface ManagerWays {
  flush(manager: MerkleStateManager): Promise<void>
  readAccounts(
    manager: MerkleStateManager,
    addresses: readonly Address[],
  ): Promise<(Account | undefined)[]>
  readStorage(
    manager: MerkleStateManager,
    address: Address,
    keys: readonly Uint8Array[],
  ): Promise<Uint8Array[]>
}

/** Stock's own way: one after the other. */
export const stockWays: ManagerWays = {
  flush: (manager) => manager.flush(),
  readAccounts: async (manager, addresses) => {
    const accounts = []
    for (const at of addresses) accounts.push(await manager.getAccount(at))
    return accounts
  },
  readStorage: async (manager, at, keys) => {
    const values = []
    for (const key of keys) values.push(await manager.getStorage(at, key))
    return values
  },
}

/** One call on a manager; gives what the call gave. */
export type ManagerCall = (manager: MerkleStateManager, ways: ManagerWays) => Promise<unknown>

interface Inside {
  readonly _caches: Caches
  readonly _trie: MerklePatriciaTrie
  readonly _storageTries: Record<string, MerklePatriciaTrie>
  readonly _checkpointCount: number
}

export function insideOf(manager: MerkleStateManager): Inside {
  return manager as unknown as Inside
}

const address = fc.constantFrom(...ADDRESSES)
const slot = fc.constantFrom(...SLOTS)
const slotValue = fc.oneof(
  fc.constantFrom(new Uint8Array(), Uint8Array.of(0), Uint8Array.of(0, 5), Uint8Array.of(0x80)),
  fc.uint8Array({ minLength: 30, maxLength: 32 }),
)
// Not 0x80: without the prefix for code, stock takes that for the node of the empty trie.
const code = fc.constantFrom(new Uint8Array(), Uint8Array.of(0x60), new Uint8Array(100).fill(1))

function callsFrom<T>(
  name: string,
  values: fc.Arbitrary<T>,
  call: (manager: MerkleStateManager, value: T, ways: ManagerWays) => Promise<unknown>,
): fc.Arbitrary<ManagerCall> {
  return values.map((value) => {
    const made: ManagerCall = async (manager, ways) => plain(await call(manager, value, ways))
    return Object.assign(made, { [fc.toStringMethod]: () => `${name}(${fc.stringify(value)})` })
  })
}

const putSlot = callsFrom(
  'putStorage',
  fc.tuple(address, slot, slotValue),
  async (manager, put) => {
    if ((await manager.getAccount(put[0])) !== undefined) await manager.putStorage(...put)
  },
)

/** As another part of the project does it: the trie learns of it from the flush only. */
const cacheSlot = callsFrom('cacheStorage', fc.tuple(address, slot), async (manager, [at, key]) => {
  if ((await manager.getAccount(at)) === undefined) return
  insideOf(manager)._caches.storage?.put(at, key, Uint8Array.of(key[31] + 1))
})

const emptySlot = callsFrom('emptyStorage', fc.tuple(address, slot), async (manager, [at, key]) => {
  if ((await manager.getAccount(at)) === undefined) return
  insideOf(manager)._caches.storage?.put(at, key, Uint8Array.of(0x80))
})

const flushing = callsFrom('flush', fc.constant(undefined), (manager, _, ways) =>
  ways.flush(manager),
)

/** Calls in any order; commits and reverts only count where there is a checkpoint. */
export const managerCalls: fc.Arbitrary<ManagerCall> = fc.oneof(
  callsFrom('pay', fc.tuple(address, fc.bigInt(0n, 1n << 200n)), (manager, [to, balance]) =>
    manager.modifyAccountFields(to, { balance }),
  ),
  callsFrom('putAccount', address, (manager, to) => manager.putAccount(to, new Account(7n))),
  callsFrom('deleteAccount', address, (manager, to) => manager.deleteAccount(to)),
  callsFrom('putCode', fc.tuple(address, code), (manager, put) => manager.putCode(...put)),
  { weight: 3, arbitrary: putSlot },
  { weight: 3, arbitrary: cacheSlot },
  emptySlot,
  callsFrom('clearStorage', address, (manager, to) => manager.clearStorage(to)),
  callsFrom('getAccount', address, (manager, to) => manager.getAccount(to)),
  callsFrom('getCode', address, (manager, to) => manager.getCode(to)),
  callsFrom('getStorage', fc.tuple(address, slot), (manager, at) => manager.getStorage(...at)),
  {
    weight: 2,
    arbitrary: callsFrom('readAccounts', fc.array(address), (manager, addresses, ways) =>
      ways.readAccounts(manager, addresses),
    ),
  },
  {
    weight: 2,
    arbitrary: callsFrom('readStorage', fc.tuple(address, fc.array(slot)), (manager, at, ways) =>
      ways.readStorage(manager, ...at),
    ),
  },
  callsFrom('checkpoint', fc.constant(undefined), (manager) => manager.checkpoint()),
  callsFrom('commit', fc.constant(undefined), async (manager) => {
    if (insideOf(manager)._checkpointCount > 0) await manager.commit()
  }),
  callsFrom('revert', fc.constant(undefined), async (manager) => {
    if (insideOf(manager)._checkpointCount > 0) await manager.revert()
  }),
  callsFrom('clearCaches', fc.constant(undefined), async (manager, _, ways) => {
    await ways.flush(manager)
    if (insideOf(manager)._checkpointCount === 0) manager.clearCaches()
  }),
  { weight: 3, arbitrary: flushing },
)

/** What a manager holds in memory. */
export function dumpManager(manager: MerkleStateManager): unknown {
  const { _caches, _trie, _storageTries } = insideOf(manager)
  return {
    root: hex(_trie.root()),
    checkpoints: _trie.database().checkpoints.map(({ root }) => hex(root)),
    tries: Object.entries(_storageTries)
      .map(([name, trie]) => `${name} ${hex(trie.root())}`)
      .sort(),
    caches: [_caches.account, _caches.storage, _caches.code].map(
      (cache) =>
        cache && {
          entries: [...(cache._lruCache?.entries() ?? cache._orderedMapCache ?? [])].map(plain),
          undo: cache._diffCache.map(plain),
        },
    ),
  }
}

/** Everything that can be read from a manager; reading fills its caches. */
export async function readAll(manager: MerkleStateManager): Promise<unknown> {
  const found: unknown[] = []
  for (const at of ADDRESSES) {
    const account = await manager.getAccount(at)
    found.push(account && plain(account.raw()), hex(await manager.getCode(at)))
    for (const key of SLOTS) found.push(plain(await manager.getStorage(at, key)))
  }
  return found
}

/** Proofs of all accounts and slots, from the tries as they are stored. */
export async function proveAll(manager: MerkleStateManager): Promise<unknown> {
  const proofs: unknown[] = []
  for (const at of ADDRESSES) proofs.push(await getMerkleStateProof(manager, at, SLOTS))
  return proofs
}

/** Without classes, and in the order that things have. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value)
  if (value instanceof Map) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(plain)
  return value
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
