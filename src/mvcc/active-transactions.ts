// The transactions that are open, of all threads, and the time before which nobody looks.
// Authority on that time, the watermark, which bounds what may be collected. Knows no versions.

import { ParallelError } from '../errors.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { SLOT_OF, SLOT_STATE, STORE, slotIndex, TIME_UNIT } from '../memory/engine-layout.ts'
import { highOf, lowOf, readClock } from './commit-clock.ts'

/** A slot in use: which one, and its state then, which no later use of it has. */
export interface OpenSlot {
  readonly slot: number
  readonly state: number
  /** The time that the transaction sees. */
  readonly time: number
}

/** Looks at a transaction that is just starting, before it is taken to see everything. */
const LOOKS = 200

export class ActiveTransactions {
  readonly #atomics: AtomicOperations
  readonly #control: Int32Array
  readonly #slots: number
  readonly #owner: number
  /** Slots that this thread has used and left: probably free still. */
  readonly #left: number[] = []

  constructor(atomics: AtomicOperations, control: Int32Array, slots: number, owner: number) {
    this.#atomics = atomics
    this.#control = control
    this.#slots = slots
    this.#owner = owner
  }

  /**
   * Enters a transaction that starts now.
   *
   * The slot says STARTING before the clock is read: a collector that does not see that has read the
   * clock before, so its watermark is not above the time that is read here.
   * @throws ParallelError `STORE_FULL` where too many are open.
   */
  enter(): OpenSlot {
    const control = this.#control
    const slot = this.#claim()
    const at = slotIndex(slot)
    const time = readClock(this.#atomics, control)
    control[at + SLOT_OF.TIME_HIGH] = highOf(time)
    control[at + SLOT_OF.TIME] = lowOf(time)
    const starting = this.#atomics.load(control, at)
    const state = (starting & ~SLOT_STATE.MASK) | SLOT_STATE.ACTIVE
    this.#atomics.store(control, at, state)
    return { slot, state, time }
  }

  /** The transaction sees nothing any more. Returns whether it was still entered. */
  leave({ slot, state }: OpenSlot): boolean {
    if (!this.#free(slot, state)) return false
    this.#left.push(slot)
    return true
  }

  /** Leaves all slots of a thread that is no more. */
  leaveAllOf(owner: number): void {
    const used = this.#atomics.load(this.#control, STORE.SLOTS_USED)
    for (let slot = 0; slot < used; slot++) {
      const state = this.#atomics.load(this.#control, slotIndex(slot))
      const isOpen = (state & SLOT_STATE.MASK) !== SLOT_STATE.FREE
      if (isOpen && (state & SLOT_STATE.OWNER_MASK) >> SLOT_STATE.OWNER_SHIFT === owner) {
        this.#free(slot, state)
      }
    }
  }

  /** Open transactions. */
  count(): number {
    let open = 0
    const used = this.#atomics.load(this.#control, STORE.SLOTS_USED)
    for (let slot = 0; slot < used; slot++) {
      const state = this.#atomics.load(this.#control, slotIndex(slot))
      if ((state & SLOT_STATE.MASK) !== SLOT_STATE.FREE) open++
    }
    return open
  }

  /** No open transaction, and none that will be opened, sees a time before this one. */
  watermark(): number {
    // Read before the slots are looked at: whoever enters later reads one that is not below it.
    const clock = readClock(this.#atomics, this.#control)
    return Math.min(clock, this.smallestTime() ?? clock)
  }

  /** The smallest time that an open transaction sees; `undefined`: none is open. */
  smallestTime(): number | undefined {
    let smallest: number | undefined
    const used = this.#atomics.load(this.#control, STORE.SLOTS_USED)
    for (let slot = 0; slot < used; slot++) {
      const time = this.#timeOf(slotIndex(slot))
      if (time !== undefined) smallest = Math.min(smallest ?? time, time)
    }
    return smallest
  }

  #timeOf(at: number): number | undefined {
    for (let look = 0; ; look++) {
      const state = this.#atomics.load(this.#control, at)
      const use = state & SLOT_STATE.MASK
      if (use === SLOT_STATE.FREE) return undefined
      if (use === SLOT_STATE.STARTING) {
        // It may have read the clock long ago and lost its turn: then nothing can be collected yet.
        if (look >= LOOKS) return 0
        continue
      }
      const high = this.#control[at + SLOT_OF.TIME_HIGH]
      const time = high * TIME_UNIT + this.#control[at + SLOT_OF.TIME]
      // The slot may have been left and used again in between.
      if (this.#atomics.load(this.#control, at) === state) return time
    }
  }

  #claim(): number {
    for (let slot = this.#left.pop(); slot !== undefined; slot = this.#left.pop()) {
      if (this.#tryClaim(slot)) return slot
    }
    for (let slot = 0; slot < this.#slots; slot++) if (this.#tryClaim(slot)) return slot
    throw new ParallelError(
      'STORE_FULL',
      `${this.#slots} transactions are open; end some (commit, abort, using), or raise maxTransactions`,
    )
  }

  #tryClaim(slot: number): boolean {
    const at = slotIndex(slot)
    const state = this.#atomics.load(this.#control, at)
    if ((state & SLOT_STATE.MASK) !== SLOT_STATE.FREE) return false
    // Counted before it is claimed: who looks for open ones must not overlook it.
    for (;;) {
      const used = this.#atomics.load(this.#control, STORE.SLOTS_USED)
      if (used > slot) break
      this.#atomics.compareExchange(this.#control, STORE.SLOTS_USED, used, slot + 1)
    }
    const mine = (this.#owner << SLOT_STATE.OWNER_SHIFT) | SLOT_STATE.STARTING
    const starting = (state & ~SLOT_STATE.OWNER_MASK) | mine
    return this.#atomics.compareExchange(this.#control, at, state, starting) === state
  }

  #free(slot: number, state: number): boolean {
    const at = slotIndex(slot)
    const next = ((state & ~SLOT_STATE.MASK) + SLOT_STATE.USE) | 0
    return this.#atomics.compareExchange(this.#control, at, state, next) === state
  }
}
