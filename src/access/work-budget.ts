// How much searching and computing may still be done, in units that are the same on every machine.
// Authority on the unit, on what the dear steps cost in it, and on the limits that are set in it.
// Must not look at a clock: what is learned and predicted follows from the input alone.

/**
 * Costs in units. One unit is a look at up to 32 bytes, or one cheap step: 25 to 50 ns of a processor
 * that has compiled the code.
 */
export const WORK = {
  /** One node of an expression, or one form that is put together, counted and written as text. */
  NODE: 8,
  /** Keccak-256 of up to 135 bytes; longer ones cost twice as much. */
  HASH: 24,
  /** Looking up what a slot holds, or an account's code. */
  LOAD: 24,
  /** Reporting one location. */
  REPORT: 16,
  /** Beginning with the rules of one call: its features, its arguments. */
  CALL: 64,
  /** One access that is to be explained, whatever it is. */
  ACCESS: 128,
  /** One access that is put in order, so that it is found. */
  INDEX: 32,
  /** The same for an observed hash. */
  INDEX_HASH: 8,
  /** Keeping what a slot holds, in every form in which it may be found. */
  KEEP_VALUE: 192,
} as const

/**
 * One lesson: a few ms. That explains some 200 accesses, or 300 to simple places; a template has room
 * for 64 rules.
 */
export const MOST_LESSON_WORK = 120_000
/** One prediction, with all calls that it follows: about 1 ms. One of 64 usual rules takes a tenth. */
export const MOST_PREDICTION_WORK = 25_000
/** The same for each transaction of a block on average: usual ones take a few hundred units. */
export const MEAN_PREDICTION_WORK = 2_500

/** What is left of a limit. Whoever spends the last of it may exceed it by one step. */
export class WorkBudget {
  #left: number

  constructor(units: number) {
    this.#left = units
  }

  get left(): number {
    return this.#left
  }

  get isSpent(): boolean {
    return this.#left <= 0
  }

  spend(units: number): void {
    this.#left -= units
  }
}
