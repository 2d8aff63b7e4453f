// Runs a dependency graph down to its end: which nodes may run now, and what a finished one releases.
// Authority on the execution state of nodes and on when a level may start. Must not run anything:
// whoever takes a node runs it and says when it has finished.

import { ParallelError } from '../errors.ts'
import { type DependencyGraph, type FlatGraph, weightsOf } from './dependency-graph.ts'
import {
  dependentsOf,
  type Levels,
  levelsOf,
  remainingWeights,
  type TransactionLists,
} from './dependency-lists.ts'
import { ExecuteRoot } from './execute-root.ts'
import type { TransactionId } from './transaction-id.ts'

/**
 * State of a node. Runnable nodes are in the execute root, those held back in the retry queue.
 *
 *   WAITING --last dependency finished--> RUNNABLE --take--> RUNNING --finish--> FINISHED
 *      |                                   ^    ^               |
 *      | the same, but its level           |    +----putBack----+
 *      v may not start yet                 |
 *   HELD_BACK -----its level may start-----+
 */
export const NODE_STATE = {
  WAITING: 'waiting',
  HELD_BACK: 'held-back',
  RUNNABLE: 'runnable',
  RUNNING: 'running',
  FINISHED: 'finished',
} as const
export type NodeState = (typeof NODE_STATE)[keyof typeof NODE_STATE]

export interface LevelDagOptions<T extends TransactionId> {
  /**
   * How many levels may be in flight: a level may start when all levels that are this many or more
   * below it are finished. 1 makes levels barriers. An integer from 1, or `Infinity`, the default: a
   * node runs as soon as its own dependencies have finished. Barriers never make it faster; they are
   * for callers that hand over whole levels.
   */
  maxParallelLevel?: number
  /**
   * Most levels that the graph may have, an integer from 1, or `Infinity`, the default. A deeper graph
   * is refused and not cut: a cut would have to drop dependencies, or run the rest one by one behind
   * the caller's back. Who gets the error knows that parallelism does not pay here, and can do that.
   */
  maxLevelDepth?: number
  /**
   * Weight of a transaction, 0 or more, for example its gas. With it, runnable nodes are handed out by
   * the weight of what depends on them, heaviest chain first; without, in topological order.
   */
  weightOf?: (transaction: T) => number
}

/** A dependency graph in execution, by levels. It has the graph as it was when this was made. */
export class LevelDag<T extends TransactionId = TransactionId> {
  readonly #transactions: readonly T[]
  readonly #nodes = new Map<T, number>()
  readonly #dependents: TransactionLists
  readonly #levels: Levels
  readonly #states: NodeState[]
  /** Of each node, dependencies that have not finished. */
  readonly #pending: Int32Array
  /** Of each level, nodes that have not finished. */
  readonly #unfinished: Int32Array
  /** The lowest level that has not finished. */
  #lowest = 0
  #finished = 0
  readonly #maxParallelLevel: number
  readonly #executeRoot: ExecuteRoot
  #retryQueue: number[] = []
  /** The node of each rank and the rank of each node; no arrays where both are the same. */
  readonly #ranks: { readonly nodes: Int32Array; readonly ofNode: Int32Array } | undefined

