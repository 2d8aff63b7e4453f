// The pool as clients see it: what could go next, and what waits for a nonce that is missing.
// The authority on telling the two apart.

import type { DevnetCore } from '../core.ts'
import { noncesOf } from './sender-accounts.ts'
import type { PooledTransaction } from './transaction-pool.ts'

export interface PooledBySender {
  /** Each sender's by nonce. */
  readonly ready: readonly PooledTransaction[]
  readonly queued: readonly PooledTransaction[]
}

export async function pooledBySender({ pool, chain }: DevnetCore): Promise<PooledBySender> {
  const nonces = await noncesOf(pool.senders(), chain.state)
  const ready: PooledTransaction[] = []
  const queued: PooledTransaction[] = []
  for (const [sender, nonce] of nonces) {
    const next = pool.nextNonce(sender, nonce)
    const queue = [...pool.queueOf(sender).values()].sort((a, b) =>
      a.tx.nonce < b.tx.nonce ? -1 : 1,
    )
    for (const pooled of queue) (pooled.tx.nonce < next ? ready : queued).push(pooled)
  }
  return { ready, queued }
}
