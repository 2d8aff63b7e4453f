// What an execution may wait for, as an interface: the worker loop implements it with suspended lanes,
// tests with immediate answers. Authority on the ways in which an execution ends without result.

import type { RecordId } from '../ids.ts'

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

/** The block was halted while the lane waited; its work is thrown away. */
export class HaltedError extends Error {
  constructor() {
    super('the block was halted')
  }
}

/** What the execution read is not so any more: it is abandoned, and begins anew. */
export class RefutedError extends Error {
  constructor() {
    super('a stale value was read')
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
