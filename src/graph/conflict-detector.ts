// Collects the read-write sets of transactions and says which of them depend on which.
// Authority on nothing of its own: what conflicts is said by access/, which edges there are by
// derive-dependencies.ts.

import type { Key } from '../access/key.ts'
import type { ReadWriteSet } from '../access/read-write-set.ts'
import { ParallelError } from '../errors.ts'
import { DependencyGraph } from './dependency-graph.ts'
import { type DependencyRule, deriveDependencies } from './derive-dependencies.ts'
import { indexKeys } from './index-keys.ts'
import type { TransactionId } from './transaction-id.ts'

/** Finds conflicts among recorded transactions: by key, and not by comparing each with each. */
export class ConflictDetector<T extends TransactionId = TransactionId, K extends Key = string> {
  readonly #sets = new Map<T, ReadWriteSet<K>>()

  /** Transactions recorded. */
  get size(): number {
    return this.#sets.size
  }

  /**
   * Records what `transaction` accesses, in place of what was recorded of it before. The set is kept
   * and not copied: what is added to it later counts.
   */
  record(transaction: T, set: ReadWriteSet<K>): void {
    this.#sets.set(transaction, set)
  }

  /** Forgets all transactions. */
  clear(): void {
    this.#sets.clear()
  }

  /**
   * Whether the order of two transactions matters.
   * @throws ParallelError `UNKNOWN_TRANSACTION` for one that was not recorded: what it would access is
   * not known to be nothing.
   */
  hasConflict(a: T, b: T): boolean {
    return this.#setOf(a).hasConflictWith(this.#setOf(b))
  }

  /**
   * The graph in which the later of two transactions that conflict depends on the earlier, itself or
   * through others: dependencies that a chain of others implies may be left out. It has all
   * transactions of `order`, in this order; by default all recorded, in the order in which they were
   * first recorded. With the rule `reads-from`, see {@link DependencyRule}.
   *
   * Takes time in proportion to the accesses and the edges, and where there are prefixes to the keys
   * that each of them covers.
   * @throws ParallelError `UNKNOWN_TRANSACTION` for one that was not recorded, `INVALID_ARGUMENT` for
   * one that is listed twice.
   */
  buildDependencyGraph(
    order: Iterable<T> = this.#sets.keys(),
    rule: DependencyRule = 'conflicts',
  ): DependencyGraph<T> {
    const transactions = [...order]
    const sets = transactions.map((transaction) => this.#setOf(transaction))
    const lists = deriveDependencies(indexKeys(sets), rule)
    return DependencyGraph.fromFlat({ transactions, lists })
  }

  #setOf(transaction: T): ReadWriteSet<K> {
    const set = this.#sets.get(transaction)
    if (set === undefined) {
      throw new ParallelError(
        'UNKNOWN_TRANSACTION',
        `Nothing was recorded of transaction ${transaction}`,
      )
    }
    return set
  }
}
