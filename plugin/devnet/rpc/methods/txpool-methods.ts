// txpool_*: what waits to be mined, as geth shows it. The authority on the forms of its answers.

import type { Hex } from '../../hex.ts'
import { quantity } from '../../hex.ts'
import { maxFeePerGas } from '../../pool/fees.ts'
import { pooledBySender } from '../../pool/pooled-by-sender.ts'
import type { PooledTransaction } from '../../pool/transaction-pool.ts'
import { pendingTransactionJson } from '../formats/transaction-json.ts'
import { type MethodTable, method } from '../method-table.ts'
import { address } from '../schemas.ts'

export const txpoolMethods: MethodTable = {
  txpool_status: method([], async ({ core }) => {
    const { ready, queued } = await pooledBySender(core)
    return { pending: quantity(ready.length), queued: quantity(queued.length) }
  }),
  txpool_content: method([], async ({ core }) => {
    const { ready, queued } = await pooledBySender(core)
    return {
      pending: bySender(ready, pendingTransactionJson),
      queued: bySender(queued, pendingTransactionJson),
    }
  }),
  txpool_contentFrom: method([address], async ({ core }, sender) => {
    const { ready, queued } = await pooledBySender(core)
    const own = (pooled: readonly PooledTransaction[]) =>
      bySender(pooled, pendingTransactionJson)[sender] ?? {}
    return { pending: own(ready), queued: own(queued) }
  }),
  txpool_inspect: method([], async ({ core }) => {
    const { ready, queued } = await pooledBySender(core)
    return { pending: bySender(ready, summary), queued: bySender(queued, summary) }
  }),
}

/** By sender and nonce. */
function bySender<T>(
  pooled: readonly PooledTransaction[],
  show: (pooled: PooledTransaction) => T,
): Record<Hex, Record<string, T>> {
  const shown: Record<Hex, Record<string, T>> = {}
  for (const it of pooled) {
    shown[it.sender] ??= {}
    ;(shown[it.sender] as Record<string, T>)[String(it.tx.nonce)] = show(it)
  }
  return shown
}

function summary({ tx }: PooledTransaction): string {
  const to = tx.to === undefined ? 'contract creation' : tx.to.toString()
  return `${to}: ${tx.value} wei + ${tx.gasLimit} gas × ${maxFeePerGas(tx)} wei`
}
