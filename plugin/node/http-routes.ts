// The HTTP side of a server: JSON-RPC by POST, /health and /metrics by GET.
// Authority on status codes, headers, and on how much of a body is read.
// Must not keep what a client sent or has yet to read without a bound in size and time.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { DevnetConnection } from '../devnet/devnet-contract.ts'
import { RPC_CODES, RpcError } from '../devnet/rpc-error.ts'
import { decideAccess } from './access-rules.ts'
import { answer, type Gateway } from './gateway.ts'
import { readHealth } from './health.ts'
import { refusal } from './json-rpc.ts'

/** Requests that one socket may have under way; no ordinary client sends ahead of the answer. */
const MAXIMUM_PIPELINED = 8
const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'

export interface HttpRoutes {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Requests under way. */
  readonly active: () => number
  close(): void
}

/** All clients share one connection to the devnet: a filter outlives the socket it came over. */
export function createHttpRoutes(gateway: Gateway, isClosing: () => boolean): HttpRoutes {
  const connection = withoutSubscriptions(gateway.devnet.connect())
  const perSocket = new WeakMap<Socket, number>()
  const bodies = { bytes: 0 }
  let active = 0

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request
    const pipelined = (perSocket.get(socket) ?? 0) + 1
    if (pipelined > MAXIMUM_PIPELINED) {
      gateway.metrics.refused('too_many_requests')
      socket.destroy()
      return
    }
    perSocket.set(socket, pipelined)
    active++
    response.once('close', () => {
      active--
      perSocket.set(socket, (perSocket.get(socket) ?? 1) - 1)
    })
    if (isClosing()) response.setHeader('Connection', 'close')
    route(request, response).catch((error: unknown) => {
      gateway.onInternalError(error, `${request.method} ${request.url}`)
      socket.destroy()
    })
  }

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const access = decideAccess(request.headers, gateway.access)
    if (!access.isAllowed) {
      gateway.metrics.refused('host_or_origin')
      return send(response, 403, TEXT_TYPE, `Forbidden: ${access.reason}\n`)
    }
    if (access.corsOrigin !== undefined) {
      response.setHeader('Access-Control-Allow-Origin', access.corsOrigin)
      response.setHeader('Vary', 'Origin')
    }
    switch (request.method) {
      case 'POST':
        return handlePost(request, response)
      case 'GET':
      case 'HEAD':
        return handleGet(request, response)
      case 'OPTIONS':
        response.setHeader('Access-Control-Allow-Methods', 'POST, GET')
        response.setHeader('Access-Control-Allow-Headers', 'Content-Type')
        response.setHeader('Access-Control-Max-Age', '600')
        return send(response, 204, undefined, undefined)
      default:
        response.setHeader('Allow', 'POST, GET, HEAD, OPTIONS')
        return send(response, 405, TEXT_TYPE, 'JSON-RPC takes POST requests\n')
    }
  }

  const handleGet = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?', 1)[0]
    if (path === '/health') {
      const { isHealthy, report } = await readHealth(gateway.devnet, connection, isClosing())
      return send(response, isHealthy ? 200 : 503, JSON_TYPE, JSON.stringify(report))
    }
    if (path === '/metrics') {
      const { metrics } = gateway
      return send(response, 200, metrics.contentType, await metrics.text())
    }
    response.setHeader('Allow', 'POST')
    const text = 'This is a JSON-RPC node: send POST requests, or open a WebSocket\n'
    return send(response, path === '/' ? 405 : 404, TEXT_TYPE, text)
  }

  const handlePost = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') {
      return refuse(response, 415, `Content-Encoding ${encoding} is not supported`)
    }
    const taken = { bytes: 0 }
    try {
      const body = await readBody(request, gateway, bodies, taken)
      if (body === 'gone') return
      if (typeof body === 'string') {
        const text = await answer(body, connection, 'http', gateway)
        // What the client sent can go while it reads.
        return send(response, text === undefined ? 204 : 200, JSON_TYPE, text)
      }
      if (body.status !== 400) gateway.metrics.refused('too_large')
      return refuse(response, body.status, body.message, body.code)
    } finally {
      bodies.bytes -= taken.bytes
    }
  }

  const send = (
    response: ServerResponse,
    status: number,
    type: string | undefined,
    body: string | undefined,
  ): void => {
    if (response.destroyed) return
    response.statusCode = status
    if (body !== undefined && type !== undefined) {
      response.setHeader('Content-Type', type)
      response.setHeader('Content-Length', Buffer.byteLength(body))
      // Nobody is to take an answer for a page.
      response.setHeader('X-Content-Type-Options', 'nosniff')
    }
    const timer = setTimeout(() => {
      gateway.metrics.refused('unread_answers')
      response.destroy()
    }, gateway.limits.responseMs)
    timer.unref()
    response.once('close', () => clearTimeout(timer))
    response.end(body)
  }

  /** What is left of the body is not read: that is what a refusal is for. */
  const refuse = (
    response: ServerResponse,
    status: number,
    message: string,
    code: number = RPC_CODES.invalidRequest,
  ): void => {
    response.setHeader('Connection', 'close')
    send(response, status, JSON_TYPE, refusal(code, message))
  }

  return { handle, active: () => active, close: () => connection.close() }
}

interface RefusedBody {
  readonly status: number
  readonly code: number
  readonly message: string
}

/** `gone` where the client left in the middle. */
async function readBody(
  request: IncomingMessage,
  { limits }: Gateway,
  bodies: { bytes: number },
  taken: { bytes: number },
): Promise<string | RefusedBody | 'gone'> {
  const tooLarge: RefusedBody = {
    status: 413,
    code: RPC_CODES.invalidRequest,
    message: `Invalid request: a body of more than ${limits.bodyBytes} bytes`,
  }
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) return tooLarge
  const chunks: Buffer[] = []
  try {
    // Leaving the loop early must not destroy the socket: the refusal goes over it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      taken.bytes += chunk.length
      bodies.bytes += chunk.length
      if (taken.bytes > limits.bodyBytes) return tooLarge
      if (bodies.bytes > limits.allBodiesBytes) {
        const message = 'Limit exceeded: too many requests are being worked on, try again later'
        return { status: 503, code: RPC_CODES.limitExceeded, message }
      }
      chunks.push(chunk)
    }
  } catch {
    return 'gone'
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    const message = 'Parse error: the body is not UTF-8'
    return { status: 400, code: RPC_CODES.parse, message }
  }
}

/** Nobody would hear of what is subscribed to over HTTP. */
function withoutSubscriptions(
  connection: DevnetConnection,
): Pick<DevnetConnection, 'request' | 'close'> {
  return {
    request: async (method, params) => {
      if (method === 'eth_subscribe' || method === 'eth_unsubscribe') {
        throw new RpcError(
          RPC_CODES.notSupported,
          `Method ${method} is not supported over HTTP: open a WebSocket to the same address`,
        )
      }
      return connection.request(method, params)
    },
    close: () => connection.close(),
  }
}
