// Errors across threads: what stays of an error when it is sent. Authority on that loss.

import { ParallelError, type ParallelErrorCode } from '../errors.ts'

export interface SerializedError {
  name: string
  message: string
  stack: string | undefined
  /** Present where it was a ParallelError. */
  code: ParallelErrorCode | undefined
}

export function serializeError(error: unknown): SerializedError {
  const known = error instanceof Error ? error : new Error(String(error))
  return {
    name: known.name,
    message: known.message,
    stack: known.stack,
    code: known instanceof ParallelError ? known.code : undefined,
  }
}

/** Makes a ParallelError of it: the code it had, or `WORKER_FAILED`; the original is the cause. */
export function deserializeError(error: SerializedError): ParallelError {
  const cause = new Error(error.message)
  cause.name = error.name
  if (error.stack !== undefined) cause.stack = error.stack
  return new ParallelError(error.code ?? 'WORKER_FAILED', error.message, { cause })
}
