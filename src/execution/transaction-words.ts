// The words of a transaction in the control region that its executions write: where what an incarnation
// leaves behind lies. Authority on their order, which the interleaving tests run too; when an execution starts, and what publishes its end, is the scheduler's.

import type { TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { TRANSACTION, transactionIndex } from '../memory/layout.ts'

export interface ControlWords {
  readonly control: Int32Array
  readonly atomics: AtomicOperations
}

/** Block offsets of what an incarnation leaves behind, and an {@link OUTCOME}. */
export interface Leavings {
  readonly readSet: number
  readonly writeSet: number
  readonly result: number
  readonly outcome: number
  /** What contracts hashed; 0 = not recorded. */
  readonly preimages?: number
  /** What it adds to the block's access list; 0 = not recorded. */
  readonly accessList?: number
  /** Gas that it takes up in the block. */
  readonly blockGas?: bigint
}

/** The write set of the incarnation before, or of the block's access list; 0 = there was none. */
export function previousWriteSet({ control, atomics }: ControlWords, transaction: TxIndex): number {
  return atomics.load(control, transactionIndex(transaction, TRANSACTION.WRITE_SET))
}

/** Whether what `transaction` hashes is to be recorded; written before anything is executed. */
export function wantsPreimages({ control }: ControlWords, transaction: TxIndex): boolean {
  return control[transactionIndex(transaction, TRANSACTION.WANTS_PREIMAGES)] === 1
}

/** Writes what the incarnation leaves behind; the scheduler's `finish` publishes it. */
export function leaveBehind(
  { control, atomics }: ControlWords,
  transaction: TxIndex,
  { readSet, writeSet, result, outcome, preimages = 0, accessList = 0, blockGas = 0n }: Leavings,
): void {
  atomics.store(control, transactionIndex(transaction, TRANSACTION.READ_SET), readSet)
  atomics.store(control, transactionIndex(transaction, TRANSACTION.WRITE_SET), writeSet)
  atomics.store(control, transactionIndex(transaction, TRANSACTION.RESULT), result)
  atomics.store(control, transactionIndex(transaction, TRANSACTION.OUTCOME), outcome)
  atomics.store(control, transactionIndex(transaction, TRANSACTION.PREIMAGES), preimages)
  atomics.store(control, transactionIndex(transaction, TRANSACTION.ACCESS_LIST), accessList)
  const gas = transactionIndex(transaction, TRANSACTION.BLOCK_GAS)
  atomics.store(control, gas, Number(blockGas & 0xffff_ffffn) | 0)
  atomics.store(control, gas + 1, Number(blockGas >> 32n) | 0)
}
