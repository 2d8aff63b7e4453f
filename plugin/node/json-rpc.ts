// The framing of JSON-RPC 2.0: text in, text out, whatever the text is.
// Authority on ids, notifications, batches and on what is said of malformed requests.
// Must not know methods or transports, and must never throw.
import { RPC_CODES, RpcError } from '../devnet/rpc-error.ts'

export interface FramingOptions {
  readonly batchLength: number
  readonly responseCharacters: number
  /** Answers one request: a result, or an error by throwing it. */
  readonly handle: (method: string, params: readonly unknown[]) => Promise<unknown>
  /** Hears of errors that no client is to blame for. */
  readonly onInternalError?: ((error: unknown, method: string) => void) | undefined
}

type Id = string | number | null

interface ErrorObject {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** The text to send back; nothing where the text held notifications only. */
export async function answerText(
  text: string,
  options: FramingOptions,
): Promise<string | undefined> {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return failure(null, { code: RPC_CODES.parse, message: `Parse error: ${reason}` })
  }
  if (!Array.isArray(message)) {
    return answerOne(message, options, options.responseCharacters)
  }
  return answerBatch(message, options)
}

/** What is said of a text that is too long or no text, before anybody could look into it. */
export function refusal(code: number, message: string): string {
  return failure(null, { code, message })
}

/** A notification of a subscription, as it goes over the wire. */
export function subscriptionText(notification: { subscription: string; result: unknown }): string {
  const { subscription, result } = notification
  return JSON.stringify({
    jsonrpc: '2.0',
    method: 'eth_subscription',
    params: { subscription, result },
  })
}

/** One after the other: what comes later in a batch may count on what came before. */
async function answerBatch(
  batch: readonly unknown[],
  options: FramingOptions,
): Promise<string | undefined> {
  if (batch.length === 0) {
    return refusal(RPC_CODES.invalidRequest, 'Invalid request: a batch must not be empty')
  }
  if (batch.length > options.batchLength) {
    return refusal(
      RPC_CODES.invalidRequest,
      `Invalid request: a batch of ${batch.length} requests; at most ${options.batchLength} are allowed`,
    )
  }
  const answers: string[] = []
  let left = options.responseCharacters
  for (const request of batch) {
    const answer = await answerOne(request, options, left)
    if (answer === undefined) continue
    answers.push(answer)
    left -= answer.length
  }
  return answers.length === 0 ? undefined : `[${answers.join(',')}]`
}

async function answerOne(
  request: unknown,
  options: FramingOptions,
  room: number,
): Promise<string | undefined> {
  const invalid = (reason: string, id: Id = null): string =>
    failure(id, { code: RPC_CODES.invalidRequest, message: `Invalid request: ${reason}` })
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    return invalid('a request must be an object')
  }
  const { jsonrpc, id, method, params } = request as Record<string, unknown>
  const isNotification = id === undefined
  const requestId = isNotification ? null : id
  if (!isId(requestId)) {
    return invalid('"id" must be a string, null, or a number that JSON.parse keeps exactly')
  }
  if (jsonrpc !== '2.0') return invalid('"jsonrpc" must be "2.0"', requestId)
  if (typeof method !== 'string') return invalid('"method" must be a string', requestId)

  const answer = await answerCall(method, params, requestId, options, room)
  return isNotification ? undefined : answer
}

async function answerCall(
  method: string,
  params: unknown,
  id: Id,
  options: FramingOptions,
  room: number,
): Promise<string> {
  try {
    if (params !== undefined && !Array.isArray(params)) {
      throw new RpcError(RPC_CODES.invalidParams, 'Invalid params: "params" must be an array')
    }
    // Not even started where nothing more fits: a batch is a cheap way to ask for much.
    if (room <= 0) throw tooLarge(options)
    const result = await options.handle(method, params ?? [])
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null })
    if (answer.length > room) throw tooLarge(options)
    return answer
  } catch (error) {
    const object = errorObject(error)
    if (object === undefined) {
      options.onInternalError?.(error, method)
      return failure(id, internalError(error))
    }
    // Wrapped by the devnet: the cause is for whoever runs it.
    if (object.code === RPC_CODES.internal && error instanceof Error && error.cause) {
      options.onInternalError?.(error.cause, method)
    }
    try {
      return failure(id, object)
    } catch (unprintable) {
      options.onInternalError?.(unprintable, method)
      return failure(id, { code: object.code, message: object.message })
    }
  }
}

function tooLarge({ responseCharacters }: FramingOptions): RpcError {
  return new RpcError(
    RPC_CODES.limitExceeded,
    `Response too large: more than ${responseCharacters} characters`,
  )
}

/** Hardhat's request handlers throw errors of their own class, told by their numeric code. */
function errorObject(error: unknown): ErrorObject | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code, message } = error
  if (typeof code !== 'number' || !Number.isInteger(code)) return undefined
  return 'data' in error && error.data !== undefined
    ? { code, message, data: error.data }
    : { code, message }
}

function internalError(error: unknown): ErrorObject {
  const reason = error instanceof Error ? error.message : String(error)
  return { code: RPC_CODES.internal, message: `Internal error: ${reason}` }
}

function failure(id: Id, error: ErrorObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error })
}

/** An integer beyond 2^53 would come back as another one, and 1e400 as null. */
function isId(value: unknown): value is Id {
  if (typeof value !== 'number') return typeof value === 'string' || value === null
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
}
