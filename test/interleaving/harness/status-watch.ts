// Sees every change of the control words and holds it to the laws of scheduling.
// Authority on those laws in words of memory. It looks at memory without taking turns, so that looking
// changes no schedule.

import { CONTROL, NODE, TRANSACTION, transactionIndex } from '../../../src/memory/layout.ts'
import type { SharedRegion } from '../../../src/memory/shared-region.ts'
import { forEachWrite } from '../../../src/mvcc/write-set.ts'
import {
  incarnationOf,
  STATE,
  type State,
  stateOf,
} from '../../../src/scheduling/transaction-status.ts'
import type { Gate } from './gate.ts'
import { EVENT, type Journal, statusName } from './journal.ts'
import { LAW } from './laws.ts'
import { holderIndex, OBLIGATION_SLOTS, obligationIndex, STAGE } from './stage.ts'

const FIRST_STATUS = transactionIndex(0, TRANSACTION.STATUS)
const STRIDE = transactionIndex(1, TRANSACTION.STATUS) - FIRST_STATUS
const ESTIMATE_BIT = 1

export class StatusWatch {
  readonly #gate: Gate
  readonly #stage: Int32Array
  readonly #control: Int32Array
  readonly #block: SharedRegion
  readonly #journal: Journal
  /** The block is being built: what does not fit is passed over at the commit head. */
  readonly isBuilt: boolean
  /** The running `finish` says that the incarnation wrote to a new location. */
  #wroteElsewhere = false
  /** What is being published writes to one. */
  #publishedElsewhere = false

  constructor(
    gate: Gate,
    control: Int32Array,
    block: SharedRegion,
    journal: Journal,
    isBuilt: boolean,
  ) {
    this.#gate = gate
    this.#stage = gate.words
    this.#control = control
    this.#block = block
    this.#journal = journal
    this.isBuilt = isBuilt
  }