  /**
   * @throws ParallelError `INVALID_OPTION`; `LEVEL_DEPTH_EXCEEDED` for a graph with more levels than
   * `maxLevelDepth`; `INVALID_ARGUMENT` for a weight that is negative or not finite.
   */
  constructor(graph: DependencyGraph<T>, options: LevelDagOptions<T> = {}) {
    this.#maxParallelLevel = levelOption('maxParallelLevel', options.maxParallelLevel)
    const maxLevelDepth = levelOption('maxLevelDepth', options.maxLevelDepth)
    const flat = graph.toFlat()
    const { transactions, lists } = flat
    this.#transactions = transactions
    this.#levels = levelsOf(lists)
    const { levels, levelCount } = this.#levels
    if (levelCount > maxLevelDepth) {
      throw new ParallelError(
        'LEVEL_DEPTH_EXCEEDED',
        `The graph has ${levelCount} levels; maxLevelDepth allows ${maxLevelDepth}`,
      )
    }
    this.#dependents = dependentsOf(lists)
    this.#ranks = options.weightOf && ranksByWeight(flat, options.weightOf)
    this.#states = new Array(lists.count).fill(NODE_STATE.WAITING)
    this.#pending = new Int32Array(lists.count)
    this.#unfinished = new Int32Array(levelCount)
    this.#executeRoot = new ExecuteRoot(lists.count)
    for (let node = 0; node < lists.count; node++) {
      this.#nodes.set(transactions[node], node)
      this.#unfinished[levels[node]]++
      this.#pending[node] = lists.starts[node + 1] - lists.starts[node]
      if (this.#pending[node] === 0) this.#makeRunnable(node)
    }
  }

  /** Levels of the graph, from level 0, of what depends on nothing; each in topological order. */
  get levels(): T[][] {
    const grouped: T[][] = Array.from({ length: this.#levels.levelCount }, () => [])
    for (const [node, transaction] of this.#transactions.entries()) {
      grouped[this.#levels.levels[node]].push(transaction)
    }
    return grouped
  }

  get levelCount(): number {
    return this.#levels.levelCount
  }

  /** Nodes in the execute root: how many times {@link take} gives one now. */
  get runnableCount(): number {
    return this.#executeRoot.size
  }

  /** Nodes in the retry queue. */
  get heldBackCount(): number {
    return this.#retryQueue.length
  }

  /** All nodes have finished. */
  get isFinished(): boolean {
    return this.#finished === this.#transactions.length
  }

  /** @throws ParallelError `UNKNOWN_TRANSACTION` for one that the graph did not have. */
  levelOf(transaction: T): number {
    return this.#levels.levels[this.#nodeOf(transaction)]
  }

  /** @throws ParallelError `UNKNOWN_TRANSACTION` for one that the graph did not have. */
  stateOf(transaction: T): NodeState {
    return this.#states[this.#nodeOf(transaction)]
  }

  /** Takes the best runnable node, which is now running; `undefined` if none is runnable. */
  take(): T | undefined {
    const rank = this.#executeRoot.take()
    if (rank === -1) return undefined
    const node = this.#ranks === undefined ? rank : this.#ranks.nodes[rank]
    this.#states[node] = NODE_STATE.RUNNING
    return this.#transactions[node]
  }

  /**
   * A running node has finished, whatever came of it. Returns the transactions that became runnable by
   * that, in no particular order.
   * @throws ParallelError `UNKNOWN_TRANSACTION`; `INVALID_ARGUMENT` for one that is not running.
   */
  finish(transaction: T): T[] {
    const node = this.#runningNode(transaction)
    this.#states[node] = NODE_STATE.FINISHED
    this.#finished++
    this.#unfinished[this.#levels.levels[node]]--
    const released: T[] = []
    const { starts, targets } = this.#dependents
    for (let edge = starts[node]; edge < starts[node + 1]; edge++) {
      const dependent = targets[edge]
      if (--this.#pending[dependent] === 0) this.#release(dependent, released)
    }
    this.#startLevels(released)
    return released
  }

  /**
   * A running node did not get to its end and must run again. It is runnable at once.
   * @throws ParallelError `UNKNOWN_TRANSACTION`; `INVALID_ARGUMENT` for one that is not running.
   */
  putBack(transaction: T): void {
    this.#makeRunnable(this.#runningNode(transaction))
  }

  #release(node: number, released: T[]): void {
    if (this.#levels.levels[node] - this.#lowest >= this.#maxParallelLevel) {
      this.#states[node] = NODE_STATE.HELD_BACK
      this.#retryQueue.push(node)
      return
    }
    this.#makeRunnable(node)
    released.push(this.#transactions[node])
  }

  /** Moves up with the lowest level and tries the retry queue again. */
  #startLevels(released: T[]): void {
    const before = this.#lowest
    while (this.#lowest < this.#unfinished.length && this.#unfinished[this.#lowest] === 0) {
      this.#lowest++
    }
    if (this.#lowest === before || this.#retryQueue.length === 0) return
    const queue = this.#retryQueue
    this.#retryQueue = []
    // A dependency of each ran one level below, so each was one level too high and passes now: no node
    // is held back twice.
    for (const node of queue) this.#release(node, released)
  }

  #makeRunnable(node: number): void {
    this.#states[node] = NODE_STATE.RUNNABLE
    this.#executeRoot.add(this.#ranks === undefined ? node : this.#ranks.ofNode[node])
  }

  #runningNode(transaction: T): number {
    const node = this.#nodeOf(transaction)
    if (this.#states[node] !== NODE_STATE.RUNNING) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        `Transaction ${transaction} is ${this.#states[node]}, not running`,
      )
    }
    return node
  }

  #nodeOf(transaction: T): number {
    const node = this.#nodes.get(transaction)
    if (node === undefined) {
      throw new ParallelError('UNKNOWN_TRANSACTION', `The graph has no transaction ${transaction}`)
    }
    return node
  }
}

function ranksByWeight<T extends TransactionId>(
  { transactions, lists }: FlatGraph<T>,
  weightOf: (transaction: T) => number,
): { nodes: Int32Array; ofNode: Int32Array } {
  const { remaining } = remainingWeights(lists, weightsOf(transactions, weightOf))
  const nodes = Int32Array.from(transactions, (_, node) => node)
  nodes.sort((a, b) => remaining[b] - remaining[a] || a - b)
  const ofNode = new Int32Array(nodes.length)
  for (const [rank, node] of nodes.entries()) ofNode[node] = rank
  return { nodes, ofNode }
}

function levelOption(name: string, value: number | undefined): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  if (!Number.isInteger(value) || value < 1) {
    throw new ParallelError(
      'INVALID_OPTION',
      `Option "${name}" is ${value}; it must be an integer from 1, or Infinity`,
    )
  }
  return value
}
