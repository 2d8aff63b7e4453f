// The one error family of the package: a class, its codes, and how it crosses a thread.
// Authority on error codes. Errors that stock ethereumjs throws are never wrapped in it.

/** What went wrong, stable across releases; messages may change. */
export type ParallelErrorCode =
  /** An option has a value that is not allowed. The message names the option and what is allowed. */
  | 'INVALID_OPTION'
  /** The executor was closed before or while it ran the block. */
  | 'EXECUTOR_CLOSED'
  /** The user's `workerSetup` module could not be loaded or threw. */
  | 'WORKER_SETUP_FAILED'
  /** A worker thread died or threw outside of a transaction. */
  | 'WORKER_FAILED'
  /** The workers took longer for a block than `executionTimeoutMs`. */
  | 'EXECUTION_TIMEOUT'
  /** Shared memory reached its limit. */
  | 'STORE_FULL'
  /** A balance beyond 2^255 wei: only the sequential path can hold it. */
  | 'UNSUPPORTED_BALANCE'
  /** Parallel execution could not finish and `fallback: false` forbids going on sequentially. */
  | 'FALLBACK_DISABLED'
  /** A node of a state trie is missing from its database, or what is there is no node. */
  | 'BROKEN_TRIE'
  /** What lies where a flat state should be stored is none, or somebody else writes to it. */
  | 'BROKEN_STORE'
  /** A flat state could not be stored, and `cause` says why; both it and the store are as they were. */
  | 'STORE_WRITE_FAILED'
  /** A flat state is asked for a state root that it does not keep (any more). */
  | 'UNKNOWN_STATE_ROOT'
  /** A block builder is asked for something while it adds transactions. */
  | 'BUILDER_BUSY'
  /** A block builder could not put into the state what is in its block, for the `cause`; it can be reverted. */
  | 'BUILDER_BROKEN'
  /**
   * The block followed one that ran with `pipeline` and was refused when its state root was known, for the
   * `cause`. The state is the one before that block.
   */
  | 'PARENT_REFUSED'
  /** An argument has a value that is not allowed, or not in this state. The message says which. */
  | 'INVALID_ARGUMENT'
  /** A transaction is named that was never recorded, or is not part of the graph. */
  | 'UNKNOWN_TRANSACTION'
  /** Transactions would depend on each other. A `DependencyCycleError`, which names them. */
  | 'DEPENDENCY_CYCLE'
  /** A dependency graph has more levels than `maxLevelDepth`. */
  | 'LEVEL_DEPTH_EXCEEDED'
  /** The text of an access expression is not in its language. The message names the place. */
  | 'INVALID_EXPRESSION'
  /** Persisted access templates do not have the form of this version. The message names the field. */
  | 'INVALID_TEMPLATES'
  /** Another transaction committed a key first. A `WriteConflictError`, which names it. Run it again. */
  | 'WRITE_CONFLICT'
  /** A write in a read-only transaction. */
  | 'READ_ONLY'
  /** A transaction that was committed or given up is used again. */
  | 'TRANSACTION_ENDED'
  /** A store or scheduler that was disposed is used again. */
  | 'DISPOSED'
  /** A state is asked to go back to a snapshot that it has not (any more). */
  | 'UNKNOWN_SNAPSHOT'
  /** A function where threads need a module: functions cannot be sent to threads. */
  | 'MODULE_REQUIRED'
  /** An invariant of the executor does not hold: a bug in this package. */
  | 'INTERNAL'

/**
 * Thrown for everything that is the fault of this package's use or working, and not of the block.
 * `cause` holds the error it came from, where there is one.
 */
export class ParallelError extends Error {
  override readonly name = 'ParallelError'
  readonly code: ParallelErrorCode

  constructor(code: ParallelErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Makes an `INTERNAL` error; a function so that hot paths stay small. */
export function internalError(message: string, cause?: unknown): ParallelError {
  return new ParallelError('INTERNAL', `${message} (a bug in parallel-evm, please report it)`, {
    cause,
  })
}
