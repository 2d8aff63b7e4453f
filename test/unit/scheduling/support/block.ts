// A block for the scheduler alone: control words, and a judge that finds stale what the test says.
// Authority on nothing; it notes what the scheduler asks of versions, in order.

import { expect } from 'vitest'

import type { TxIndex } from '../../../../src/ids.ts'
import { type AtomicOperations, nativeAtomics } from '../../../../src/memory/atomics.ts'
import {
  CONTROL,
  controlWords,
  TRANSACTION,
  transactionIndex,
} from '../../../../src/memory/layout.ts'
import {
  BlockStmScheduler,
  type VersionJudge,
} from '../../../../src/scheduling/block-stm-scheduler.ts'
import type { PlannedOrder } from '../../../../src/scheduling/planned-order.ts'
import { incarnationOf, STATE, stateOf } from '../../../../src/scheduling/transaction-status.ts'

/** No limit to claims. */
export const ALL = Number.POSITIVE_INFINITY

/** A block of transactions with a judge that finds wrong what the test says is wrong. */
export class Block {
  readonly control: Int32Array
  /** Transactions whose reads are stale. */
  readonly stale = new Set<number>()
  /** What the scheduler did with versions, in order. */
  readonly events: string[] = []
  readonly scheduler: BlockStmScheduler
  /** Called before every verdict. */
  whileValidating: (transaction: number) => void = () => {}
  readonly #judge: VersionJudge

  constructor(count: number, atomics: AtomicOperations = nativeAtomics) {
    this.control = new Int32Array(new SharedArrayBuffer(controlWords(count) * 4))
    this.control[CONTROL.TRANSACTION_COUNT] = count
    this.#judge = {
      refutes: (transaction, isFinal) => {
        this.events.push(`${isFinal ? 'final ' : ''}validation of ${transaction}`)
        this.whileValidating(transaction)
        return this.stale.has(transaction)
      },
      markEstimates: (transaction) => this.events.push(`estimates of ${transaction}`),
      committed: (transaction) => this.events.push(`commit of ${transaction}`),
    }
    this.scheduler = this.another(atomics)
  }

  /** Another worker's scheduler. */
  another(atomics: AtomicOperations = nativeAtomics, order?: PlannedOrder): BlockStmScheduler {
    return new BlockStmScheduler(this.control, atomics, this.#judge, order)
  }

  /** So many transactions may be under way above the commit head. */
  batchSize(transactions: number): void {
    this.control[CONTROL.BATCH_SIZE] = transactions
  }

  /** Main wants to hear of so many recovered senders. */
  notice(recovered: number): void {
    this.control[CONTROL.RECOVERY_NOTICE] = recovered
  }

  /** Claims and finishes one transaction. */
  execute(expected: number, wroteElsewhere = true): void {
    expect(this.scheduler.claimExecution(ALL)).toBe(expected)
    this.scheduler.finish(tx(expected), wroteElsewhere)
  }

  status(transaction: number): string {
    const status = this.control[transactionIndex(transaction, TRANSACTION.STATUS)]
    const name = Object.entries(STATE).find(([, state]) => state === stateOf(status))?.[0]
    return `${name}(${incarnationOf(status)})`
  }

  set(transaction: number, field: keyof typeof TRANSACTION, value: number): void {
    this.control[transactionIndex(transaction, TRANSACTION[field])] = value
  }

  get cursors(): { execution: number; validation: number } {
    return {
      execution: this.control[CONTROL.EXECUTION_CURSOR],
      validation: this.control[CONTROL.VALIDATION_CURSOR],
    }
  }
}

export function tx(index: number): TxIndex {
  return index as TxIndex
}
