// The plan that the main thread makes before anything is executed: what each transaction should wait
// for, and which should start first. Authority on the plan's form in shared memory, for its writer and
// its readers. A plan is advice: following it saves repetitions, and no result depends on it.

import { type Incarnation, NOTHING, type TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { CONTROL } from '../memory/layout.ts'
import type { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'

/** What a block's transactions should wait for: `targets[starts[i]..starts[i + 1]]`, in any order. */
export interface Dependencies {
  /** One more than there are transactions. */
  readonly starts: Int32Array
  /** Lower transactions. */
  readonly targets: Int32Array
}

/** Of a transaction outside of all levels. Higher than any level, so it is the last by level. */
export const NO_LEVEL = 0x7fff_ffff

/** Levels of the graph, where no more than some may be under way at once. */
export interface LevelWindow {
  /** Levels under way at most: with 1, each waits for the whole one before. */
  readonly size: number
  /** Of each transaction; {@link NO_LEVEL} = it waits for no level, and no level for it. */
  readonly levels: Int32Array
}

export interface Plan extends Dependencies {
  readonly window?: LevelWindow
  /** Transactions that go first, in this order, whatever their place in the block. */
  readonly priority?: readonly number[]
}

/**
 * The plan in the block region: these words, `count + 1` words that say where each list starts, the
 * lists, with a window each transaction's level and the transactions by level, then the priorities.
 */
const HEADER = { WINDOW: 0, PRIORITIES: 1, WORDS: 2 } as const

/**
 * Writes the plan and publishes it. Main thread, once per block.
 * @throws ParallelError `STORE_FULL`
 */
export function publishPlan(
  control: Int32Array,
  block: SharedRegion,
  allocator: RegionAllocator,
  atomics: AtomicOperations,
  { starts, targets, window, priority = [] }: Plan,
): void {
  const parts = [
    Int32Array.of(window?.size ?? 0, priority.length),
    starts,
    targets,
    ...(window === undefined ? [] : [window.levels, byLevel(window.levels)]),
    Int32Array.from(priority),
  ]
  let at = allocator.allocate(parts.reduce((sum, { length }) => sum + length, 0))
  const plan = at
  for (const part of parts) {
    block.words.set(part, at)
    at += part.length
  }
  atomics.store(control, CONTROL.PLAN, plan)
}

/** Transactions in the order of their levels. */
function byLevel(levels: Int32Array): Int32Array {
  const order = Int32Array.from(levels.keys())
  return order.sort((a, b) => levels[a] - levels[b] || a - b)
}

/** A worker's view of the plan. */
export class PlannedOrder {
  readonly #control: Int32Array
  readonly #block: SharedRegion
  readonly #atomics: AtomicOperations
  readonly #count: number
  #isReady = false
  #words: Int32Array
  /** Offsets in the block region. */
  #starts = 0
  #targets = 0
  #levels = 0
  #order = 0
  #priorities = 0
  #priorityCount = 0
  #positions: Int32Array | undefined
  /** Levels under way at most; 0 = any number. */
  #window = 0
  /** Transactions by level before this one have settled once. */
  #settled = 0

  constructor(control: Int32Array, block: SharedRegion, atomics: AtomicOperations) {
    this.#control = control
    this.#block = block
    this.#atomics = atomics
    this.#count = control[CONTROL.TRANSACTION_COUNT]
    this.#words = block.words
  }

  /** Whether the plan is there. */
  isReady(): boolean {
    if (this.#isReady) return true
    const plan = this.#atomics.load(this.#control, CONTROL.PLAN)
    if (plan === 0) return false
    this.#starts = plan + HEADER.WORDS
    this.#targets = this.#starts + this.#count + 1
    let words = this.#block.reach(this.#targets)
    this.#window = words[plan + HEADER.WINDOW]
    this.#priorityCount = words[plan + HEADER.PRIORITIES]
    this.#levels = this.#targets + words[this.#targets - 1]
    this.#order = this.#levels + this.#count
    this.#priorities = this.#window === 0 ? this.#levels : this.#order + this.#count
    words = this.#block.reach(this.#priorities + this.#priorityCount)
    this.#words = words
    this.#isReady = true
    return true
  }

  /** Number of transactions that go first. */
  get priorities(): number {
    return this.#priorityCount
  }

  /** Its position among those that go first, or -1. */
  positionOf(transaction: TxIndex): number {
    if (this.#priorityCount === 0) return -1
    if (this.#positions === undefined) {
      this.#positions = new Int32Array(this.#count).fill(-1)
      for (let i = 0; i < this.#priorityCount; i++) this.#positions[this.priority(i)] = i
    }
    return this.#positions[transaction]
  }

  /** The transaction at `position` of those that go first. */
  priority(position: number): TxIndex {
    return this.#words[this.#priorities + position] as TxIndex
  }

  /**
   * A transaction that `transaction` should wait for before this incarnation, or NOTHING.
   *
   * Only a first incarnation waits for levels, whose members can be higher transactions. A lane that
   * waits for a lower transaction waits for one that has run before, so no such wait closes a circle.
   * Nor does one wait for transactions from `windowEnd` on, which must not start before it is final.
   */
  blocker(
    transaction: TxIndex,
    incarnation: Incarnation,
    isSettled: (other: TxIndex) => boolean,
    windowEnd: number = this.#count,
  ): TxIndex | typeof NOTHING {
    if (!this.isReady()) return NOTHING
    const words = this.#words
    const end = words[this.#starts + transaction + 1]
    let highest: TxIndex | typeof NOTHING = NOTHING
    for (let i = words[this.#starts + transaction]; i < end; i++) {
      const lower = words[this.#targets + i] as TxIndex
      if (lower > highest && !isSettled(lower)) highest = lower
    }
    if (highest !== NOTHING || this.#window === 0 || incarnation > 0) return highest
    const level = words[this.#levels + transaction]
    return level === NO_LEVEL ? NOTHING : this.#levelBlocker(level, isSettled, windowEnd)
  }

  /** A transaction below `windowEnd` of a level that must be through before one of `level` may start. */
  #levelBlocker(
    level: number,
    isSettled: (other: TxIndex) => boolean,
    windowEnd: number,
  ): TxIndex | typeof NOTHING {
    const words = this.#words
    for (let at = this.#settled; at < this.#count; at++) {
      const other = words[this.#order + at] as TxIndex
      if (words[this.#levels + other] > level - this.#window) return NOTHING
      if (other >= windowEnd) continue
      if (!isSettled(other)) return other
      if (at === this.#settled) this.#settled++
    }
    return NOTHING
  }
}
