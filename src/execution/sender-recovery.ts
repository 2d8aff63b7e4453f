// Finds out who sent a transaction, ahead of its execution. Authority on how the finding is published.
// An invalid signature is no error here: the execution meets it again, in block order.

import type { TypedTransaction } from '@ethereumjs/tx'
import { ParallelError } from '../errors.ts'
import type { TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { NO_SENDER, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import type { LocationTable } from '../mvcc/location-table.ts'

/** Recovers the sender of `tx` and publishes its account record. @throws ParallelError `STORE_FULL` */
export function recoverSender(
  control: Int32Array,
  atomics: AtomicOperations,
  table: LocationTable,
  transaction: TxIndex,
  tx: TypedTransaction,
): void {
  let record: number = NO_SENDER
  try {
    record = table.account(tx.getSenderAddress().bytes)
  } catch (error) {
    if (error instanceof ParallelError) throw error
  }
  atomics.store(control, transactionIndex(transaction, TRANSACTION.SENDER), record)
}
