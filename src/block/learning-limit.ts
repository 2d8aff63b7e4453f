// How much a block's learning may cost. Authority on which transactions are learned from, and with how
// much work each. Must not leave it to the clock alone: what short blocks teach is the same everywhere.
import { MOST_LESSON_WORK, WorkBudget } from '../access/work-budget.ts'

/** Learning may take this share of the time that the transactions took, and at least so many ms. */
const LEARNING_SHARE = 0.02
const LEAST_LEARNING_MS = 2
/** Transactions that are learned from whatever the time, with so much work in all: a few ms. */
const LEAST_LEARNED = 8
const LEAST_WORK = 1.5 * MOST_LESSON_WORK
/** What touches more is not learned from: a template says where 64 accesses go, not thousands. */
const MOST_TOUCHED = 2048

export class LearningLimit {
  readonly #deadline: number
  readonly #certain = new WorkBudget(LEAST_WORK)

  /** In ms; the transactions took `executeMs`. */
  constructor(now: number, executeMs: number) {
    this.#deadline = now + Math.max(LEAST_LEARNING_MS, executeMs * LEARNING_SHARE)
  }

  /** The work that a transaction's lesson may take, which is spent from it; undefined for no lesson. */
  lesson(transaction: number, touched: number, now: number): WorkBudget | undefined {
    if (touched > MOST_TOUCHED) return undefined
    if (transaction < LEAST_LEARNED && !this.#certain.isSpent) return this.#certain
    return now < this.#deadline ? new WorkBudget(MOST_LESSON_WORK) : undefined
  }
}
