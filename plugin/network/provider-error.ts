// The errors that requests of a parallel network reject with, as Hardhat's plugins and tests expect them.
// The authority on their names and own properties: code, data, transactionHash and Hardhat's mark.
// Must not change messages: people's tests match them.
import { RPC_CODES, RpcError } from '../devnet/rpc-error.ts'

/** Hardhat tells its errors by this property, since classes differ between copies of the package. */
const MARK = '_isProviderError'

export class ProviderError extends Error {
  override readonly name: string = 'ProviderError'
  readonly code: number
  declare readonly data?: unknown
  /** Of a transaction that was mined and failed. */
  declare readonly transactionHash?: string

  constructor(message: string, code: number, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, MARK, { value: true, enumerable: false })
  }
}

/** What a request with wrong parameters rejects with. */
class InvalidArgumentsError extends ProviderError {
  override readonly name = 'InvalidArgumentsError'
}

/**
 * What an execution that reverted rejects with. Not marked, as Hardhat's is not; its name is what tells it
 * in a chain of causes. It has no Solidity stack.
 */
class SolidityError extends Error {
  override readonly name = 'SolidityError'
  readonly code = RPC_CODES.revert
  /** What was returned, in hex. */
  declare readonly data?: unknown
  /** Of a transaction that was mined. */
  declare readonly transactionHash?: string
}

/** Of a devnet's error, or of a failed response that a request handler of some plugin made. */
export function toProviderError(error: unknown): Error {
  const { message, code, data, transactionHash } = partsOf(error)
  // A devnet's refusal says all there is to say; what else went wrong is for whoever looks into it.
  const options = error instanceof Error && !(error instanceof RpcError) ? { cause: error } : {}
  const made = errorOf(message ?? String(error), code, options)
  // Own properties only where there is something: clients ask whether they are there.
  return Object.assign(
    made,
    data === undefined ? {} : { data },
    typeof transactionHash === 'string' ? { transactionHash } : {},
  )
}

function errorOf(message: string, code: unknown, options: ErrorOptions): Error {
  switch (code) {
    case RPC_CODES.revert:
      return new SolidityError(message, options)
    case RPC_CODES.invalidParams:
      return new InvalidArgumentsError(message, code, options)
    default:
      return new ProviderError(
        message,
        typeof code === 'number' ? code : RPC_CODES.internal,
        options,
      )
  }
}

function partsOf(error: unknown): {
  message?: string
  code?: unknown
  data?: unknown
  transactionHash?: unknown
} {
  return typeof error === 'object' && error !== null ? error : {}
}