  /** An observer for stepped atomics. */
  observe(words: Int32Array, index: number, before: number, after: number): void {
    if (words.buffer !== this.#control.buffer) return
    if (index >= FIRST_STATUS) {
      if ((index - FIRST_STATUS) % STRIDE !== 0) return
      this.#status((index - FIRST_STATUS) / STRIDE, before, after)
    } else if (index === CONTROL.EXECUTION_CURSOR || index === CONTROL.VALIDATION_CURSOR) {
      this.#cursor(index, before, after)
    } else if (index === CONTROL.COMMIT_LOCK) {
      this.#stage[STAGE.LOCK_HOLDER] = after === 1 ? this.#gate.me + 1 : 0
    } else if (index === CONTROL.COMMITTED) {
      this.#committed(before, after)
    } else if (index === CONTROL.HALT) {
      this.#journal.append(this.#gate.me, EVENT.HALT, after)
    }
  }

  statusOf(transaction: number): number {
    return Atomics.load(this.#control, transactionIndex(transaction, TRANSACTION.STATUS))
  }

  committedEnd(): number {
    return Atomics.load(this.#control, CONTROL.COMMITTED)
  }

  /** Checks that this thread holds `transaction` in `state`. */
  requireHeld(transaction: number, state: State, action: string): void {
    const status = this.statusOf(transaction)
    const holder = this.#stage[holderIndex(transaction)] - 1
    if (stateOf(status) === state && holder === this.#gate.me) return
    this.#gate.fail(
      LAW.holder,
      `${action} of transaction ${transaction}, which is ${statusName(status)} of thread ${holder}`,
    )
  }

  /** `location` is about to get a version of `transaction`, which this thread executes. */
  published(transaction: number, location: number): void {
    let isNew = true
    forEachWrite(this.#block, this.#writeSet(transaction), (_kind, written) => {
      if (written === location) isNew = false
    })
    if (isNew) this.#publishedElsewhere = true
  }

  beginFinish(transaction: number, wroteElsewhere: boolean): void {
    if (this.#publishedElsewhere && !wroteElsewhere) {
      this.#gate.fail(LAW.rewinds, `nobody is told of the new writes of transaction ${transaction}`)
    }
    this.#publishedElsewhere = false
    this.#wroteElsewhere = wroteElsewhere
  }

  /** At the end of a scheduler's operation: it has made up for all that it made stale. */
  requireRewound(): void {
    for (let slot = 0; slot < OBLIGATION_SLOTS; slot++) {
      const at = obligationIndex(this.#gate.me, slot)
      if (this.#stage[at + 2] === 0) continue
      const cursor = this.#stage[at] === CONTROL.EXECUTION_CURSOR ? 'execution' : 'validation'
      this.#gate.fail(
        LAW.rewinds,
        `the ${cursor} cursor was never at or below ${this.#stage[at + 1]} since`,
      )
    }
  }

  #status(transaction: number, before: number, after: number): void {
    const me = this.#gate.me
    this.#journal.append(me, EVENT.STATUS, transaction, before, after)
    const holder = this.#stage[holderIndex(transaction)] - 1
    if (!this.#isTransition(transaction, before, after, holder)) {
      this.#gate.fail(
        LAW.transitions,
        `transaction ${transaction}, held by ${holder}: ${statusName(before)} -> ${statusName(after)}`,
      )
    }
    const state = stateOf(after)
    const held = state === STATE.EXECUTING || state === STATE.ABORTING
    this.#stage[holderIndex(transaction)] = held ? me + 1 : 0
    // What an access list says of a transaction that has not run yet is a value.
    if ((state === STATE.READY || state === STATE.EXECUTING) && incarnationOf(after) > 0) {
      this.#requireEstimates(transaction)
    }
    if (state === STATE.READY) this.#owe(CONTROL.EXECUTION_CURSOR, transaction)
    if (stateOf(before) === STATE.ABORTING) this.#owe(CONTROL.VALIDATION_CURSOR, transaction + 1)
    if (state === STATE.EXECUTED && (this.#wroteElsewhere || incarnationOf(after) > 0)) {
      this.#owe(CONTROL.VALIDATION_CURSOR, transaction)
    }
  }

  #isTransition(transaction: number, before: number, after: number, holder: number): boolean {
    const same = incarnationOf(before) === incarnationOf(after)
    const mine = holder === this.#gate.me
    switch (stateOf(before)) {
      case STATE.READY:
        return (
          same && (stateOf(after) === STATE.EXECUTING || this.#isPassedOver(transaction, after))
        )
      case STATE.EXECUTING:
        return (
          same && mine && (stateOf(after) === STATE.EXECUTED || stateOf(after) === STATE.BLOCKED)
        )
      case STATE.BLOCKED:
        return same && (stateOf(after) === STATE.READY || this.#isPassedOver(transaction, after))
      case STATE.EXECUTED:
        if (stateOf(after) === STATE.COMMITTED) return same && this.#mayCommit(transaction)
        return same && stateOf(after) === STATE.ABORTING
      case STATE.ABORTING:
        if (stateOf(after) === STATE.COMMITTED) {
          return same && mine && this.isBuilt && this.#mayCommit(transaction)
        }
        return (
          mine &&
          stateOf(after) === STATE.READY &&
          incarnationOf(after) === incarnationOf(before) + 1
        )
      default:
        return false
    }
  }

  #isPassedOver(transaction: number, after: number): boolean {
    return this.isBuilt && stateOf(after) === STATE.ABORTING && this.#mayCommit(transaction)
  }

  #mayCommit(transaction: number): boolean {
    return (
      this.#stage[STAGE.LOCK_HOLDER] === this.#gate.me + 1 && this.committedEnd() === transaction
    )
  }

  #committed(before: number, after: number): void {
    this.#journal.append(this.#gate.me, EVENT.COMMITTED, after)
    const locked = this.#stage[STAGE.LOCK_HOLDER] === this.#gate.me + 1
    if (locked && after === before + 1 && stateOf(this.statusOf(before)) === STATE.COMMITTED) return
    this.#gate.fail(
      LAW.order,
      `commit head ${before} -> ${after}, transaction ${before} is ${statusName(this.statusOf(before))}, lock held: ${locked}`,
    )
  }

  /** No payload of the last write set may still be a value. */
  #requireEstimates(transaction: number): void {
    forEachWrite(this.#block, this.#writeSet(transaction), (_kind, location, node) => {
      const payload = Atomics.load(this.#block.reach(node + NODE.WORDS), node + NODE.PAYLOAD)
      if (payload === 0 || (payload & ESTIMATE_BIT) !== 0) return
      const status = statusName(this.statusOf(transaction))
      this.#gate.fail(
        LAW.estimates,
        `transaction ${transaction} is ${status}, and location ${location} holds a value of it`,
      )
    })
  }

  #writeSet(transaction: number): number {
    return Atomics.load(this.#control, transactionIndex(transaction, TRANSACTION.WRITE_SET))
  }

  #owe(cursor: number, highest: number): void {
    if (Atomics.load(this.#control, cursor) <= highest) return
    for (let slot = 0; slot < OBLIGATION_SLOTS; slot++) {
      const at = obligationIndex(this.#gate.me, slot)
      if (this.#stage[at + 2] !== 0) continue
      this.#stage[at] = cursor
      this.#stage[at + 1] = highest
      this.#stage[at + 2] = 1
      return
    }
    throw new Error('more rewinds are owed at once than there is room for')
  }

  /** Whoever lowers a cursor does it for all. */
  #cursor(cursor: number, before: number, after: number): void {
    if (after < before) this.#journal.append(this.#gate.me, EVENT.CURSOR, cursor, before, after)
    for (let thread = 0; thread < this.#stage[STAGE.THREADS]; thread++) {
      for (let slot = 0; slot < OBLIGATION_SLOTS; slot++) {
        const at = obligationIndex(thread, slot)
        if (this.#stage[at] === cursor && after <= this.#stage[at + 1]) this.#stage[at + 2] = 0
      }
    }
  }
}
