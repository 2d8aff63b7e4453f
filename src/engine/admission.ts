// How many transactions of a batch are run at once, by how many of them were run for nothing.
// Authority on that number. Where every transaction writes one key, running them at once only repeats
// them: then one runs at a time, and from time to time two are tried again.

import type { AtomicOperations } from '../memory/atomics.ts'
import { BOARD } from './board.ts'

/** Conflicts per execution above which fewer run at once, and below which more do. */
const MANY = 0.3
const FEW = 0.1
/** Executions until a decision, where it is not known yet whether this many at once are right. */
const TRIAL = 8
/** Executions until more are tried again; grows by this factor each time that was for nothing. */
const BACKOFF_FACTOR = 8
const LONGEST = 4096

export class Admission {
  readonly #atomics: AtomicOperations
  readonly #board: Int32Array
  readonly #workers: number

  /** Puts a new board's words in place. */
  static start(board: Int32Array, workers: number): void {
    board[BOARD.LIMIT] = workers
    board[BOARD.WINDOW] = TRIAL
    board[BOARD.BACKOFF] = TRIAL
  }

  constructor(atomics: AtomicOperations, board: Int32Array, workers: number) {
    this.#atomics = atomics
    this.#board = board
    this.#workers = workers
  }

  /** An execution may begin; if not, wait until {@link running} changes from what it is. */
  tryEnter(): boolean {
    const atomics = this.#atomics
    for (;;) {
      const running = atomics.load(this.#board, BOARD.RUNNING)
      if (running >= atomics.load(this.#board, BOARD.LIMIT)) return false
      const seen = atomics.compareExchange(this.#board, BOARD.RUNNING, running, running + 1)
      if (seen === running) return true
    }
  }

  /** Most executions at once, as things are. */
  get limit(): number {
    return this.#atomics.load(this.#board, BOARD.LIMIT)
  }

  get running(): number {
    return this.#atomics.load(this.#board, BOARD.RUNNING)
  }

  /** An execution begins in any case. */
  enter(): void {
    this.#atomics.add(this.#board, BOARD.RUNNING, 1)
  }

  /** An execution has ended; see {@link count}. */
  leave(): void {
    this.#atomics.sub(this.#board, BOARD.RUNNING, 1)
    this.#atomics.notify(this.#board, BOARD.RUNNING)
  }

  /** Says whether an execution was for nothing because another transaction was first. */
  count(hadConflict: boolean): void {
    const atomics = this.#atomics
    if (this.#workers === 1) return
    if (hadConflict) atomics.add(this.#board, BOARD.CONFLICTS, 1)
    const attempts = atomics.add(this.#board, BOARD.ATTEMPTS, 1) + 1
    // One of them gets exactly this number.
    if (attempts === atomics.load(this.#board, BOARD.WINDOW)) this.#decide(attempts)
  }

  /** One at a time, until the next decision: somebody has lost too often. */
  calm(): void {
    this.#atomics.store(this.#board, BOARD.LIMIT, 1)
  }

  #decide(attempts: number): void {
    const atomics = this.#atomics
    const board = this.#board
    const rate = atomics.load(board, BOARD.CONFLICTS) / attempts
    const limit = atomics.load(board, BOARD.LIMIT)
    const backoff = atomics.load(board, BOARD.BACKOFF)
    const wasRaised = atomics.load(board, BOARD.RAISED) === 1
    const isRaised = rate < FEW && limit < this.#workers
    let window = backoff
    if (isRaised) {
      atomics.store(board, BOARD.LIMIT, limit + 1)
      window = TRIAL
    } else if (rate > MANY && limit > 1) {
      // One more was too many, so as before; otherwise soon down to where it is right.
      atomics.store(board, BOARD.LIMIT, wasRaised ? limit - 1 : limit >> 1)
      if (wasRaised || limit === 2) window = Math.min(LONGEST, backoff * BACKOFF_FACTOR)
      else window = TRIAL
      atomics.store(board, BOARD.BACKOFF, Math.max(window, backoff))
    } else if (rate < FEW) {
      atomics.store(board, BOARD.BACKOFF, TRIAL)
    }
    atomics.store(board, BOARD.RAISED, isRaised ? 1 : 0)
    atomics.store(board, BOARD.WINDOW, window)
    atomics.store(board, BOARD.CONFLICTS, 0)
    atomics.store(board, BOARD.ATTEMPTS, 0)
    atomics.notify(board, BOARD.RUNNING)
  }
}
