// Plans a block while the workers recover its senders: predicts what each transaction touches, loads
// that ahead, and derives who should wait for whom; or nobody, where the block brings the values that
// each transaction starts from. Authority on when the plan is made: once, when every
// sender is known. A plan is advice; what is right is decided by validation.

import type { Block } from '@ethereumjs/block'
import { type BlockLevelAccessList, equalsBytes, KECCAK256_NULL } from '@ethereumjs/util'
import { CERTAIN } from '../access/access-sink.ts'
import { predictDeclared, predictEnvelope } from '../access/envelope.ts'
import { isTooLong } from '../access/listed-values.ts'
import type { TemplateLibrary } from '../access/template-library.ts'
import { factsOf, type TransactionFacts } from '../access/transaction-facts.ts'
import { MEAN_PREDICTION_WORK, MOST_PREDICTION_WORK, WorkBudget } from '../access/work-budget.ts'
import type { RecordId } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { ringAll } from '../memory/doorbell.ts'
import {
  ACCOUNT,
  BASE,
  CONTROL,
  NO_SENDER,
  SLOT,
  TRANSACTION,
  transactionIndex,
} from '../memory/layout.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'
import { bytesOfWords, readBytes } from '../memory/word-codec.ts'
import { type Plan, publishPlan } from '../scheduling/planned-order.ts'
import { waitForSenders } from '../scheduling/sender-order.ts'
import type { Keccak } from '../state/keccak.ts'
import type { BaseServer } from './base-server.ts'
import type { BlockMemory } from './block-memory.ts'
import { publishListed } from './listed-versions.ts'
import { type GraphOptions, type Outlook, planGraph, planWithoutWaits } from './plan-graph.ts'
import { PredictedAccesses } from './predicted-accesses.ts'

/** Senders whose accounts are loaded at once: a wake-up of the main thread has to pay. */
const RECOVERY_BATCH = 32
/** How often a prediction is repeated because a slot that it depends on had to be loaded first. */
const MOST_ROUNDS = 2

/** What predictions are made with. */
export interface Foresight {
  readonly library: TemplateLibrary
  readonly keccak: Keccak
}

export class BlockPlanner {
  readonly #memory: BlockMemory
  readonly #server: BaseServer
  readonly #block: Block
  readonly #options: GraphOptions
  readonly #foresight: Foresight | undefined
  readonly #list: BlockLevelAccessList | undefined
  readonly #failed: (error: unknown) => void
  /** Account records of the senders known so far, in block order. */
  readonly #senders: number[] = []
  readonly #facts: TransactionFacts[] = []
  #predicted: PredictedAccesses
  /** What predicting may still take, so that dear templates cannot hold up the block. */
  #allowance: WorkBudget
  #named: Promise<void> = Promise.resolve()
  #loads: Promise<unknown> = Promise.resolve()
  #isPartial = false
  /** Whether the list's values are there to start from. */
  #isListed = false
  #isPlanned = false
  #planMs = 0
  #plan: Plan | undefined
  #outlook: Outlook | undefined

  /**
   * Without `foresight`, transactions wait for those before them of the same sender only; with it, the
   * `list` that the block brings is preferred to predictions. `failed` is told at once of a load that
   * fails: what it was to load is asked for, and nobody else will answer.
   */
  constructor(
    memory: BlockMemory,
    server: BaseServer,
    block: Block,
    options: GraphOptions,
    foresight: Foresight | undefined,
    list: BlockLevelAccessList | undefined,
    failed: (error: unknown) => void,
  ) {
    this.#memory = memory
    this.#server = server
    this.#block = block
    this.#options = options
    this.#foresight = foresight
    this.#list = list
    this.#failed = failed
    this.#predicted = new PredictedAccesses(memory.table, block.transactions.length)
    this.#allowance = allowanceFor(block)
  }

  /** Undefined before the plan is made, and without foresight. */
  get outlook(): Outlook | undefined {
    return this.#outlook
  }

