// The error of a transaction that lost against another one. Authority on what it tells.

import { ParallelError } from '../errors.ts'
import { keyText } from './key-bytes.ts'

/**
 * Code `WRITE_CONFLICT`. The transaction has ended and wrote nothing; run it again from its beginning, on
 * a new snapshot, as `executeWithRetry` does.
 */
export class WriteConflictError extends ParallelError {
  /** The key that another transaction committed since this one began. */
  readonly key: Uint8Array
  /** Whether this one wrote it too, or only read it (with isolation `serializable`). */
  readonly access: 'write' | 'read'

  constructor(key: Uint8Array, access: 'write' | 'read') {
    super(
      'WRITE_CONFLICT',
      `Another transaction committed ${keyText(key)}, which this one ${access === 'write' ? 'writes' : 'has read'}; run it again on a new snapshot`,
    )
    this.key = key
    this.access = access
  }
}
