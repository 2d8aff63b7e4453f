// Accounts that are destroyed, come back, or were about to be: the pitfalls around SELFDESTRUCT.
// Authority on pitfalls 1, 2, 3, 4 and 14. It must run under rules where SELFDESTRUCT still destroys.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BASE_WRITER, type LocationId } from '../../src/ids.ts'
import type { ParallelExecutor } from '../../src/index.ts'
import { ACCOUNT, BASE, LOCATION, SLOT, VERSION_KIND } from '../../src/memory/layout.ts'
import {
  findSlot,
  type ReadSetRecorder,
  VALIDITY,
  validateReadSet,
} from '../../src/mvcc/read-set.ts'
import { FOUND } from '../../src/mvcc/version-store.ts'
import { bytesToMemory, type Instruction } from '../support/assembler.ts'
import { makeWorld, type World } from '../support/hand-made-block.ts'
import { actors } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { LayersInMemory, transactionAt } from './layers-in-memory.ts'
import {
  cells,
  destroyFor,
  expectEqualEveryTime,
  factory,
  logged,
  lookAt,
  named,
  phoenix,
  phoenixRecord,
  readSlot,
  relayed,
  stage,
  visit,
  writeSlot,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, erin, frank] = actors
const heir = named('heir')

/** Calls itself to destroy the phoenix, then takes all of that back. */
const regretful = named('regretful')
const remorse = named('remorse')
const destroyPhoenix: Instruction[] = [
  ...bytesToMemory(destroyFor(heir)),
  ...([0, 0, 96, 0, 0, phoenix.toString() as `0x${string}`, 'GAS', 'CALL'] as const),
]
const writePhoenix: Instruction[] = [
  ...bytesToMemory(writeSlot(7, 77)),
  ...([0, 0, 64, 0, 0, phoenix.toString() as `0x${string}`, 'GAS', 'CALL'] as const),
]

let executor: ParallelExecutor
let before: World
let after: World

beforeAll(async () => {
  executor = await strictExecutor()
  const accounts = {
    ...stage,
    [phoenix.toString()]: phoenixRecord,
    [remorse.toString()]: contractOf([destroyPhoenix, [0, 0, 'REVERT']]),
    [regretful.toString()]: contractOf([
      writePhoenix,
      [3, 3, 'SSTORE'],
      [0, 0, 0, 0, 0, remorse.toString() as `0x${string}`, 100_000, 'CALL', 4, 'SSTORE'],
      [9, 5, 'SSTORE'],
    ]),
  }
  before = await makeWorld({ hardfork: 'shanghai', accounts })
  after = await makeWorld({ hardfork: 'prague', accounts })
})
afterAll(() => executor?.close())

