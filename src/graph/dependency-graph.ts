// Which transaction depends on which, by the caller's own ids, and what follows from it.
// Authority on the graph of the library; what is computed over the whole graph is computed on its
// flat form (dependency-lists.ts). Must not know why one transaction depends on another.

import { ParallelError } from '../errors.ts'
import { DependencyCycleError } from './dependency-cycle-error.ts'
import {
  type DependencyLists,
  DependencyListsBuilder,
  remainingWeights,
} from './dependency-lists.ts'
import { TopologicalOrder } from './topological-order.ts'
import type { TransactionId } from './transaction-id.ts'

/** A graph as flat lists: position `i` of `lists` is the transaction `transactions[i]`. */
export interface FlatGraph<T extends TransactionId> {
  /** In an order in which each comes after all that it depends on. */
  readonly transactions: readonly T[]
  readonly lists: DependencyLists
}

/** The chain of transactions that bounds how fast all can be done. */
export interface CriticalPath<T extends TransactionId> {
  /** Each depends on the one before it. */
  readonly transactions: readonly T[]
  /** Their weight together. */
  readonly weight: number
  /** The weight of all transactions of the graph. */
  readonly totalWeight: number
  /**
   * `totalWeight / weight`: with however many workers, running all takes at least `weight`, so it is
   * not faster than one worker by more than this. 1 where nothing weighs anything.
   */
  readonly speedUpBound: number
}

/**
 * A graph of transactions and what they depend on; it never has a cycle. A transaction that was never
 * named depends on nothing.
 */
export class DependencyGraph<T extends TransactionId = TransactionId> {
  readonly #transactions: T[] = []
  readonly #nodes = new Map<T, number>()
  readonly #dependencies: number[][] = []
  readonly #dependents: number[][] = []
  readonly #order = new TopologicalOrder(this.#dependencies, this.#dependents)
  #edges = 0
  #flat: FlatGraph<T> | undefined

  /**
   * A graph of `transactions`, listed so that each comes after what it depends on.
   * @throws ParallelError `INVALID_ARGUMENT` for a transaction that is listed twice, or lists that
   * lead to the same or a higher position.
   */
  static fromFlat<T extends TransactionId>({
    transactions,
    lists,
  }: FlatGraph<T>): DependencyGraph<T> {
    if (lists.count !== transactions.length) {
      throw invalid(`${transactions.length} transactions with lists of ${lists.count}`)
    }
    const graph = new DependencyGraph<T>()
    for (const transaction of transactions) graph.#node(transaction)
    if (graph.size !== transactions.length) throw invalid('A transaction is listed twice')
    for (let node = 0; node < lists.count; node++) {
      for (let edge = lists.starts[node]; edge < lists.starts[node + 1]; edge++) {
        const on = lists.targets[edge]
        if (!(on >= 0 && on < node)) throw invalid(`The lists lead from ${node} to ${on}`)
        graph.#connect(node, on)
      }
    }
    graph.#flat = { transactions: [...transactions], lists }
    return graph
  }

  /** Transactions that were named. */
  get size(): number {
    return this.#transactions.length
  }

  /** Dependencies between them. */
  get edgeCount(): number {
    return this.#edges
  }

  /** All that were named, in the order in which they were. */
  get transactions(): readonly T[] {
    return this.#transactions
  }

  has(transaction: T): boolean {
    return this.#nodes.has(transaction)
  }

  /** Names a transaction, so that it counts although it may depend on nothing. */
  addTransaction(transaction: T): void {
    this.#node(transaction)
  }

