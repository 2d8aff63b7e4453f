// What became of the transactions of one `addTransactions`, by their place in the caller's list.
// Authority on what a refusal means for those after it. It must not know who executes.

import type { RunTxResult } from '@ethereumjs/vm'
import type { Refusal } from './open-block.ts'

/** A transaction that is in the block. */
export interface IncludedTransaction {
  /** Its place in the list given to `addTransactions`, 0-based. */
  readonly index: number
  /** What stock's `addTransaction` returns. */
  readonly result: RunTxResult
}

/** A transaction that is not in the block, and has left nothing in the state. */
export interface SkippedTransaction {
  readonly index: number
  /** What stock's `addTransaction` throws. */
  readonly error: unknown
}

export interface PoolRules {
  readonly onInvalid: 'skip' | 'throw'
  readonly onFull: 'skip' | 'stop'
}

export class PoolLedger {
  readonly included: IncludedTransaction[] = []
  readonly skipped: SkippedTransaction[] = []
  readonly rules: PoolRules
  /** All below are decided, none from here on. */
  next = 0
  /** What is to be thrown when the state is in order. */
  failure: { readonly error: unknown } | undefined
  #isStopped = false

  constructor(rules: PoolRules) {
    this.rules = rules
  }

  /** Nothing more is to be decided. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  include(index: number, result: RunTxResult): void {
    this.included.push({ index, result })
    this.next = index + 1
  }

  refuse(index: number, refusal: Refusal): void {
    this.#isStopped = this.stopsAt(refusal)
    if (refusal.isFull && this.rules.onFull === 'stop') return
    if (this.rules.onInvalid === 'throw') this.failure = { error: refusal.error }
    else this.skipped.push({ index, error: refusal.error })
    this.next = index + 1
  }

  /** Whether those after a transaction refused so are left. */
  stopsAt({ isFull }: Refusal): boolean {
    return this.rules.onInvalid === 'throw' || (isFull && this.rules.onFull === 'stop')
  }

  stop(): void {
    this.#isStopped = true
  }
}
