// What a call that could not be begun is answered with.
// The authority on the codes of those errors; failures of what was run are failure/'s.
// Must not swallow errors that it does not know.
import { invalidInput } from '../rpc-error.ts'
import { IntrinsicGasError } from './apply-message.ts'

/** The error as JSON-RPC has it, or as it is. */
export function toRpcError(error: unknown): unknown {
  if (error instanceof IntrinsicGasError) return invalidInput(error.message)
  return error
}
