// Whatever state manager a VM has, the block gives what stock gives on the same kind of manager.
// Authority on the managers that are tried, and on how often one is asked for what is known already.
// It must not use a state of our own: these are other people's.
import type { StateManagerInterface } from '@ethereumjs/common'
import { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { Caches, CacheType, MerkleStateManager } from '@ethereumjs/statemanager'
import { hexToBytes } from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { assembleHex, deployer } from '../../support/assembler.ts'
import {
  authorize,
  type BlockPlan,
  fillHeader,
  makeBlock,
  richActors,
  runBoth,
  type Sides,
  sidesOf,
} from '../../support/hand-made-block.ts'
import {
  type Actor,
  actors,
  addressWord,
  contracts,
  ether,
  numberWord,
  systemContracts,
} from '../../support/random-world.ts'
import { loggingCounterCode, witnessCode } from '../../support/small-contracts.ts'
import { type AccountRecords, loadAccounts } from '../../support/state-template.ts'
import { strictExecutor } from '../../support/strict-executor.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import {
  counting,
  delaying,
  proxied,
  RootedStateManager,
  withOwnMethods,
} from './support/state-managers.ts'

const [alice, bob, carol, dave] = actors
const { counter, reader, spender } = contracts
const slotReaderCode = assembleHex([
  ...[0, 'CALLDATALOAD', 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'],
] as const)
const records: AccountRecords = {
  ...richActors,
  [counter.toString()]: {
    code: loggingCounterCode,
    nonce: 1n,
    storage: { '0x00': '0x05', '0x01': '0x06' },
  },
  [reader.toString()]: { code: witnessCode, nonce: 1n },
  [spender.toString()]: { code: assembleHex([1, 0, 'SSTORE', 0, 0, 'REVERT']), nonce: 1n },
  [systemContracts.beaconRoots.toString()]: { code: slotReaderCode, nonce: 1n },
}

/** Everything a block can do to accounts, but for destroying them. */
function busyBlock(number: bigint): BlockPlan {
  return {
    number,
    transactions: [
      { from: alice, to: counter },
      { from: bob, to: dave.address, value: ether },
      { from: alice, to: counter },
      { from: carol, data: deployer(hexToBytes(loggingCounterCode), [7, 5, 'SSTORE']), value: 3n },
      { from: bob, to: reader, data: addressWord(counter) },
      { from: bob, to: spender },
      { from: carol, to: reader, data: addressWord(dave.address) },
      { from: alice, to: contracts.hot[0]!, value: number },
      {
        from: alice,
        to: actors[8]!.address,
        fields: { type: 4, authorizationList: [authorize(actors[8]!, counter, number - 20n)] },
      },
      { from: bob, to: reader, data: addressWord(actors[8]!.address) },
    ],
    withdrawals: [{ address: dave.address, amount: 3n }],
  }
}

const suite = strictSuite()

async function vmOn(stateManager: StateManagerInterface): Promise<VM> {
  await loadAccounts(stateManager as MerkleStateManager, records)
  return await createVM({ common: suite.world.common, stateManager })
}

function sidesOn(make: () => StateManagerInterface): Promise<Sides> {
  return sidesOf({ vm: () => vmOn(make()) })
}

/** Three good blocks with a refused one between them. */
async function compareOn(make: () => StateManagerInterface): Promise<void> {
  const sides = await sidesOn(make)
  const nonces = new Map<Actor, bigint>()
  for (const number of [20n, 21n, 22n, 23n]) {
    const block = makeBlock(suite.world.common, busyBlock(number), nonces)
    const good = await runBoth(suite.executor, sides, block)
    expect(good.differences, `block ${number}`).toEqual([])
    expect(good.report).toMatchObject({ mode: 'parallel', incidents: [] })
    const refusedPlan = [...busyBlock(number).transactions.slice(0, 6), { from: dave, nonce: 99n }]
    const refused = makeBlock(
      suite.world.common,
      { ...busyBlock(number), number: number + 1n, transactions: refusedPlan },
      new Map(nonces),
    )
    if (number === 21n) {
      const bad = await runBoth(suite.executor, sides, refused)
      expect(bad.differences, 'a refused block').toEqual([])
      expect(bad.error).toBeDefined()
    }
  }
}

describe('a state manager', () => {
  const merkle = (
    caches: Caches | undefined,
    rest: { prefixCodeHashes?: boolean; prefixStorageTrieKeys?: boolean } = {},
  ): MerkleStateManager =>
    new MerkleStateManager({
      common: suite.world.common,
      trie: new MerklePatriciaTrie({ useKeyHashing: true, common: suite.world.common }),
      ...(caches === undefined ? {} : { caches }),
      ...rest,
    })
  const kinds: Record<string, () => StateManagerInterface> = {
    'of tries, without caches': () => merkle(undefined),
    'of tries, with ordered caches': () => merkle(new Caches()),
    'of tries, with caches that keep the last used': () =>
      merkle(
        new Caches({
          account: { type: CacheType.LRU, size: 1000 },
          code: { type: CacheType.LRU, size: 100 },
          storage: { type: CacheType.LRU, size: 1000 },
        }),
      ),
    'of tries, with an account cache only': () =>
      merkle(new Caches({ code: { size: 0 }, storage: { size: 0 } })),
    'of tries, with prefixed storage keys and bare code hashes': () =>
      merkle(new Caches(), { prefixStorageTrieKeys: true, prefixCodeHashes: false }),
    'of plain maps, with a root of its own': () => new RootedStateManager(),
    'that delegates to another': () => counting(merkle(new Caches())).manager,
    'that takes its time': () => delaying(merkle(new Caches())),
    'that is a proxy': () => proxied(merkle(new Caches())),
    'whose methods are its own properties': () => withOwnMethods(merkle(new Caches())),
  }
  it.each(Object.entries(kinds))(
    "%s: blocks are as stock's, refused ones leave it untouched",
    (_kind, make) => compareOn(make),
  )

  it('that is frozen runs sequentially, and the report says so', async () => {
    const make = (): StateManagerInterface => Object.freeze(counting(merkle(new Caches())).manager)
    const sides = await sidesOn(make)
    const run = await runBoth(suite.executor, sides, makeBlock(suite.world.common, busyBlock(20n)))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({
      mode: 'sequential',
      why: expect.stringContaining('frozen state manager'),
    })
  })

  it('keeps the methods that it had, its own ones too', async () => {
    for (const make of [() => merkle(new Caches()), () => withOwnMethods(merkle(new Caches()))]) {
      const vm = await vmOn(make())
      const before = Object.getOwnPropertyDescriptors(vm.stateManager)
      const names = Object.keys(before)
      const block = makeBlock(suite.world.common, busyBlock(20n))
      await suite.executor.runBlock(vm, { ...fillHeader, block })
      expect(Object.keys(Object.getOwnPropertyDescriptors(vm.stateManager))).toEqual(names)
      for (const name of ['putAccount', 'putStorage', 'setStateRoot']) {
        expect(Object.getOwnPropertyDescriptor(vm.stateManager, name)).toEqual(before[name])
      }
    }
  })

  it('that throws while the block reads gives the error that stock gives', async () => {
    const failing = (): MerkleStateManager => {
      const manager = merkle(new Caches())
      const getStorage = manager.getStorage.bind(manager)
      manager.getStorage = (address, key) => {
        if (address.equals(counter) && key[31] === 1) throw new Error('the disk is gone')
        return getStorage(address, key)
      }
      return manager
    }
    const code = assembleHex([1, 'SLOAD', 0, 'SSTORE'])
    const rescuing = await strictExecutor({ fallback: true })
    try {
      for (const [which, fallback] of [
        [rescuing, true],
        [suite.executor, false],
      ] as const) {
        const sides = await sidesOn(failing)
        for (const { stateManager } of [sides.stock, sides.ours]) {
          await stateManager.putCode(counter, hexToBytes(code))
          await stateManager.getStateRoot()
        }
        const root = await sides.ours.stateManager.getStateRoot()
        const run = await runBoth(which, sides, makeBlock(suite.world.common, busyBlock(20n)))
        if (fallback) {
          // Stock leaves the checkpoints of its interpreter open; so must a block that stock finishes.
          expect(run.differences).toEqual([])
          expect(run.error).toMatchObject({ message: 'the disk is gone' })
        } else {
          expect(run.error).toMatchObject({
            code: 'FALLBACK_DISABLED',
            cause: expect.objectContaining({ message: 'the disk is gone' }),
          })
          expect(await sides.ours.stateManager.getStateRoot()).toEqual(root)
        }
      }
    } finally {
      await rescuing.close()
    }
  })

  it.each([
    // The root has proved itself when it has changed with a block.
    ["of stock's is not asked again", true, [1, 1, 0, 0]],
    ['of another kind is asked again', false, [1, 1, 1, 1]],
  ] as const)('%s for what is known from the blocks before', async (_, isStock, expected) => {
    const inner = merkle(new Caches())
    const { manager, calls } = counting(inner)
    if (isStock) {
      const { getStorage } = inner
      inner.getStorage = (address, key) => {
        calls.set('getStorage', (calls.get('getStorage') ?? 0) + 1)
        return getStorage.call(inner, address, key)
      }
    }
    const vm = await vmOn(isStock ? inner : manager)
    const nonces = new Map<Actor, bigint>()
    const asked: number[] = []
    for (const number of [20n, 21n, 22n, 23n]) {
      const block = makeBlock(
        suite.world.common,
        {
          number,
          transactions: [alice, bob, carol].map((from) => ({
            from,
            to: systemContracts.beaconRoots,
            data: numberWord(5),
          })),
        },
        nonces,
      )
      calls.clear()
      await suite.executor.runBlock(vm, { ...fillHeader, block })
      asked.push(calls.get('getStorage') ?? 0)
    }
    expect(asked).toEqual(expected)
  })

  it.each([
    ['', () => merkle(new Caches())],
    [' through methods of its own', () => withOwnMethods(merkle(new Caches()))],
  ] as const)('shows what system calls write%s, block after block', async (_how, make) => {
    const sides = await sidesOn(make)
    const nonces = new Map<Actor, bigint>()
    for (const number of [20n, 21n, 22n, 23n, 24n]) {
      const timestamps = [number, number + 1n].map((at) => 1_700_000_000n + at * 12n)
      const block = makeBlock(
        suite.world.common,
        {
          number,
          transactions: timestamps.flatMap((timestamp) =>
            [timestamp % 8191n, (timestamp % 8191n) + 8191n].map((slot) => ({
              from: alice,
              to: systemContracts.beaconRoots,
              data: numberWord(Number(slot)),
            })),
          ),
        },
        nonces,
      )
      const run = await runBoth(suite.executor, sides, block)
      expect(run.differences, `block ${number}`).toEqual([])
      expect(run.report?.mode).toBe('parallel')
    }
  })
})
