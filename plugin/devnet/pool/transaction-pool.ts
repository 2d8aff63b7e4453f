// Transactions that wait for a block: a queue by nonce for each sender.
// The authority on what waits, what replaces what, and which transactions can go next.
// Must not read state: callers hand in nonces and balances.

import type { SentTransaction } from '../chain/sealed-block.ts'
import type { Hex } from '../hex.ts'
import { invalidInput, RPC_CODES, RpcError } from '../rpc-error.ts'
import { maxCost, maxFeePerGas, maxPriorityFeePerGas } from './fees.ts'

export interface PooledTransaction extends SentTransaction {
  /** Ascending in the order of arrival; who replaces another takes its own. */
  readonly arrival: number
}

/** What the pool has to know of a sender. */
export interface SenderAccount {
  readonly nonce: bigint
  readonly balance: bigint
}

export interface PoolLimits {
  /** Transactions in all, and of one sender. */
  readonly total: number
  readonly perSender: number
}

export type PoolSnapshot = readonly PooledTransaction[]

/** A replacement must pay at least this much more, in per cent, of both fees. */
const REPLACEMENT_PERCENT = 10n

export class TransactionPool {
  readonly #limits: PoolLimits
  readonly #byHash = new Map<Hex, PooledTransaction>()
  readonly #bySender = new Map<Hex, Map<bigint, PooledTransaction>>()
  #arrivals = 0

  constructor(limits: PoolLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byHash.size
  }

  get(hash: Hex): PooledTransaction | undefined {
    return this.#byHash.get(hash)
  }

  /** All of them, in the order of arrival. */
  all(): PooledTransaction[] {
    return [...this.#byHash.values()].sort((a, b) => a.arrival - b.arrival)
  }

  senders(): Hex[] {
    return [...this.#bySender.keys()]
  }

  /** A sender's transactions by nonce. */
  queueOf(sender: Hex): ReadonlyMap<bigint, PooledTransaction> {
    return this.#bySender.get(sender) ?? new Map()
  }

  /** The nonce of the next transaction that a sender at `nonce` would sign. */
  nextNonce(sender: Hex, nonce: bigint): bigint {
    const queue = this.#bySender.get(sender)
    let next = nonce
    while (queue?.has(next)) next++
    return next
  }

  /**
   * Takes a transaction in, in the place of one with the same nonce if it pays enough more.
   * @throws RpcError if it can never be mined, or the pool is full
   */
  add(sent: SentTransaction, account: SenderAccount): PooledTransaction {
    const { tx, hash, sender } = sent
    if (this.#byHash.has(hash)) throw invalidInput(`Known transaction: ${hash}`)
    if (tx.nonce < account.nonce) {
      throw invalidInput(
        `Transaction nonce too low. Expected nonce to be at least ${account.nonce} but got ${tx.nonce}.`,
      )
    }
    checkFunds(sent, account.balance)
    const queue = this.#bySender.get(sender)
    const replaced = queue?.get(tx.nonce)
    if (replaced !== undefined) checkReplacement(sent, replaced)
    else this.#checkLimits(queue?.size ?? 0)
    if (replaced !== undefined) this.remove(replaced.hash)
    const pooled = { ...sent, arrival: this.#arrivals++ }
    this.#insert(pooled)
    return pooled
  }

  remove(hash: Hex): boolean {
    const pooled = this.#byHash.get(hash)
    if (pooled === undefined) return false
    this.#byHash.delete(hash)
    const queue = this.#bySender.get(pooled.sender)
    queue?.delete(pooled.tx.nonce)
    if (queue?.size === 0) this.#bySender.delete(pooled.sender)
    return true
  }

  /** Drops what a sender can no longer send. */
  settle(sender: Hex, { nonce, balance }: SenderAccount): void {
    for (const [at, { hash, tx }] of this.queueOf(sender)) {
      if (at < nonce || maxCost(tx) > balance) this.remove(hash)
    }
  }

  snapshot(): PoolSnapshot {
    return [...this.#byHash.values()]
  }

  restore(snapshot: PoolSnapshot): void {
    this.#byHash.clear()
    this.#bySender.clear()
    for (const pooled of snapshot) this.#insert(pooled)
  }

  #insert(pooled: PooledTransaction): void {
    this.#byHash.set(pooled.hash, pooled)
    let queue = this.#bySender.get(pooled.sender)
    if (queue === undefined) {
      queue = new Map()
      this.#bySender.set(pooled.sender, queue)
    }
    queue.set(pooled.tx.nonce, pooled)
  }

  #checkLimits(ofSender: number): void {
    if (this.#byHash.size >= this.#limits.total) {
      throw new RpcError(
        RPC_CODES.limitExceeded,
        `The transaction pool is full: it holds ${this.#limits.total} transactions`,
      )
    }
    if (ofSender >= this.#limits.perSender) {
      throw new RpcError(
        RPC_CODES.limitExceeded,
        `The sender has ${this.#limits.perSender} transactions in the pool, which is the limit`,
      )
    }
  }
}

function checkFunds({ tx }: SentTransaction, balance: bigint): void {
  const cost = maxCost(tx)
  if (cost <= balance) return
  throw invalidInput(
    `Sender doesn't have enough funds to send tx. The max upfront cost is: ${cost} and the sender's balance is: ${balance}.`,
  )
}

function checkReplacement({ tx }: SentTransaction, replaced: PooledTransaction): void {
  const leastFee = raised(maxFeePerGas(replaced.tx))
  if (maxFeePerGas(tx) < leastFee) {
    throw invalidInput(
      `Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least ${leastFee} is necessary to replace the existing transaction with nonce ${tx.nonce}.`,
    )
  }
  const leastTip = raised(maxPriorityFeePerGas(replaced.tx))
  if (maxPriorityFeePerGas(tx) < leastTip) {
    throw invalidInput(
      `Replacement transaction underpriced. A gasPrice/maxPriorityFeePerGas of at least ${leastTip} is necessary to replace the existing transaction with nonce ${tx.nonce}.`,
    )
  }
}

/** The least fee that replaces one of `fee`, rounded up. */
function raised(fee: bigint): bigint {
  return (fee * (100n + REPLACEMENT_PERCENT) + 99n) / 100n
}
