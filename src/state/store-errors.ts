// What is said where a stored flat state cannot be read or written, whatever the form of its store.
// Authority on those two errors. Knows nothing of what is stored.

import type { RootDatabase } from 'lmdb'
import { ParallelError } from '../errors.ts'

/** What lies at `path` is no store that can be used. */
export function brokenStore(path: string, why: string): ParallelError {
  return new ParallelError('BROKEN_STORE', `The flat state at ${path} is not usable: ${why}`)
}

/**
 * Stores all that `write` does, or nothing.
 * @throws ParallelError `STORE_WRITE_FAILED`, and those of `write`
 */
export function writeWhole(
  database: Pick<RootDatabase, 'transactionSync'>,
  path: string,
  write: () => void,
): void {
  try {
    database.transactionSync(write)
  } catch (error) {
    if (error instanceof ParallelError) throw error
    const why = error instanceof Error ? error.message : String(error)
    const message = `The flat state at ${path} could not be stored: ${why}`
    throw new ParallelError('STORE_WRITE_FAILED', message, { cause: error })
  }
}