  /** What the plan is made from; undefined where it knows the senders only. */
  get source(): 'predictions' | 'access list' | undefined {
    if (this.#foresight === undefined) return undefined
    return this.#isListed ? 'access list' : 'predictions'
  }

  /** Time spent on predictions, list and graph, in ms. */
  get planMs(): number {
    return this.#planMs
  }

  /** What was predicted, and of what: one row, and one entry of `facts`, per transaction. */
  get predictions(): { rows: PredictedAccesses['rows']; facts: readonly TransactionFacts[] } {
    return { rows: this.#predicted.rows, facts: this.#facts }
  }

  /**
   * Starts to load the accounts that the transactions name, and all that the list does, ahead of the
   * workers' asking.
   * @throws ParallelError `STORE_FULL`
   */
  begin(): void {
    const { control, table } = this.#memory
    nativeAtomics.store(control, CONTROL.RECOVERY_NOTICE, RECOVERY_BATCH)
    const accounts = [table.account(this.#block.header.coinbase.bytes)]
    for (const { to } of this.#block.transactions) {
      if (to !== undefined) accounts.push(table.account(to.bytes))
    }
    this.#named = this.#load({ accounts, slots: this.#takeList(accounts) })
  }

  /** Takes the list's values over, adds the accounts that it names to `accounts`, and returns the slots. */
  #takeList(accounts: RecordId[]): RecordId[] {
    const list = this.#list
    const { transactions, header } = this.#block
    // A list that is too long is a wrong one.
    if (list === undefined || this.#foresight === undefined) return []
    if (isTooLong(list, header.gasLimit)) return []
    const start = performance.now()
    const { keccak } = this.#foresight
    const listed = publishListed(this.#memory, list, transactions.length, keccak)
    this.#isListed = listed.isWhole
    for (const account of listed.accounts) accounts.push(account)
    this.#planMs += performance.now() - start
    return listed.slots
  }

  /**
   * Resolves when all loads so far have ended. Until then they read the state, which must not be written
   * meanwhile, and write to the memory, which must not be used for anything else.
   */
  async loaded(): Promise<void> {
    await this.#loads
  }

  /**
   * Takes up the senders that were recovered since, and plans when they are all there.
   * @returns whether the plan is made, and was not before: it is published by {@link publish}.
   */
  async advance(): Promise<boolean> {
    if (this.#isPlanned) return false
    const { control } = this.#memory
    const count = this.#block.transactions.length
    const first = this.#senders.length
    while (this.#senders.length < count) {
      const index = transactionIndex(this.#senders.length, TRANSACTION.SENDER)
      const sender = nativeAtomics.load(control, index)
      if (sender === 0) break
      this.#keepPublicKey(this.#senders.length)
      this.#senders.push(sender)
    }
    // Set before the next look: what is recovered in between is found by that.
    nativeAtomics.store(control, CONTROL.RECOVERY_NOTICE, this.#senders.length + RECOVERY_BATCH)
    const isWhole = this.#senders.length === count
    if (this.#foresight === undefined || this.#isListed) {
      const senders = this.#senders.slice(first).filter((record) => record !== NO_SENDER)
      const loading = this.#load({ accounts: senders as RecordId[], slots: [] })
      if (!isWhole) {
        await loading
        return false
      }
      if (this.#isListed) this.#foresee(planWithoutWaits(this.#gasLimits()))
      this.#isPlanned = true
      return true
    }
    // Which code is called must be known before it can be predicted what it does.
    await this.#named
    this.#predict(first)
    const loading = this.#load(this.#predicted.takeNamed())
    if (!isWhole) {
      await loading
      return false
    }
    for (let round = 1; this.#isPartial && round < MOST_ROUNDS; round++) {
      await loading
      this.#repeatPredictions()
      await this.#load(this.#predicted.takeNamed())
    }
    this.#derive()
    this.#isPlanned = true
    return true
  }

  /** Lets the workers execute, by the plan. @throws ParallelError `STORE_FULL` */
  publish(): void {
    const { control, block, blockAllocator } = this.#memory
    publishPlan(control, block, blockAllocator, nativeAtomics, this.#plan ?? this.#bySender())
    ringAll(nativeAtomics, control, this.#options.workers)
  }

  #bySender(): Plan {
    return waitForSenders(this.#senders)
  }

  /** Derives the graph, and what it promises. */
  #derive(): void {
    const start = performance.now()
    this.#foresee(planGraph(this.#predicted.rows, this.#gasLimits(), this.#options))
    this.#planMs += performance.now() - start
  }

  #foresee({ plan, outlook }: { plan: Plan; outlook: Outlook }): void {
    this.#plan = plan
    this.#outlook = outlook
  }

  #gasLimits(): Float64Array {
    return Float64Array.from(this.#block.transactions, ({ gasLimit }) => Number(gasLimit))
  }

  #repeatPredictions(): void {
    this.#isPartial = false
    this.#predicted.rows.clear()
    this.#facts.length = 0
    this.#allowance = allowanceFor(this.#block)
    this.#predict(0)
  }

  #predict(first: number): void {
    const foresight = this.#foresight
    if (foresight === undefined) return
    const start = performance.now()
    for (let index = first; index < this.#senders.length; index++) {
      const facts = this.#factsOf(index)
      this.#facts.push(facts)
      predictEnvelope(facts, foresight.keccak, this.#predicted)
      predictDeclared(facts, this.#predicted)
      // Who has code cannot send (EIP-3607), so stock looks, and the read set has it.
      if (facts.sender !== undefined) this.#predicted.code(facts.sender, 'read', CERTAIN)
      if (facts.to !== undefined) this.#predictCall(foresight, index, facts, facts.to)
      this.#predicted.rows.endTransaction()
    }
    this.#planMs += performance.now() - start
  }

  #predictCall(
    { library }: Foresight,
    index: number,
    facts: TransactionFacts,
    to: Uint8Array,
  ): void {
    const { control } = this.#memory
    const codeHash = calledCodeHash(this.#memory, to)
    if (codeHash === undefined) return
    const coverage = library.predict(
      facts,
      codeHash,
      this.#predicted,
      this.#loadSlot,
      undefined,
      this.#allowance,
    )
    if (coverage === 'partial') this.#isPartial = true
    if (library.isCurious(facts, codeHash)) {
      control[transactionIndex(index, TRANSACTION.WANTS_PREIMAGES)] = 1
    }
  }

  /** The base value of a slot, if it is known; what is not will be loaded. */
  readonly #loadSlot = (address: Uint8Array, key: Uint8Array): Uint8Array | undefined => {
    const { table, state } = this.#memory
    const slot = table.slot(table.account(address), key)
    const words = state.reach(slot + SLOT.WORDS)
    if (nativeAtomics.load(words, slot + SLOT.STATUS) === BASE.PRESENT) {
      return readBytes(state.bytes, slot + SLOT.VALUE, 32)
    }
    this.#predicted.nameSlot(slot)
    return undefined
  }

  /** Stock keeps the public key with a frozen transaction, and so saves who asks next the recovery. */
  #keepPublicKey(index: number): void {
    const { control, block } = this.#memory
    const at = control[transactionIndex(index, TRANSACTION.PUBLIC_KEY)]
    const tx = this.#block.transactions[index]
    if (at !== 0 && Object.isFrozen(tx)) tx.cache.senderPubKey ??= readSizedBytes(block, at)
  }

  #factsOf(index: number): TransactionFacts {
    const record = this.#senders[index]
    const words = this.#memory.state.reach(record + ACCOUNT.WORDS)
    const sender =
      record === NO_SENDER ? undefined : bytesOfWords(words, record + ACCOUNT.ADDRESS, 5)
    const coinbase = this.#block.header.coinbase.bytes
    return factsOf(this.#block.transactions[index], { coinbase, sender })
  }

  /** Never rejects: not every load is waited for where it is started. */
  #load({ accounts, slots }: { accounts: RecordId[]; slots: RecordId[] }): Promise<void> {
    if (accounts.length === 0 && slots.length === 0) return Promise.resolve()
    const ring = (): void => ringAll(nativeAtomics, this.#memory.control, this.#options.workers)
    const load = this.#server.preload(accounts, slots).then(ring).catch(this.#failed)
    this.#loads = Promise.all([this.#loads, load])
    return load
  }
}

/** Some dear predictions in any case, and for each transaction its share. */
function allowanceFor({ transactions }: Block): WorkBudget {
  return new WorkBudget(8 * MOST_PREDICTION_WORK + transactions.length * MEAN_PREDICTION_WORK)
}

/** Hash of the code at an address before the block; undefined where there is none, or not known. */
export function calledCodeHash(memory: BlockMemory, address: Uint8Array): Uint8Array | undefined {
  const { table, state } = memory
  const record = table.account(address)
  const words = state.reach(record + ACCOUNT.WORDS)
  if (nativeAtomics.load(words, record + ACCOUNT.STATUS) !== BASE.PRESENT) return undefined
  if (words[record + ACCOUNT.EXISTS] === 0) return undefined
  const hash = readBytes(state.bytes, record + ACCOUNT.CODE_HASH, 32)
  return equalsBytes(hash, KECCAK256_NULL) ? undefined : hash
}