describe('destruction', () => {
  it('1. destroyed, recreated and read in one block: every reader sees what stock shows it', async () => {
    for (const world of [before, after]) {
      const run = await expectEqualEveryTime({ executor, world }, (turns) => ({
        transactions: [
          relayed(alice, phoenix, turns(), readSlot(7)),
          relayed(bob, phoenix, turns(), destroyFor(heir)),
          visit(carol, phoenix, turns()),
          relayed(dave, phoenix, turns(), readSlot(7)),
          relayed(erin, factory, turns()),
          relayed(frank, phoenix, turns(), readSlot(7)),
          relayed(alice, phoenix, turns(), readSlot(5)),
          lookAt(bob, phoenix, turns()),
          relayed(carol, phoenix, turns(), writeSlot(7, 3)),
          relayed(dave, phoenix, turns(), destroyFor(heir)),
          lookAt(erin, heir, turns()),
          relayed(frank, factory, turns()),
          relayed(alice, phoenix, turns(), readSlot(7)),
        ],
      }))
      // From Cancun on nothing is destroyed here, which proves that the first block did destroy.
      expect(logged(run, 5)[0]).toBe(world === before ? 0n : 9n)
    }
  })

  it('1. destroyed, recreated and read in one block: reader and validator share one resolver', () => {
    const layers = new LayersInMemory(5)
    const { store } = layers
    const account = layers.account(1)
    const slot = layers.slot(account, 7)
    layers.publish(0, 0, LOCATION.SLOT, slot + SLOT.HEAD, 9n)
    layers.publish(1, 0, LOCATION.RESET, account + ACCOUNT.RESET_HEAD)
    layers.publish(3, 0, LOCATION.SLOT, slot + SLOT.HEAD, 5n)
    for (let reader = 0; reader <= 4; reader++) {
      const { found, resetWins } = findSlot(store, slot, transactionAt(reader))
      const { writer, incarnation, payload } = store
      expect([found, resetWins, writer]).toEqual(
        [
          [FOUND.BASE, false, BASE_WRITER],
          [FOUND.VERSION, false, 0],
          [FOUND.VERSION, true, 1],
          [FOUND.VERSION, true, 1],
          [FOUND.VERSION, false, 3],
        ][reader],
      )
      const head = (slot + SLOT.HEAD) as LocationId
      const source = found === FOUND.VERSION && !resetWins ? layers.block.words : undefined
      const readSet = layers.readSet((reads) =>
        reads.recordSlot(head, writer, incarnation, source, payload + 2),
      )
      expect(validateReadSet(store, readSet, transactionAt(reader))).toBe(VALIDITY.VALID)
    }
  })

  it('2. the same values again after a destruction: a reader that saw the former account is found', async () => {
    // The phoenix comes back with the balance, the nonce, the code and slot 5 that it had.
    const run = await expectEqualEveryTime({ executor, world: before }, (turns) => ({
      transactions: [
        relayed(alice, phoenix, turns(2500), destroyFor(heir)),
        relayed(bob, factory, turns(), undefined, { value: 11n }),
        lookAt(carol, phoenix),
        relayed(dave, phoenix, 0, readSlot(5)),
        relayed(erin, phoenix, 0, readSlot(7)),
        relayed(frank, phoenix, 0, readSlot(0)),
        visit(carol, phoenix),
      ],
    }))
    expect(logged(run, 2)[0]).toBe(11n)
    expect([3, 4, 5].map((index) => logged(run, index)[0])).toEqual([42n, 0n, 0n])
  })

  it('2. the same values again after a destruction: code is compared by its exact writer', () => {
    const layers = new LayersInMemory(4)
    const account = layers.account(1)
    const slot = layers.slot(account, 5)
    const codeHead = (account + ACCOUNT.CODE_HEAD) as LocationId
    layers.publish(0, 0, LOCATION.CODE, codeHead, 0xc0den)
    layers.store.find(codeHead, transactionAt(3))
    const code = layers.readSet((reads) =>
      reads.recordCode(codeHead, 0, layers.block.words, layers.store.payload + 2),
    )
    const verdict = (at: number): number => validateReadSet(layers.store, at, transactionAt(3))
    expect(verdict(code)).toBe(VALIDITY.VALID)
    layers.publish(1, 0, LOCATION.CODE, codeHead, 0xc0den)
    expect(verdict(code)).toBe(VALIDITY.INVALID)

    // A slot may have another writer with the value observed, but no reset in between is overlooked.
    layers.publish(0, 0, LOCATION.SLOT, slot + SLOT.HEAD, 42n)
    findSlot(layers.store, slot, transactionAt(3))
    const slotHead = (slot + SLOT.HEAD) as LocationId
    const observed = layers.readSet((reads) =>
      reads.recordSlot(slotHead, 0, 0, layers.block.words, layers.store.payload + 2),
    )
    layers.publish(1, 0, LOCATION.RESET, account + ACCOUNT.RESET_HEAD)
    expect(verdict(observed)).toBe(VALIDITY.INVALID)
    layers.publish(2, 0, LOCATION.SLOT, slot + SLOT.HEAD, 42n)
    expect(verdict(observed)).toBe(VALIDITY.VALID)
  })

  it('3. reads that miss, an absent account and a zero slot: they depend on who creates them later', async () => {
    const absent = named('absent')
    const run = await expectEqualEveryTime({ executor, world: before }, (turns) => ({
      transactions: [
        relayed(alice, absent, turns(2500), undefined, { value: 5n }),
        lookAt(bob, absent),
        relayed(carol, cells, turns(2500), writeSlot(200, 1)),
        relayed(dave, cells, 0, readSlot(200)),
        relayed(erin, cells, 0, readSlot(201)),
        lookAt(frank, named('absent for good')),
      ],
    }))
    expect(logged(run, 1)[0]).toBe(5n)
    expect(logged(run, 3)[0]).toBe(1n)
  })

  it('3. reads that miss, an absent account and a zero slot: the read set refutes them', () => {
    const layers = new LayersInMemory(3)
    const account = layers.account(1)
    const slot = layers.slot(account, 1)
    layers.state.words[slot + SLOT.STATUS] = BASE.PRESENT
    const head = (offset: number): LocationId => (account + offset) as LocationId
    const misses: [(reads: ReadSetRecorder) => void, () => void][] = [
      [
        (reads) => reads.recordExists(head(ACCOUNT.EXISTS_HEAD), BASE_WRITER, false),
        () => layers.publish(0, 0, LOCATION.EXISTS, head(ACCOUNT.EXISTS_HEAD), 1n),
      ],
      [
        (reads) => reads.recordBalance(head(ACCOUNT.BALANCE_HEAD), BASE_WRITER, 0n),
        () =>
          layers.publish(0, 0, LOCATION.BALANCE, head(ACCOUNT.BALANCE_HEAD), 1n, VERSION_KIND.ADD),
      ],
      [
        (reads) => reads.recordNonce(head(ACCOUNT.NONCE_HEAD), BASE_WRITER, 0, 0n),
        () => layers.publish(0, 0, LOCATION.NONCE, head(ACCOUNT.NONCE_HEAD), 1n),
      ],
      [
        (reads) => reads.recordCode(head(ACCOUNT.CODE_HEAD), BASE_WRITER, layers.state.words, 0),
        () => layers.publish(0, 0, LOCATION.CODE, head(ACCOUNT.CODE_HEAD), 1n),
      ],
      [
        (reads) => reads.recordReset(head(ACCOUNT.RESET_HEAD), BASE_WRITER, 0),
        () => layers.publish(0, 0, LOCATION.RESET, head(ACCOUNT.RESET_HEAD)),
      ],
      [
        (reads) => reads.recordSlot((slot + SLOT.HEAD) as LocationId, BASE_WRITER, 0, undefined, 0),
        () => layers.publish(1, 0, LOCATION.SLOT, slot + SLOT.HEAD, 1n),
      ],
    ]
    for (const [record, create] of misses) {
      const at = layers.readSet(record)
      expect(validateReadSet(layers.store, at, transactionAt(2))).toBe(VALIDITY.VALID)
      create()
      expect(validateReadSet(layers.store, at, transactionAt(2))).toBe(VALIDITY.INVALID)
    }
  })

  it('4. payments before a destruction do not outlive it, and a revived account starts at nonce 0', async () => {
    for (const world of [before, after]) {
      await expectEqualEveryTime({ executor, world }, (turns) => ({
        transactions: [
          relayed(alice, phoenix, turns(), undefined, { value: 5n }),
          relayed(bob, phoenix, turns(), undefined, { value: 6n }),
          relayed(carol, phoenix, turns(), destroyFor(heir)),
          relayed(dave, phoenix, turns(), undefined, { value: 7n }),
          { from: erin, to: phoenix, value: 8n },
          lookAt(frank, phoenix, turns()),
          // What is destroyed for its own sake takes its balance along.
          relayed(alice, factory, turns()),
          relayed(bob, phoenix, turns(), undefined, { value: 9n }),
          relayed(carol, phoenix, turns(), destroyFor(phoenix)),
          { from: dave, to: phoenix, value: 1n },
          lookAt(erin, phoenix, turns()),
          lookAt(frank, heir, turns()),
        ],
      }))
    }
    const run = await expectEqualEveryTime(
      { executor, world: before },
      (turns) => ({
        transactions: [
          relayed(alice, phoenix, turns(), undefined, { value: 5n }),
          relayed(bob, phoenix, turns(), destroyFor(heir)),
          { from: carol, to: phoenix, value: 7n },
        ],
      }),
      3,
    )
    const revived = await run.ours.stateManager.getAccount(phoenix)
    expect(revived).toMatchObject({ nonce: 0n, balance: 7n })
    expect(revived?.isContract()).toBe(false)
  })

  it('4. payments before a destruction do not outlive it: a sum ends at the highest replacement', () => {
    const layers = new LayersInMemory(6)
    const account = layers.account(1)
    layers.baseBalance(account, 100n)
    const head = (account + ACCOUNT.BALANCE_HEAD) as LocationId
    layers.publish(1, 0, LOCATION.BALANCE, head, 5n, VERSION_KIND.ADD)
    layers.publish(2, 0, LOCATION.BALANCE, head, 0n, VERSION_KIND.SET)
    layers.publish(3, 0, LOCATION.BALANCE, head, 7n, VERSION_KIND.ADD)
    const sums = [0, 1, 2, 3, 4, 5].map((reader) => {
      layers.store.sumBalance(head, transactionAt(reader))
      return layers.store.sum + (layers.store.needsBase ? 100n : 0n)
    })
    expect(sums).toEqual([100n, 100n, 105n, 0n, 7n, 7n])
  })

  it('14. a reverted SELFDESTRUCT: what the transaction wrote before and after it stays', async () => {
    for (const world of [before, after]) {
      const run = await expectEqualEveryTime({ executor, world }, (turns) => ({
        transactions: [
          relayed(alice, regretful, turns()),
          relayed(bob, phoenix, turns(), readSlot(7)),
          lookAt(carol, heir, turns()),
          relayed(dave, phoenix, turns(), destroyFor(heir)),
          relayed(erin, regretful, turns()),
          visit(frank, phoenix, turns()),
          relayed(alice, phoenix, turns(), readSlot(7)),
        ],
      }))
      expect(logged(run, 1)[0]).toBe(77n)
    }
  })
})
