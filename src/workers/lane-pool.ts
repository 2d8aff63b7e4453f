// The executions of a worker that can be under way at once, each with an EVM of its own.
// Authority on reusing them from block to block; which of them runs is the lane board's matter.

import type { RunnerWaits } from '../execution/lane-waits.ts'
import { type BlockContext, TransactionRunner } from '../execution/transaction-runner.ts'
import type { TxIndex } from '../ids.ts'
import type { LaneBoard } from './lanes.ts'

export interface Lane {
  readonly runner: TransactionRunner
  transaction: TxIndex
}

export class LanePool {
  readonly #context: BlockContext
  readonly #free: Lane[] = []
  #board: LaneBoard | undefined
  #busy = 0

  constructor(context: BlockContext) {
    this.#context = context
  }

  /** Binds the lanes to the board of a new block. */
  begin(board: LaneBoard): void {
    this.#board = board
    this.#busy = 0
  }

  get busy(): number {
    return this.#busy
  }

  take(transaction: TxIndex): Lane {
    this.#busy++
    const lane = this.#free.pop() ?? this.#create()
    lane.transaction = transaction
    return lane
  }

  giveBack(lane: Lane): void {
    this.#busy--
    this.#free.push(lane)
  }

  #create(): Lane {
    const board = (): LaneBoard => this.#board as LaneBoard
    const current = (): TxIndex => lane.transaction
    // The board changes with every block and the runner does not, so each wait asks for it anew.
    const waits: RunnerWaits = {
      account: (record) => board().waits(current()).account(record),
      slot: (record) => board().waits(current()).slot(record),
      code: (record) => board().waits(current()).code(record),
      blockHash: (distance) => board().waits(current()).blockHash(distance),
      transaction: (lower) => board().waits(current()).transaction(lower),
      waitingHead: () => board().waitingHead(current()),
      committed: (lower) => board().waits(current()).committed(lower),
    }
    const lane: Lane = {
      runner: new TransactionRunner(this.#context, waits),
      transaction: 0 as TxIndex,
    }
    return lane
  }
}
