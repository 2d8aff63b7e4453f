// Notices transactions that were left open and that nobody has any more, and gives them up.
// Authority on when one counts as left. Must not keep one alive for longer than a turn of the event loop.
//
// Registering with the garbage collector costs more than a short transaction, so only those are
// registered that outlive the turn in which they began.

import type { OpenSlot } from '../mvcc/active-transactions.ts'
import type { MvccTransaction } from './mvcc-transaction.ts'

export class OpenWatch {
  readonly #registry: FinalizationRegistry<OpenSlot>
  readonly #young: MvccTransaction[] = []
  #isScheduled = false

  /** `leave` gives a transaction up that was left open. */
  constructor(leave: (open: OpenSlot) => void) {
    this.#registry = new FinalizationRegistry(leave)
  }

  add(transaction: MvccTransaction): void {
    transaction.watchIndex = this.#young.push(transaction) - 1
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#register()).unref()
  }

  remove(transaction: MvccTransaction): void {
    const index = transaction.watchIndex
    if (index === -1) {
      this.#registry.unregister(transaction)
      return
    }
    const last = this.#young.pop() as MvccTransaction
    if (last !== transaction) {
      this.#young[index] = last
      last.watchIndex = index
    }
    transaction.watchIndex = -1
  }

  #register(): void {
    this.#isScheduled = false
    for (const transaction of this.#young) {
      transaction.watchIndex = -1
      this.#registry.register(transaction, transaction.openSlot, transaction)
    }
    this.#young.length = 0
  }
}
