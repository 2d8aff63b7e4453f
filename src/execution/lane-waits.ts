// What an execution may wait for, as an interface: the worker loop implements it with suspended lanes,
// tests with immediate answers. Authority on the ways in which an execution ends without result.

import type { NOTHING, RecordId, TxIndex } from '../ids.ts'

/** Suspends the lane, not the worker; every promise rejects with {@link HaltedError} on a halt. */
export interface LaneWaits {
  /** Resolves when the base values of an account record are present. */
  account(record: RecordId): Promise<void>
  /** Resolves when the base value of a slot record is present. */
  slot(record: RecordId): Promise<void>
  /** Resolves when the code of an account record is present. */
  code(record: RecordId): Promise<void>
  /** Resolves when the hash of the block `distance` (1..256) before this one is present. */
  blockHash(distance: number): Promise<void>
  /** Resolves when `transaction`, which is lower than the waiting one, has a finished incarnation. */
  transaction(transaction: number): Promise<void>
}

/** What whoever runs a transaction needs besides, so that higher transactions give way to lower ones. */
export interface RunnerWaits extends LaneWaits {
  /**
   * The transaction at the commit head, where it is a lower one that could run now if this worker did
   * not run something else; otherwise {@link NOTHING}.
   */
  waitingHead(): TxIndex | typeof NOTHING
  /** Resolves when `transaction`, which is lower than the waiting one, is final. */
  committed(transaction: TxIndex): Promise<void>
}

/** The block was halted while the lane waited; its work is thrown away. */
export class HaltedError extends Error {
  constructor() {
    super('the block was halted')
  }
}

/** The execution is abandoned, and begins anew: what it read is not so any more, or it gives way. */
export class AbandonedError extends Error {
  constructor() {
    super('the execution was abandoned')
  }
}

/**
 * A read that cannot wait (an account's field is read by a plain property access) met an estimate.
 * The incarnation is abandoned and run again when `transaction` has finished.
 */
export class EstimateError extends Error {
  readonly transaction: number
  constructor(transaction: number) {
    super('an estimate was read')
    this.transaction = transaction
  }
}
