// A state that fails or takes its time while it is read, ahead of the workers' asking and at their asking.
// Authority on loads that are under way when a block goes on, ends, or cannot go on.
// It must not depend on which read comes when: all are tried, or the slow one is named.
import type { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import type { Account, Address } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import {
  type BlockPlan,
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  type World,
} from '../support/hand-made-block.ts'
import { type Actor, actors, addressWord, contracts } from '../support/random-world.ts'
import { counterCode, witnessCode } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { counter, reader } = contracts
const accounts = {
  [counter.toString()]: { nonce: 1n, code: counterCode },
  [reader.toString()]: { nonce: 1n, code: witnessCode },
}
const schedulers = ['optimistic', 'graph'] as const

/** Six senders, a counter with a slot, and an account that is looked at. */
const plan: BlockPlan = {
  transactions: actors.slice(0, 6).map((from, index) => ({
    from,
    to: index % 2 === 0 ? counter : reader,
    data: addressWord(actors[8]!.address),
  })),
}

const executors = new Map<string, ParallelExecutor>()

beforeAll(async () => {
  for (const scheduler of schedulers) {
    executors.set(scheduler, await strictExecutor({ scheduler, fallback: true }))
  }
})
afterAll(async () => {
  for (const executor of executors.values()) await executor.close()
})

/** The database under a state manager's trie, whose reads can be made to fail. */
function databaseOf(manager: unknown): { get(...args: unknown[]): Promise<unknown> } {
  const { _trie } = manager as { _trie: MerklePatriciaTrie }
  return _trie.database().db as unknown as ReturnType<typeof databaseOf>
}

describe('a state whose reads fail', () => {
  it.each(schedulers)(
    'once, at whichever read (%s): the block is equal, or refused with that error, and the next is equal',
    async (scheduler) => {
      const world = await makeWorld({ accounts })
      const executor = executors.get(scheduler)!
      let [rescued, refused] = [0, 0]
      for (let failing = 0, hasFailed = true; hasFailed; failing++) {
        const sides = await sidesOf(world)
        const root = await sides.ours.stateManager.getStateRoot()
        const database = databaseOf(sides.ours.stateManager)
        const get = database.get.bind(database)
        let reads = 0
        database.get = async (...args) => {
          // In the next turn, so that the load that it belongs to is under way by then.
          await new Promise((resolve) => setImmediate(resolve))
          if (reads++ === failing) throw new Error('the disk is gone')
          return get(...args)
        }
        const block = makeBlock(world.common, plan)
        const run = await runBoth(executor, sides, block)
        hasFailed = reads > failing
        if (run.error === undefined) {
          expect(run.differences, `read ${failing}`).toEqual([])
          expect(run.report!.incidents).toEqual(hasFailed ? ['the disk is gone'] : [])
          if (hasFailed) rescued++
        } else {
          // Where the calling thread reads for itself: before and after the transactions.
          expect(String(run.error)).toContain('the disk is gone')
          expect(await sides.ours.stateManager.getStateRoot()).toEqual(root)
          refused++
        }
      }
      expect(rescued).toBeGreaterThan(3)
      expect(refused).toBeGreaterThan(0)
    },
  )

  it.each(schedulers)(
    'for good, at one account (%s): the block is refused with that error',
    async (scheduler) => {
      class WithoutBob extends MerkleStateManager {
        override async getAccount(address: Address): Promise<Account | undefined> {
          if (address.equals(actors[1]!.address)) throw new Error('the disk is gone')
          return super.getAccount(address)
        }
      }
      const world = await makeWorld({ accounts, StateManager: WithoutBob })
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const block = makeBlock(world.common, plan)
      const refused = executors.get(scheduler)!.runBlock(vm, { ...fillHeader, block })
      await expect(refused).rejects.toThrow('the disk is gone')
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
    },
  )
})

describe('an account that is loaded ahead, slowly, and that nobody looks at', () => {
  const slow = actors[9]!.address
  /** Longer than the workers take for the block. */
  const slowMs = 300
  /** Named by an access list: that says nothing of its use, so it is loaded and need not be touched. */
  const named: Partial<BlockPlan['transactions'][number]> = {
    fields: { type: 1, accessList: [{ address: slow.toString(), storageKeys: [] }] },
  }

  class SlowManager extends MerkleStateManager {
    isSlow = true
    reading = 0
    /** Reads that were under way when something was written. */
    disturbed = 0

    override async getAccount(address: Address): Promise<Account | undefined> {
      this.reading++
      try {
        const account = await super.getAccount(address)
        // Only the first time: who reads it in earnest would else wait until it is loaded, too.
        if (this.isSlow && address.equals(slow)) {
          this.isSlow = false
          await new Promise((resolve) => setTimeout(resolve, slowMs))
        }
        return account
      } finally {
        this.reading--
      }
    }
    override putAccount(address: Address, account?: Account): Promise<void> {
      this.disturbed += this.reading
      return super.putAccount(address, account)
    }
  }

  const slowWorld = (): Promise<World> => makeWorld({ accounts, StateManager: SlowManager })
  const withNames: BlockPlan = {
    transactions: plan.transactions.map((one, index) => (index === 5 ? { ...one, ...named } : one)),
  }

  it.each([false, true])(
    'is read no more when the changes are written, with a listener: %s',
    async (isWatched) => {
      const sides = await sidesOf(await slowWorld())
      const manager = sides.ours.stateManager as unknown as SlowManager
      const block = makeBlock(sides.ours.common, withNames)
      const run = await runBoth(executors.get('graph')!, sides, block, fillHeader, isWatched)
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
      expect(manager).toMatchObject({ reading: 0, disturbed: 0 })
    },
  )

  it('is not taken for what it is after the block, where the block pays it in the end', async () => {
    const sides = await sidesOf(await slowWorld())
    const nonces = new Map<Actor, bigint>()
    const lookAtIt = plan.transactions.map((one) => ({ ...one, data: addressWord(slow) }))
    const blocks: BlockPlan[] = [
      plan,
      { ...withNames, number: 21n, withdrawals: [{ address: slow, amount: 5n }] },
      { number: 22n, transactions: lookAtIt },
    ]
    for (const one of blocks) {
      const block = makeBlock(sides.ours.common, one, nonces)
      const run = await runBoth(executors.get('graph')!, sides, block)
      expect(run.differences, `block ${block.header.number}`).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
      await new Promise((resolve) => setTimeout(resolve, slowMs))
    }
  })
})
