// Draws a small block of toy transactions on few hot accounts, and what sequential execution makes of it.
// Authority on the distribution of programs. The same seed gives the same program in every thread.

import { levelsOf } from '../../../src/graph/dependency-lists.ts'
import { NO_SENDER, OUTCOME } from '../../../src/memory/layout.ts'
import type { Plan } from '../../../src/scheduling/planned-order.ts'
import { waitForSenders } from '../../../src/scheduling/sender-order.ts'
import { Random } from './random.ts'
import { drawList, type ToyValue } from './toy-list.ts'
import type { ToyTerms } from './toy-pool.ts'
import {
  type Condition,
  InvalidToyError,
  runToy,
  type ToyOperation,
  type ToyTransaction,
} from './toy-transaction.ts'
import { copyAccounts, PlainWorld, type ToyAccount } from './toy-world.ts'

export const ACCOUNTS = 4
export const KEYS = 2
const COINBASE = ACCOUNTS - 1

export interface ToyProgram {
  /** Threads that execute. */
  workers: number
  /** Lanes per worker. */
  lanes: number
  /** Whether one more thread plays the main thread, from whom all base values must be asked. */
  served: boolean
  /** The main thread aborts the block once so many transactions are committed. */
  abortAfter: number | undefined
  base: ReadonlyMap<number, ToyAccount>
  transactions: readonly ToyTransaction[]
  /** The main thread's advice: by sender, and some that nothing speaks for. */
  plan: Plan
  /** Values that the block is said to come to, right or wrong; undefined where it brings no list. */
  list: readonly ToyValue[] | undefined
  /** Where the block is being built, what it has room for; undefined where it is given. */
  terms?: ToyTerms
  expected: {
    /** What each transaction observes, up to the first invalid one; of a block being built, of each that is in. */
    observed: readonly number[][]
    /** Transactions that are committed: all, or those below the first invalid one. */
    committed: number
    /** Of a block that is being built: what comes of each transaction. */
    outcomes?: readonly number[]
    /** After this one nothing more is wanted of it; -1 = all is. */
    stopsAt?: number
  }
}

export async function drawProgram(seed: number): Promise<ToyProgram> {
  const random = new Random(seed)
  const served = random.oneIn(5)
  const workers = served ? 1 + random.below(2) : 2 + random.below(2)
  const abortAfter = served && random.oneIn(6) ? random.below(3) : undefined
  const lanes = 2 + random.below(2)
  const base = drawBase(random)
  const hot = random.below(ACCOUNTS)
  const count = 3 + random.below(5)
  const world = new PlainWorld(base)
  const transactions: ToyTransaction[] = []
  const observed: number[][] = []
  const states = [copyAccounts(world.accounts)]
  let invalid = false
  while (transactions.length < count) {
    const transaction = await drawTransaction(random, hot, world)
    transactions.push(transaction)
    if (invalid) continue
    await world.checkpoint()
    try {
      observed.push(await runToy(transaction, world))
      states.push(copyAccounts(world.accounts))
    } catch (error) {
      if (!(error instanceof InvalidToyError)) throw error
      await world.revert()
      invalid = true
    }
  }
  const expected = { observed, committed: observed.length }
  const plan = drawPlan(random, transactions)
  const list = random.oneIn(3) ? drawList(random, states, count) : undefined
  return { workers, lanes, served, abortAfter, base, transactions, plan, list, expected }
}

/** The accounts after the first `committed` transactions. */
export async function accountsAfter(
  program: ToyProgram,
  committed: number,
): Promise<ReadonlyMap<number, ToyAccount>> {
  const world = new PlainWorld(program.base)
  const { outcomes } = program.expected
  for (const [index, transaction] of program.transactions.slice(0, committed).entries()) {
    if (outcomes === undefined || outcomes[index] === OUTCOME.RESULT) {
      await runToy(transaction, world)
    }
  }
  return world.accounts
}

