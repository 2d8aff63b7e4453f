// Holds what is made of a block's accesses: the score of its predictions, its hot locations, and what the
// templates are told. The templates themselves are access/'s matter, so a library that listens stands in.
import { Account } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it, vi } from 'vitest'

import type { AccessKind } from '../../../src/access/access-sink.ts'
import { CERTAIN } from '../../../src/access/access-sink.ts'
import type { Observation } from '../../../src/access/observation.ts'
import type { TransactionFacts } from '../../../src/access/transaction-facts.ts'
import { learnFrom } from '../../../src/block/access-learning.ts'
import { writeBaseAccount } from '../../../src/block/base-server.ts'
import { BlockMemory } from '../../../src/block/block-memory.ts'
import type { BlockPlanner, Foresight } from '../../../src/block/block-planner.ts'
import { PredictedAccesses } from '../../../src/block/predicted-accesses.ts'
import { PreimageLog } from '../../../src/execution/preimage-log.ts'
import type { LocationId, TxIndex } from '../../../src/ids.ts'
import { ACCOUNT, BASE, LOCATION, SLOT } from '../../../src/memory/layout.ts'
import { VersionMemory } from '../../support/version-memory.ts'

/** A slot of an account, each named by a byte, and what a transaction does to it. */
type Access = readonly [account: number, key: number, kind: Exclude<AccessKind, 'delta'>]

interface Learned {
  confirmed: number[]
  observed: { nonce: number; codeHash: Uint8Array; observation: Observation }[]
}

const address = (name: number): Uint8Array => new Uint8Array(20).fill(name)
const slotKey = (key: number): Uint8Array => new Uint8Array(32).fill(key)
const codeHash = new Uint8Array(32).fill(0xc0)
const contract = 5
const long = 1e6

/** A block's memory after its transactions, with what was predicted of them. */
class LearningBlock {
  readonly memory: BlockMemory
  readonly worker: VersionMemory
  readonly learned: Learned = { confirmed: [], observed: [] }
  readonly #predicted: PredictedAccesses
  readonly #facts: TransactionFacts[] = []
  onObserve = (): void => {}

  constructor(transactions: number) {
    this.memory = new BlockMemory(1, 1)
    this.memory.beginBlock(transactions)
    this.worker = VersionMemory.besideMain(this.memory, transactions)
    this.#predicted = new PredictedAccesses(this.memory.table, transactions)
    const record = this.memory.table.account(address(contract))
    writeBaseAccount(this.memory, record, new Account(1n, 0n, undefined, codeHash))
    this.memory.state.words[record + ACCOUNT.STATUS] = BASE.PRESENT
  }

  get rows(): PredictedAccesses {
    return this.#predicted
  }

  /** Adds a transaction that calls `to`, its number for a nonce. */
  transaction(predicted: readonly Access[], touched: readonly Access[], to = contract): this {
    const index = this.#facts.length
    for (const [account, key, kind] of predicted) {
      this.#predicted.slot(address(account), slotKey(key), kind, CERTAIN)
    }
    const { worker } = this
    const locationOf = ([account, key]: Access): LocationId => {
      const slot = worker.table.slot(worker.table.account(address(account)), slotKey(key))
      return (slot + SLOT.HEAD) as LocationId
    }
    const reads = worker.readSet((set) => {
      for (const access of touched) set.recordSlot(locationOf(access), -1, 0, undefined, 0)
    })
    worker.setField(index, 'READ_SET', reads)
    const writes = touched.filter(([, , kind]) => kind === 'write')
    const writeSet = worker.writeSet(
      writes.map((access) => {
        const location = locationOf(access)
        const slot = (location - SLOT.HEAD) as Parameters<VersionMemory['publishSlot']>[0]
        return [LOCATION.SLOT, location, worker.publishSlot(slot, index, 1)]
      }),
    )
    worker.setField(index, 'WRITE_SET', writeSet)
    return this.endTransaction({ to: address(to) })
  }

