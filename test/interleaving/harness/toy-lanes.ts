// The lane pool of src/workers with toy runners in place of EVMs, so that the worker loop is the real one.
// Authority on nothing; it checks that waits point downwards.

import type { LaneWaits } from '../../../src/execution/lane-waits.ts'
import type { TxIndex } from '../../../src/ids.ts'
import type { LanePool } from '../../../src/workers/lane-pool.ts'
import type { LaneBoard } from '../../../src/workers/lanes.ts'
import type { Gate } from './gate.ts'
import { EVENT, type Journal } from './journal.ts'
import { LAW } from './laws.ts'
import { type ToyContext, ToyRunner } from './toy-runner.ts'

interface ToyLane {
  readonly runner: ToyRunner
  transaction: TxIndex
}

class ToyLanes {
  readonly #context: ToyContext
  readonly #gate: Gate
  readonly #journal: Journal
  readonly #free: ToyLane[] = []
  #board: LaneBoard | undefined
  #busy = 0

  constructor(context: ToyContext, gate: Gate, journal: Journal) {
    this.#context = context
    this.#gate = gate
    this.#journal = journal
  }

  begin(board: LaneBoard): void {
    this.#board = board
    this.#busy = 0
  }

  get busy(): number {
    return this.#busy
  }

  take(transaction: TxIndex): ToyLane {
    this.#busy++
    const lane = this.#free.pop() ?? this.#create()
    lane.transaction = transaction
    return lane
  }

  giveBack(lane: ToyLane): void {
    this.#busy--
    this.#free.push(lane)
  }

  #create(): ToyLane {
    const board = (): LaneWaits => (this.#board as LaneBoard).waits(lane.transaction)
    const lane: ToyLane = {
      transaction: 0 as TxIndex,
      runner: new ToyRunner(this.#context, {
        account: (record) => board().account(record),
        slot: (record) => board().slot(record),
        code: (record) => board().code(record),
        blockHash: (distance) => board().blockHash(distance),
        transaction: (lower) => {
          this.#journal.append(this.#gate.me, EVENT.WAIT, lane.transaction, lower)
          if (lower >= lane.transaction) {
            this.#gate.fail(LAW.downwards, `transaction ${lane.transaction} waits for ${lower}`)
          }
          return board().transaction(lower)
        },
      }),
    }
    return lane
  }
}

/** Toy lanes as the worker loop takes them. */
export function toyLanes(context: ToyContext, gate: Gate, journal: Journal): LanePool {
  // The loop uses the members above and none of the pool's private ones.
  return new ToyLanes(context, gate, journal) as unknown as LanePool
}
