// What both transports of a server share: how a text becomes an answer, in turns, counted.
// Authority on the way from a client's text to the devnet and back.
// Must not know sockets or HTTP.
import type { Devnet, DevnetConnection } from '../devnet/devnet-contract.ts'
import type { AccessOptions } from './access-rules.ts'
import { answerText } from './json-rpc.ts'
import type { ServerLimits } from './limits.ts'
import type { ServerMetrics, Transport } from './metrics.ts'
import type { Turns } from './turns.ts'

export interface Gateway {
  readonly devnet: Devnet
  readonly limits: ServerLimits
  readonly access: AccessOptions
  readonly metrics: ServerMetrics
  readonly turns: Turns
  readonly onInternalError: (error: unknown, method: string) => void
}

/** Nothing where the text held notifications only. Never rejects. */
export function answer(
  text: string,
  connection: Pick<DevnetConnection, 'request'>,
  transport: Transport,
  gateway: Gateway,
): Promise<string | undefined> {
  const { limits, turns, metrics, onInternalError } = gateway
  return answerText(text, {
    batchLength: limits.batchLength,
    responseCharacters: limits.responseCharacters,
    onInternalError,
    handle: async (method, params) => {
      const arrival = performance.now()
      await turns.take()
      let code: number | undefined
      try {
        return await connection.request(method, params)
      } catch (error) {
        code = codeOf(error)
        throw error
      } finally {
        metrics.requestDone(transport, method, (performance.now() - arrival) / 1000, code)
      }
    },
  })
}

function codeOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'number' && Number.isInteger(code) ? code : -32603
}
