// What belongs to one connection: its filters and subscriptions, and who hears of them.
// The authority on their numbers and their limit. Must not know what they watch.

import type { SubscriptionNotification } from '../devnet-contract.ts'
import { type Hex, quantity } from '../hex.ts'
import { RPC_CODES, RpcError } from '../rpc-error.ts'

/** Filters and subscriptions that one connection may have. */
const LIMIT = 1_000

/** A filter that is asked for what is new, or a subscription that is told. */
export interface Watch {
  readonly kind: 'logs' | 'newHeads' | 'newPendingTransactions'
  /** Of a filter: what came since the last call. */
  readonly changes?: () => unknown[]
  /** Of a filter: whether nobody has asked for so long that it is gone. */
  readonly isForgotten?: () => boolean
  /** Of a filter: somebody asks. */
  readonly asked?: () => void
  /** Of a filter for logs: everything that it finds. */
  readonly all?: () => Promise<unknown[]>
  readonly stop: () => void
}

export class ConnectionState {
  readonly #watches = new Map<bigint, Watch>()
  readonly #listeners = new Set<(notification: SubscriptionNotification) => void>()
  #lastId = 0n

  /** Returns the number of what `make` makes, which may use it. */
  add(make: (id: Hex) => Watch): Hex {
    if (this.#watches.size >= LIMIT) this.#removeForgotten()
    if (this.#watches.size >= LIMIT) {
      throw new RpcError(
        RPC_CODES.limitExceeded,
        `A connection can have ${LIMIT} filters and subscriptions; uninstall some`,
      )
    }
    const id = ++this.#lastId
    this.#watches.set(id, make(quantity(id)))
    return quantity(id)
  }

  /** For somebody who asks. */
  get(id: bigint): Watch | undefined {
    const watch = this.#watches.get(id)
    if (watch?.isForgotten?.()) {
      this.remove(id)
      return undefined
    }
    watch?.asked?.()
    return watch
  }

  remove(id: bigint): boolean {
    this.#watches.get(id)?.stop()
    return this.#watches.delete(id)
  }

  #removeForgotten(): void {
    for (const [id, watch] of this.#watches) if (watch.isForgotten?.()) this.remove(id)
  }

  onNotification(listener: (notification: SubscriptionNotification) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  notify(notification: SubscriptionNotification): void {
    for (const listener of [...this.#listeners]) listener(notification)
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.stop()
    this.#watches.clear()
    this.#listeners.clear()
  }
}
