// The plan that the main thread makes before anything is executed: what each transaction should wait
// for. Authority on the plan's form in shared memory, for its writer and its readers. A plan is advice:
// following it saves repetitions, and no result depends on it.

import { NOTHING, type TxIndex } from '../ids.ts'
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

/**
 * Writes the plan, `starts` and behind them `targets`, and publishes it. Main thread, once per block.
 * @throws ParallelError `STORE_FULL`
 */
export function publishPlan(
  control: Int32Array,
  block: SharedRegion,
  allocator: RegionAllocator,
  atomics: AtomicOperations,
  { starts, targets }: Dependencies,
): void {
  const plan = allocator.allocate(starts.length + targets.length)
  const words = block.reach(plan + starts.length + targets.length)
  words.set(starts, plan)
  words.set(targets, plan + starts.length)
  atomics.store(control, CONTROL.PLAN, plan)
}

/** A worker's view of the plan. */
export class PlannedOrder {
  readonly #control: Int32Array
  readonly #block: SharedRegion
  readonly #atomics: AtomicOperations
  readonly #count: number
  /** Of the plan in the block region; 0 until it was seen. */
  #plan = 0
  #words: Int32Array

  constructor(control: Int32Array, block: SharedRegion, atomics: AtomicOperations) {
    this.#control = control
    this.#block = block
    this.#atomics = atomics
    this.#count = control[CONTROL.TRANSACTION_COUNT]
    this.#words = block.words
  }

  /** Whether the plan is there. */
  isReady(): boolean {
    if (this.#plan !== 0) return true
    const plan = this.#atomics.load(this.#control, CONTROL.PLAN)
    if (plan === 0) return false
    const targets = plan + this.#count + 1
    this.#words = this.#block.reach(targets)
    this.#words = this.#block.reach(targets + this.#words[targets - 1])
    this.#plan = plan
    return true
  }

  /** The highest transaction that `transaction` should wait for, or NOTHING. */
  blocker(transaction: TxIndex, isSettled: (lower: TxIndex) => boolean): TxIndex | typeof NOTHING {
    if (!this.isReady()) return NOTHING
    const words = this.#words
    const targets = this.#plan + this.#count + 1
    const end = words[this.#plan + transaction + 1]
    let highest: TxIndex | typeof NOTHING = NOTHING
    for (let i = words[this.#plan + transaction]; i < end; i++) {
      const lower = words[targets + i] as TxIndex
      if (lower > highest && !isSettled(lower)) highest = lower
    }
    return highest
  }
}