  /**
   * `transaction` must not start before `on` has finished. Naming a dependency again changes nothing.
   * @throws DependencyCycleError if `on` depends on `transaction`, itself or through others.
   */
  addDependency(transaction: T, on: T): void {
    if (transaction === on) throw new DependencyCycleError([transaction, on])
    const before = this.#nodes.get(on) ?? this.#newNode(on, this.#nodes.has(transaction))
    const after = this.#node(transaction)
    const dependencies = this.#dependencies[after]
    const dependents = this.#dependents[before]
    const known =
      dependencies.length < dependents.length
        ? dependencies.includes(before)
        : dependents.includes(after)
    if (known) return
    const chain = this.#order.putBefore(before, after)
    if (chain !== undefined) {
      throw new DependencyCycleError([
        transaction,
        ...chain.map((node) => this.#transactions[node]),
      ])
    }
    this.#connect(after, before)
    this.#flat = undefined
  }

  /** What `transaction` depends on directly. */
  getDependencies(transaction: T): T[] {
    return this.#neighbours(this.#dependencies, transaction)
  }

  /** What depends on `transaction` directly. */
  getDependents(transaction: T): T[] {
    return this.#neighbours(this.#dependents, transaction)
  }

  /** Whether all that `transaction` depends on is among `completed`. */
  isReady(transaction: T, completed: ReadonlySet<T>): boolean {
    const node = this.#nodes.get(transaction)
    if (node === undefined) return true
    for (const on of this.#dependencies[node]) {
      if (!completed.has(this.#transactions[on])) return false
    }
    return true
  }

  /** Those of `all` that are ready and not completed themselves, in the order given. */
  getReadyTransactions(all: Iterable<T>, completed: ReadonlySet<T>): T[] {
    const ready: T[] = []
    for (const transaction of all) {
      if (!completed.has(transaction) && this.isReady(transaction, completed))
        ready.push(transaction)
    }
    return ready
  }

  /** Transactions that depend on nothing. */
  getRoots(): T[] {
    return this.#transactions.filter((_, node) => this.#dependencies[node].length === 0)
  }

  /**
   * All transactions, each after what it depends on. Of a graph that was built from transactions in
   * canonical order, that is this order.
   */
  topologicalOrder(): readonly T[] {
    return this.toFlat().transactions
  }

  /**
   * The heaviest chain of dependencies. Without `weightOf` each transaction weighs 1, so it is the
   * longest; with it, the weight is for example the gas that the transaction uses.
   * @throws ParallelError `INVALID_ARGUMENT` for a weight that is negative or not finite.
   */
  criticalPath(weightOf: (transaction: T) => number = () => 1): CriticalPath<T> {
    const { transactions, lists } = this.toFlat()
    const weights = weightsOf(transactions, weightOf)
    const { remaining, next } = remainingWeights(lists, weights)
    let first = -1
    let totalWeight = 0
    for (let node = 0; node < weights.length; node++) {
      totalWeight += weights[node]
      if (first === -1 || remaining[node] > remaining[first]) first = node
    }
    const path: T[] = []
    for (let node = first; node !== -1; node = next[node]) path.push(transactions[node])
    const weight = first === -1 ? 0 : remaining[first]
    return {
      transactions: path,
      weight,
      totalWeight,
      speedUpBound: weight === 0 ? 1 : totalWeight / weight,
    }
  }

  /** The graph as it is now, as flat lists in topological order. */
  toFlat(): FlatGraph<T> {
    this.#flat ??= this.#flatten()
    return this.#flat
  }

  #flatten(): FlatGraph<T> {
    const order = this.#order.nodes()
    const lists = new DependencyListsBuilder(order.length)
    for (const node of order) {
      for (const on of this.#dependencies[node]) lists.add(this.#order.positionOf(on))
      lists.endTransaction()
    }
    return { transactions: order.map((node) => this.#transactions[node]), lists: lists.finish() }
  }

  #node(transaction: T): number {
    return this.#nodes.get(transaction) ?? this.#newNode(transaction, false)
  }

  #newNode(transaction: T, isFirst: boolean): number {
    const node = this.#transactions.push(transaction) - 1
    this.#nodes.set(transaction, node)
    this.#dependencies.push([])
    this.#dependents.push([])
    if (isFirst) this.#order.prepend()
    else this.#order.append()
    this.#flat = undefined
    return node
  }

  #connect(node: number, on: number): void {
    this.#dependencies[node].push(on)
    this.#dependents[on].push(node)
    this.#edges++
  }

  #neighbours(lists: readonly number[][], transaction: T): T[] {
    const node = this.#nodes.get(transaction)
    return node === undefined ? [] : lists[node].map((other) => this.#transactions[other])
  }
}

/**
 * `weightOf` of each transaction.
 * @throws ParallelError `INVALID_ARGUMENT` for a weight that is negative or not finite.
 */
export function weightsOf<T extends TransactionId>(
  transactions: readonly T[],
  weightOf: (transaction: T) => number,
): Float64Array {
  const weights = new Float64Array(transactions.length)
  for (const [node, transaction] of transactions.entries()) {
    const weight = weightOf(transaction)
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw invalid(`The weight of transaction ${transaction} is ${weight}; it must be 0 or more`)
    }
    weights[node] = weight
  }
  return weights
}

function invalid(message: string): ParallelError {
  return new ParallelError('INVALID_ARGUMENT', message)
}
