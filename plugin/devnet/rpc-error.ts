// What a JSON-RPC method answers when it refuses: a code, a sentence, and data for machines.
// The authority on the codes that a devnet uses. Must not decide when one of them applies.

/** Codes of JSON-RPC 2.0, of EIP-1474, and 3, which clients know as a revert. */
export const RPC_CODES = {
  revert: 3,
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  invalidInput: -32000,
  notSupported: -32004,
  limitExceeded: -32005,
} as const

/** Thrown by methods; whoever serves them makes the error object of the response of it. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  /** JSON, or undefined for none. */
  readonly data: unknown
  /** The transaction that failed, where one was sent: clients show it beside the message. */
  readonly transactionHash: string | undefined

  constructor(code: number, message: string, data?: unknown, transactionHash?: string) {
    super(message)
    this.code = code
    this.data = data
    this.transactionHash = transactionHash
  }
}

/** A request that is well formed and that the chain refuses. */
export function invalidInput(message: string): RpcError {
  return new RpcError(RPC_CODES.invalidInput, message)
}

export function invalidParams(message: string): RpcError {
  return new RpcError(RPC_CODES.invalidParams, message)
}
