// Answers the scheduler's questions from the version store: what validation, estimates and commit mean
// for versions. The only place where scheduling and versions meet.

import type { TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { CONTROL, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { forEachWriter, VALIDITY, validateReadSet } from '../mvcc/read-set.ts'
import type { VersionStore } from '../mvcc/version-store.ts'
import { forEachWrite } from '../mvcc/write-set.ts'
import type { VersionJudge } from './block-stm-scheduler.ts'

/** A judge over the read and write sets that the control words of each transaction lead to. */
export function judgeVersions(
  control: Int32Array,
  store: VersionStore,
  atomics: AtomicOperations,
): VersionJudge {
  const field = (transaction: TxIndex, name: number): number =>
    atomics.load(control, transactionIndex(transaction, name))
  return {
    refutes: (transaction, isFinal) => {
      const validity = validateReadSet(store, field(transaction, TRANSACTION.READ_SET), transaction)
      // Below the commit head nothing is in doubt; above it the end of a repetition decides.
      return isFinal ? validity !== VALIDITY.VALID : validity === VALIDITY.INVALID
    },
    markEstimates: (transaction) => {
      // Asked for right after this thread refuted it.
      atomics.add(control, CONTROL.REFUTED + store.refutedKind, 1)
      forEachWrite(
        store.block,
        field(transaction, TRANSACTION.WRITE_SET),
        (_kind, _location, node) => store.markEstimate(node),
      )
    },
    committed: (transaction) => {
      let level = 1
      forEachWriter(store.block, field(transaction, TRANSACTION.READ_SET), (writer) => {
        level = Math.max(level, 1 + field(writer, TRANSACTION.LEVEL))
      })
      atomics.store(control, transactionIndex(transaction, TRANSACTION.LEVEL), level)
    },
  }
}
