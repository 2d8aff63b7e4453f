// Queues of transactions, one per worker: who has nothing left takes from all, or else from another.
// Authority on who gets which transaction, each exactly once. Must not run anything.
//
// All that is to do stands in one order, by priority. A queue is a piece of it, of which its worker takes
// the front and thieves take the back half, so that what has priority is not what is stolen.

import type { AtomicOperations } from '../memory/atomics.ts'
import { lock, unlock } from '../memory/lock.ts'
import { BOARD, type BoardShape, orderWord, WORKER, workerWord } from './board.ts'

/** Most transactions that a worker takes at once; the queues of others stay full longer with less. */
const MOST_TAKEN = 32

export class StealingQueues {
  readonly #atomics: AtomicOperations
  readonly #board: Int32Array
  readonly #shape: BoardShape

  constructor(atomics: AtomicOperations, board: Int32Array, shape: BoardShape) {
    this.#atomics = atomics
    this.#board = board
    this.#shape = shape
  }

  /** Puts the transactions into order: higher priority first, else as they are. Before all else. */
  static order(
    board: Int32Array,
    shape: BoardShape,
    priorityOf: (transaction: number) => number,
  ): void {
    const order = Array.from({ length: shape.transactions }, (_, i) => i)
    order.sort((a, b) => priorityOf(b) - priorityOf(a) || a - b)
    for (const [position, it] of order.entries()) board[orderWord(shape, position)] = it
  }

  /** The next transaction for `worker`; -1: all are taken. */
  next(worker: number): number {
    let position = this.#takeOwn(worker)
    if (position === -1) {
      if (!this.#takeFromAll(worker) && !this.#steal(worker)) return -1
      position = this.#takeOwn(worker)
      // A thief was quicker: there may be more elsewhere.
      if (position === -1) return this.next(worker)
    }
    return this.#board[orderWord(this.#shape, position)]
  }

  #takeOwn(worker: number): number {
    const board = this.#board
    const [low, high] = [workerWord(worker, WORKER.LOW), workerWord(worker, WORKER.HIGH)]
    return this.#locked(workerWord(worker, WORKER.LOCK), () => {
      if (board[low] >= board[high]) return -1
      board[low]++
      return board[low] - 1
    })
  }

  #takeFromAll(worker: number): boolean {
    const board = this.#board
    const piece = this.#locked(BOARD.GLOBAL_LOCK, () => {
      const low = board[BOARD.GLOBAL_NEXT]
      const left = this.#shape.transactions - low
      // Towards the end less and less, so that all end at about the same time.
      const fair = Math.ceil(left / (2 * this.#shape.workers))
      const high = low + Math.min(left, MOST_TAKEN, fair)
      board[BOARD.GLOBAL_NEXT] = high
      return { low, high }
    })
    this.#give(worker, piece)
    return piece.low < piece.high
  }

  #steal(worker: number): boolean {
    const board = this.#board
    for (let distance = 1; distance < this.#shape.workers; distance++) {
      const victim = (worker + distance) % this.#shape.workers
      const [low, high] = [workerWord(victim, WORKER.LOW), workerWord(victim, WORKER.HIGH)]
      const stolen = this.#locked(workerWord(victim, WORKER.LOCK), () => {
        const end = board[high]
        const start = end - Math.ceil((end - board[low]) / 2)
        board[high] = start
        return { low: start, high: end }
      })
      if (stolen.low < stolen.high) {
        this.#give(worker, stolen)
        return true
      }
    }
    return false
  }

  #give(worker: number, { low, high }: { low: number; high: number }): void {
    if (low >= high) return
    this.#locked(workerWord(worker, WORKER.LOCK), () => {
      this.#board[workerWord(worker, WORKER.LOW)] = low
      this.#board[workerWord(worker, WORKER.HIGH)] = high
    })
  }

  #locked<T>(word: number, work: () => T): T {
    lock(this.#atomics, this.#board, word)
    try {
      return work()
    } finally {
      unlock(this.#atomics, this.#board, word)
    }
  }
}
