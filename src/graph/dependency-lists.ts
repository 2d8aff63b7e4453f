// A dependency graph as flat arrays, and everything that is computed by one sweep over it.
// Authority on levels and critical paths. Transactions are positions in an order in which every one
// comes after what it depends on, so there are no cycles and a sweep needs no bookkeeping.

/**
 * Of each transaction a list of others: those of `t` are `targets[starts[t]]` up to, without it,
 * `targets[starts[t + 1]]`, each once, in no particular order.
 */
export interface TransactionLists {
  readonly count: number
  readonly starts: Int32Array
  readonly targets: Int32Array
}

/** What each transaction depends on: always transactions at lower positions. */
export type DependencyLists = TransactionLists

/** Collects {@link DependencyLists}: the dependencies of one transaction after the other. */
export class DependencyListsBuilder {
  readonly #starts: Int32Array
  #targets: Int32Array
  #length = 0
  #transaction = 0
  /** Of each transaction, 1 + the last one that named it as a dependency. */
  readonly #namedBy: Int32Array

  constructor(count: number) {
    this.#starts = new Int32Array(count + 1)
    this.#namedBy = new Int32Array(count)
    this.#targets = new Int32Array(Math.max(64, count * 2))
  }

  /** The current transaction depends on `on`; itself and what it named before are passed over. */
  add(on: number): void {
    const name = this.#transaction + 1
    if (this.#namedBy[on] === name || on === this.#transaction) return
    this.#namedBy[on] = name
    if (this.#length === this.#targets.length) {
      const larger = new Int32Array(this.#length * 2)
      larger.set(this.#targets)
      this.#targets = larger
    }
    this.#targets[this.#length++] = on
  }

  endTransaction(): void {
    this.#transaction++
    this.#starts[this.#transaction] = this.#length
  }

  finish(): DependencyLists {
    const targets = this.#targets.subarray(0, this.#length)
    return { count: this.#transaction, starts: this.#starts, targets }
  }
}

/** The same edges from the other end: of each transaction those that depend on it, lowest first. */
export function dependentsOf({ count, starts, targets }: DependencyLists): TransactionLists {
  const ends = new Int32Array(count + 1)
  const edges = starts[count]
  for (let edge = 0; edge < edges; edge++) ends[targets[edge] + 1]++
  for (let t = 0; t < count; t++) ends[t + 1] += ends[t]
  // While it is filled, `ends[t]` runs from the start of the list of `t` to its end.
  const dependents = new Int32Array(edges)
  for (let t = 0; t < count; t++) {
    for (let edge = starts[t]; edge < starts[t + 1]; edge++) {
      dependents[ends[targets[edge]]++] = t
    }
  }
  ends.copyWithin(1, 0, count)
  ends[0] = 0
  return { count, starts: ends, targets: dependents }
}

/** The level of each transaction, and how many there are. */
export interface Levels {
  readonly levels: Int32Array
  readonly levelCount: number
}

/** Level 0 depends on nothing; others are one above the highest level that they depend on. */
export function levelsOf({ count, starts, targets }: DependencyLists): Levels {
  const levels = new Int32Array(count)
  let levelCount = 0
  for (let t = 0; t < count; t++) {
    let level = 0
    for (let edge = starts[t]; edge < starts[t + 1]; edge++) {
      const above = levels[targets[edge]] + 1
      if (above > level) level = above
    }
    levels[t] = level
    if (level >= levelCount) levelCount = level + 1
  }
  return { levels, levelCount }
}

/** What is left to do, at the least, from the start of each transaction on. */
export interface RemainingWeights {
  /** Weight of the heaviest chain of dependents that begins with the transaction, itself included. */
  readonly remaining: Float64Array
  /** The next transaction of that chain, -1 at its end. */
  readonly next: Int32Array
}

/**
 * The remaining critical path of each transaction: the greatest are best started first. `weights` are
 * not negative; without them each transaction weighs 1.
 */
export function remainingWeights(
  { count, starts, targets }: DependencyLists,
  weights?: Float64Array,
): RemainingWeights {
  // Holds the heaviest chain of dependents of a transaction until the sweep, downwards, comes to it.
  const remaining = new Float64Array(count)
  const next = new Int32Array(count).fill(-1)
  for (let t = count - 1; t >= 0; t--) {
    remaining[t] += weights === undefined ? 1 : weights[t]
    for (let edge = starts[t]; edge < starts[t + 1]; edge++) {
      const on = targets[edge]
      if (remaining[t] >= remaining[on]) {
        remaining[on] = remaining[t]
        next[on] = t
      }
    }
  }
  return { remaining, next }
}
