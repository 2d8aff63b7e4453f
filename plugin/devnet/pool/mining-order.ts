// The order in which waiting transactions are offered to a block: each sender's by nonce, and between
// senders by what they pay, or by arrival. The authority on that order.

import type { Hex } from '../hex.ts'
import { effectiveTip } from './fees.ts'
import type { PooledTransaction, TransactionPool } from './transaction-pool.ts'

export interface OrderOptions {
  readonly order: 'priority' | 'fifo'
  readonly baseFee: bigint
  /** At most so many. */
  readonly limit: number
}

interface Candidate {
  readonly pooled: PooledTransaction
  readonly tip: bigint
}

/**
 * What can be mined now. `nonces` has the nonce of each sender in the pool; transactions behind a gap, or
 * behind one that does not pay the base fee, have to wait.
 */
export function miningOrder(
  pool: TransactionPool,
  nonces: ReadonlyMap<Hex, bigint>,
  { order, baseFee, limit }: OrderOptions,
): PooledTransaction[] {
  const isBefore =
    order === 'fifo'
      ? (a: Candidate, b: Candidate) => a.pooled.arrival < b.pooled.arrival
      : (a: Candidate, b: Candidate) =>
          a.tip > b.tip || (a.tip === b.tip && a.pooled.arrival < b.pooled.arrival)
  const heap: Candidate[] = []
  const offer = (sender: Hex, nonce: bigint): void => {
    const pooled = pool.queueOf(sender).get(nonce)
    if (pooled === undefined) return
    const tip = effectiveTip(pooled.tx, baseFee)
    if (tip >= 0n) push(heap, { pooled, tip }, isBefore)
  }
  for (const [sender, nonce] of nonces) offer(sender, nonce)
  const ordered: PooledTransaction[] = []
  while (heap.length > 0 && ordered.length < limit) {
    const { pooled } = pop(heap, isBefore)
    ordered.push(pooled)
    offer(pooled.sender, pooled.tx.nonce + 1n)
  }
  return ordered
}

type IsBefore = (a: Candidate, b: Candidate) => boolean

function push(heap: Candidate[], item: Candidate, isBefore: IsBefore): void {
  let at = heap.length
  heap.push(item)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(item, heap[parent] as Candidate)) break
    heap[at] = heap[parent] as Candidate
    at = parent
  }
  heap[at] = item
}

function pop(heap: Candidate[], isBefore: IsBefore): Candidate {
  const first = heap[0] as Candidate
  const item = heap.pop() as Candidate
  if (heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    const right = heap[child + 1]
    if (right !== undefined && isBefore(right, heap[child] as Candidate)) child++
    if (!isBefore(heap[child] as Candidate, item)) break
    heap[at] = heap[child] as Candidate
    at = child
  }
  heap[at] = item
  return first
}