  endTransaction(facts: Partial<TransactionFacts> = {}): this {
    this.#predicted.rows.endTransaction()
    const nonce = BigInt(this.#facts.length)
    const rest = { value: 0n, data: new Uint8Array(0), nonce, coinbase: address(9) }
    this.#facts.push({ sender: address(8), ...rest, ...facts })
    return this
  }

  learn(executeMs = long) {
    const { learned } = this
    const library = {
      confirm: ({ nonce }: TransactionFacts) => learned.confirmed.push(Number(nonce)),
      observe: ({ nonce }: TransactionFacts, hash: Uint8Array, observation: Observation) => {
        learned.observed.push({ nonce: Number(nonce), codeHash: hash, observation })
        this.onObserve()
      },
    }
    const predictions = { rows: this.#predicted.rows, facts: this.#facts }
    return learnFrom(
      this.memory,
      { predictions } as unknown as BlockPlanner,
      { library, keccak: keccak_256 } as unknown as Foresight,
      executeMs,
    )
  }
}

describe('the score of predictions', () => {
  it('counts what was right, wrong and missed, over all transactions', () => {
    const block = new LearningBlock(2)
    block.transaction(
      [[5, 1, 'read']],
      [
        [5, 1, 'write'],
        [5, 2, 'read'],
      ],
    )
    block.transaction(
      [
        [5, 1, 'read'],
        [5, 3, 'read'],
        [5, 4, 'read'],
      ],
      [[5, 1, 'read']],
    )
    expect(block.learn()).toMatchObject({
      right: 2,
      wrong: 2,
      missed: 1,
      precision: 2 / 4,
      recall: 2 / 3,
    })
  })

  it('counts a location once, however often it was predicted', () => {
    const block = new LearningBlock(1)
    block.transaction(
      [
        [5, 1, 'read'],
        [5, 1, 'write'],
      ],
      [[5, 1, 'write']],
    )
    expect(block.learn()).toMatchObject({ right: 1, wrong: 0, missed: 0 })
  })

  it('holds nobody to the existence of accounts, which is not counted as touched', () => {
    const block = new LearningBlock(1)
    block.rows.existence(address(7))
    block.endTransaction()
    expect(block.learn()).toMatchObject({ right: 0, wrong: 0, missed: 0 })
  })
})

describe('the hottest locations', () => {
  it('are those where most transactions met, with who did what', () => {
    const block = new LearningBlock(4)
    block.transaction(
      [],
      [
        [5, 1, 'read'],
        [5, 2, 'write'],
      ],
    )
    block.transaction(
      [],
      [
        [5, 1, 'write'],
        [5, 2, 'write'],
      ],
    )
    block.transaction([], [[5, 2, 'read']])
    block.transaction([], [[5, 3, 'write']])
    const of = { field: 'slot', address: `0x${'05'.repeat(20)}`, adders: 0 }
    expect(block.learn().hottest).toEqual([
      { ...of, slot: `0x${'02'.repeat(32)}`, readers: 1, writers: 2 },
      { ...of, slot: `0x${'01'.repeat(32)}`, readers: 1, writers: 1 },
    ])
  })

  it('are none that is only read', () => {
    const block = new LearningBlock(3)
    for (let i = 0; i < 3; i++) block.transaction([], [[5, 1, 'read']])
    expect(block.learn().hottest).toEqual([])
  })

  it('are none that only grows unread, until somebody looks', () => {
    const hottest = (isRead: boolean) => {
      const block = new LearningBlock(3)
      const { worker } = block
      const account = worker.account(6)
      const location = (account + ACCOUNT.BALANCE_HEAD) as LocationId
      for (let index = 0; index < 2; index++) {
        const node = worker.publishBalance(account, index, 'ADD', 1n)
        const writes = worker.writeSet([[LOCATION.BALANCE, location, node]])
        worker.setField(index, 'WRITE_SET', writes)
        block.endTransaction()
      }
      if (isRead) {
        const reads = worker.readSet((set) => set.recordBalance(location, 1, 2n))
        worker.setField(2, 'READ_SET', reads)
      }
      return block.endTransaction().learn().hottest
    }
    expect(hottest(false)).toEqual([])
    const met = { field: 'balance', address: `0x${'06'.repeat(20)}` }
    expect(hottest(true)).toEqual([{ ...met, readers: 1, writers: 0, adders: 2 }])
  })

  it('are ten at most, the hottest of them', () => {
    const block = new LearningBlock(3)
    const all = Array.from({ length: 14 }, (_, key) => [5, key, 'write'] as const)
    block
      .transaction([], all)
      .transaction([], all)
      .transaction([], [[5, 13, 'write']])
    const { hottest } = block.learn()
    expect(hottest.length).toBe(10)
    expect(hottest[0]).toMatchObject({ slot: `0x${'0d'.repeat(32)}`, writers: 3 })
  })
})

describe('templates', () => {
  it('are confirmed where a prediction was exact', () => {
    const block = new LearningBlock(1).transaction([[5, 1, 'write']], [[5, 1, 'write']])
    block.learn()
    expect(block.learned).toEqual({ confirmed: [0], observed: [] })
  })

  it('learn from what was missed, and from what was wrong', () => {
    const block = new LearningBlock(2)
    block.transaction([], [[5, 1, 'write']])
    block.transaction([[5, 2, 'read']], [])
    block.learn()
    expect(block.learned.confirmed).toEqual([])
    expect(block.learned.observed.map(({ nonce }) => nonce)).toEqual([0, 1])
    const [missed] = block.learned.observed
    expect(missed?.codeHash).toEqual(codeHash)
    expect(missed?.observation.accesses).toEqual([
      {
        field: 'slot',
        address: address(5),
        key: slotKey(1),
        kind: 'write',
        value: new Uint8Array(32),
      },
    ])
  })

  it('are told what the contract hashed, each transaction’s own', () => {
    const block = new LearningBlock(2)
    const log = new PreimageLog()
    log.begin(1 as TxIndex, true)
    const preimage = Uint8Array.of(1, 2)
    log.watch(keccak_256)(preimage)
    block.worker.setField(1, 'PREIMAGES', log.finish(1 as TxIndex, block.worker.allocator))
    block.transaction([], [[5, 1, 'read']]).transaction([], [[5, 1, 'read']])
    block.learn()
    expect(block.learned.observed.map(({ observation }) => observation.hashes)).toEqual([
      [],
      [{ hash: keccak_256(preimage), preimage }],
    ])
  })

  it('hear nothing of transactions that call no code', () => {
    const block = new LearningBlock(2)
    block.transaction([], [[5, 1, 'read']], 7)
    block.endTransaction({ to: undefined })
    block.learn()
    expect(block.learned).toEqual({ confirmed: [], observed: [] })
  })

  it('take no longer than a share of the block’s time, but learn from the first eight in any case', () => {
    const learnedIn = (executeMs: number): number => {
      const block = new LearningBlock(12)
      for (let i = 0; i < 12; i++) block.transaction([], [[5, i, 'read']])
      let now = 0
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
      // Past every deadline after the first.
      block.onObserve = () => {
        now += 3
      }
      try {
        const { missed } = block.learn(executeMs)
        // Compared are all of them.
        expect(missed).toBe(12)
      } finally {
        clock.mockRestore()
      }
      return block.learned.observed.length
    }
    expect(learnedIn(0)).toBe(8)
    expect(learnedIn(long)).toBe(12)
  })
})
