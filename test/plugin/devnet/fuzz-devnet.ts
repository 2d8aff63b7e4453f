// Sends malformed requests to a devnet, and says which were not answered as they must be: with a result
// that JSON can write, or with an RpcError, in time, and neither with a bug of ours.
// The authority on what counts as answered. Must not stop at the first that is not.
import type { DevnetConnection } from '../../../plugin/devnet/devnet-contract.ts'
import { METHODS } from '../../../plugin/devnet/rpc/methods.ts'
import { RPC_CODES, RpcError } from '../../../plugin/devnet/rpc-error.ts'
import { createRandom, type MadeRequest, malformedRequest } from './malformed-requests.ts'

/** Timers and long ranges would outlive the run. */
const LEFT_OUT = new Set(['evm_setIntervalMining'])
const LONGEST_MS = 60_000

export interface FuzzOutcome {
  readonly requests: number
  readonly refused: number
  /** One sentence each. */
  readonly faults: readonly string[]
}

export async function fuzzDevnet(
  connection: DevnetConnection,
  { seed, count }: { readonly seed: number; readonly count: number },
): Promise<FuzzOutcome> {
  const random = createRandom(seed)
  const methods = Object.keys(METHODS).filter((name) => !LEFT_OUT.has(name))
  const faults: string[] = []
  let refused = 0
  for (let index = 0; index < count; index++) {
    const request = malformedRequest(random, methods)
    const fault = await send(connection, request, () => refused++)
    if (fault !== undefined) faults.push(`request ${index} (${show(request)}): ${fault}`)
  }
  return { requests: count, refused, faults }
}

async function send(
  connection: DevnetConnection,
  { method, params }: MadeRequest,
  onRefusal: () => void,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer'), LONGEST_MS)
  })
  const answer = connection.request(method as string, params as unknown[]).then(
    (result) => (JSON.stringify(result) === undefined ? 'the result is no JSON' : undefined),
    (error: unknown) => {
      onRefusal()
      if (!(error instanceof RpcError)) return `not an RpcError: ${String(error)}`
      if (error.code !== RPC_CODES.internal) return undefined
      // Hardhat has this one with the code of an internal error.
      return /transaction pool is not empty/.test(error.message)
        ? undefined
        : `an internal error: ${(error.cause as Error | undefined)?.stack ?? error.message}`
    },
  )
  const fault = await Promise.race([answer, late])
  clearTimeout(timer)
  return fault
}

function show(request: MadeRequest): string {
  return JSON.stringify(request).slice(0, 300)
}