function drawBase(random: Random): Map<number, ToyAccount> {
  const base = new Map<number, ToyAccount>()
  for (let account = 0; account < ACCOUNTS; account++) {
    if (random.oneIn(4)) continue
    const slots = new Map<number, number>()
    for (let key = 0; key < KEYS; key++) if (!random.oneIn(3)) slots.set(key, 1 + random.below(255))
    base.set(account, { nonce: random.below(3), balance: random.below(40), slots })
  }
  return base
}

async function drawTransaction(
  random: Random,
  hot: number,
  world: PlainWorld,
): Promise<ToyTransaction> {
  const operations: ToyOperation[] = []
  const length = 2 + random.below(5)
  let sender: number | undefined
  if (random.oneIn(3)) {
    // Valid in its place, and hardly ever on a stale state.
    const account = drawAccount(random, hot)
    if (!random.oneIn(3)) sender = account
    const nonce = (await world.nonce(account)) + (random.oneIn(12) ? 1 : 0)
    operations.push({ kind: 'spend', account, nonce, when: 'always' })
  }
  while (operations.length < length) operations.push(drawOperation(random, hot))
  const fee = random.oneIn(3) ? { account: COINBASE, amount: 1 + random.below(3) } : undefined
  return { operations, fee, sender }
}

/** Any advice must be harmless, so a third of the transactions wait for lower ones at random too. */
function drawPlan(random: Random, transactions: readonly ToyTransaction[]): Plan {
  const senders = transactions.map(({ sender }) => (sender === undefined ? NO_SENDER : sender + 1))
  const bySender = waitForSenders(senders)
  const starts = new Int32Array(transactions.length + 1)
  const targets: number[] = []
  for (let index = 0; index < transactions.length; index++) {
    const lower = new Set(
      bySender.targets.subarray(bySender.starts[index], bySender.starts[index + 1]),
    )
    if (index > 0 && random.oneIn(3)) {
      for (let i = 1 + random.below(2); i > 0; i--) lower.add(random.below(index))
    }
    targets.push(...[...lower].sort((a, b) => a - b))
    starts[index + 1] = targets.length
  }
  const plan = {
    starts,
    targets: Int32Array.from(targets),
    priority: drawPriority(random, senders.length),
  }
  if (!random.oneIn(4)) return plan
  return {
    ...plan,
    window: {
      size: 1 + random.below(2),
      levels: levelsOf({ ...plan, count: senders.length }).levels,
    },
  }
}

/** Some transactions in any order. */
function drawPriority(random: Random, count: number): number[] {
  const priority: number[] = []
  if (!random.oneIn(3)) return priority
  for (let i = random.below(count + 1); i > 0; i--) {
    const transaction = random.below(count)
    if (!priority.includes(transaction)) priority.push(transaction)
  }
  return priority
}

function drawOperation(random: Random, hot: number): ToyOperation {
  const account = drawAccount(random, hot)
  const key = random.below(KEYS)
  const amount = 1 + random.below(15)
  const when: Condition = random.pick(['always', 'always', 'even', 'odd'])
  const kind = random.pick([
    'slot',
    'slot',
    'slot',
    'store',
    'store',
    'store',
    'storeZero',
    'balance',
    'transfer',
    'transfer',
    'add',
    'add',
    'add',
    'exists',
    'nonce',
    'bump',
    'destroy',
    'clear',
    'attempt',
  ] as const)
  switch (kind) {
    case 'slot':
    case 'store':
    case 'storeZero':
      return { kind, account, key, when }
    case 'transfer':
      return { kind, account, to: drawAccount(random, hot), amount, when }
    case 'add':
      return { kind, account, amount, when }
    case 'attempt':
      return { kind, when: random.pick(['even', 'odd']) }
    default:
      return { kind, account, when }
  }
}

function drawAccount(random: Random, hot: number): number {
  return random.oneIn(3) ? random.below(ACCOUNTS) : hot
}
