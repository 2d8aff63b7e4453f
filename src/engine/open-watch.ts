// Notices transactions that were left open and that nobody has any more, and gives them up.
// Authority on when one counts as left. Must not keep one alive for longer than a turn of the event loop.
//
// Registering with the garbage collector costs more than a short transaction, so only those are
// registered that outlive the turn in which they began.

import type { OpenSlot } from '../mvcc/active-transactions.ts'

/** A transaction that is watched. */
export interface Watched {
  readonly open: OpenSlot
  /** Only while it is young: afterwards nothing here may lead to it. */
  transaction: object | undefined
  /** Its place among the young. */
  index: number
}

export class OpenWatch {
  readonly #registry: FinalizationRegistry<OpenSlot>
  readonly #young: Watched[] = []
  #isScheduled = false

  /** `leave` gives a transaction up that was left open. */
  constructor(leave: (open: OpenSlot) => void) {
    this.#registry = new FinalizationRegistry(leave)
  }

  add(transaction: object, open: OpenSlot): Watched {
    const watched = { open, transaction, index: this.#young.length }
    this.#young.push(watched)
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(() => this.#register()).unref()
    }
    return watched
  }

  remove(watched: Watched): void {
    if (watched.transaction === undefined) {
      this.#registry.unregister(watched)
      return
    }
    watched.transaction = undefined
    const last = this.#young.pop() as Watched
    if (last === watched) return
    this.#young[watched.index] = last
    last.index = watched.index
  }

  #register(): void {
    this.#isScheduled = false
    for (const watched of this.#young) {
      this.#registry.register(watched.transaction as object, watched.open, watched)
      watched.transaction = undefined
    }
    this.#young.length = 0
  }
}
