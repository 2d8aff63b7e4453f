// A planner whose surroundings are played: workers that recover senders by hand, templates that say what a
// test wants, and a small state. Authority on nothing; what the planner makes of it is the tests' matter.
import type { Block } from '@ethereumjs/block'
import type { Address } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'

import type { TemplateLibrary } from '../../../../src/access/template-library.ts'
import { BaseServer } from '../../../../src/block/base-server.ts'
import { BlockMemory } from '../../../../src/block/block-memory.ts'
import { BlockPlanner } from '../../../../src/block/block-planner.ts'
import type { Incarnation, TxIndex } from '../../../../src/ids.ts'
import { nativeAtomics } from '../../../../src/memory/atomics.ts'
import {
  ACCOUNT,
  bellIndex,
  CONTROL,
  NO_SENDER,
  TRANSACTION,
  transactionIndex,
} from '../../../../src/memory/layout.ts'
import { PlannedOrder } from '../../../../src/scheduling/planned-order.ts'
import { type BlockPlan, makeBlock, makeWorld } from '../../../support/hand-made-block.ts'
import { type Actor, actors, contracts } from '../../../support/random-world.ts'
import { counterCode } from '../../../support/small-contracts.ts'

export const [alice, bob, carol] = actors as [Actor, Actor, Actor]
const { counter } = contracts
export const slotKey = new Uint8Array(32)
const options = { workers: 2, maxParallelLevel: Infinity, maxLevelDepth: Infinity }
export const world = await makeWorld({
  accounts: { [counter.toString()]: { code: counterCode, storage: { '0x00': '0x2a' } } },
})

/** Templates that know nothing, unless a test says otherwise. */
const ignorant: Pick<TemplateLibrary, 'predict' | 'isCurious'> = {
  predict: () => 'none',
  isCurious: () => false,
}

interface Given {
  readonly templates?: Partial<typeof ignorant>
  readonly isForeseeing?: boolean
  readonly block?: Block
  /** Whose account cannot be read. */
  readonly broken?: Address
}

export const disk = new Error('the disk is gone')

export async function setUp(plan: BlockPlan['transactions'], given: Given = {}) {
  const block = given.block ?? makeBlock(world.common, { transactions: plan })
  const { stateManager } = await world.vm()
  if (given.broken !== undefined) {
    const getAccount = stateManager.getAccount.bind(stateManager)
    stateManager.getAccount = (address) =>
      address.equals(given.broken!) ? Promise.reject(disk) : getAccount(address)
  }
  const memory = new BlockMemory(1, 1)
  memory.beginBlock(block.transactions.length)
  memory.control[CONTROL.TRANSACTION_COUNT] = block.transactions.length
  const failures: unknown[] = []
  const planner = new BlockPlanner(
    memory,
    new BaseServer(memory, stateManager, {} as never, 20n, () => false),
    block,
    options,
    given.isForeseeing === false
      ? undefined
      : {
          library: { ...ignorant, ...given.templates } as unknown as TemplateLibrary,
          keccak: keccak_256,
        },
    undefined,
    (error) => failures.push(error),
  )
  const statusOf = (actor: { bytes: Uint8Array }): number =>
    memory.state.words[memory.table.account(actor.bytes) + ACCOUNT.STATUS]!
  /** Says who sent a transaction, as a worker does. */
  const recover = (index: number): void => {
    const record = memory.table.account(plan[index]!.from.address.bytes)
    memory.control[transactionIndex(index, TRANSACTION.SENDER)] = record
  }
  const recoverNobody = (index: number): void => {
    memory.control[transactionIndex(index, TRANSACTION.SENDER)] = NO_SENDER
  }
  const recoverAll = (): void => {
    for (const index of plan.keys()) recover(index)
  }
  /** What each transaction waits for first, by the published plan. */
  const blockers = (): number[] => {
    const order = new PlannedOrder(memory.control, memory.block, nativeAtomics)
    return block.transactions.map((_, index) =>
      order.blocker(index as TxIndex, 0 as Incarnation, () => false),
    )
  }
  const bell = (): number => memory.control[bellIndex(1)]!
  return {
    ...{ planner, memory, block, failures },
    ...{ statusOf, recover, recoverNobody, recoverAll, blockers, bell },
  }
}

export const pay = (from: Actor, to: Actor) => ({ from, to: to.address, value: 5n })
