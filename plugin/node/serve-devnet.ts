// A server for a devnet: HTTP and WebSocket on one port, from listening to a graceful end.
// Authority on the life of the sockets; it does not own the devnet and never closes it.
// Must not be reachable from other machines unless it is told a hostname that is.
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'

import type { Devnet } from '../devnet/devnet-contract.ts'
import { decideAccess } from './access-rules.ts'
import type { Gateway } from './gateway.ts'
import { createHttpRoutes } from './http-routes.ts'
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts'
import { createMetrics } from './metrics.ts'
import { Turns } from './turns.ts'
import { closeWebSockets, serveWebSocket } from './web-socket-clients.ts'

export interface ServeOptions {
  /** Default `127.0.0.1`. */
  readonly hostname?: string | undefined
  /** Default 0: one that is free. */
  readonly port?: number | undefined
  /** Names in the Host header beside localhost and addresses. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined
  /** Origins of web pages that may use the node. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined
  readonly limits?: Partial<ServerLimits> | undefined
  /** Whether /metrics also tells of the process. Default false. */
  readonly processMetrics?: boolean | undefined
  /** Hears of errors that no client is to blame for. */
  readonly onInternalError?: ((error: unknown, method: string) => void) | undefined
}

export interface DevnetServer {
  /** @throws the error of the system call, such as EADDRINUSE */
  listen(): Promise<{ address: string; port: number }>
  /** Takes no more requests, lets those under way end, and closes all connections. */
  close(): Promise<void>
  afterClosed(): Promise<void>
}

/** Nothing listens until `listen` is called. */
export function serveDevnet(devnet: Devnet, options: ServeOptions = {}): DevnetServer {
  const hostname = options.hostname ?? '127.0.0.1'
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits }
  const gateway: Gateway = {
    devnet,
    limits,
    access: {
      hostname,
      allowedHosts: options.allowedHosts ?? [],
      allowedOrigins: options.allowedOrigins ?? [],
    },
    metrics: createMetrics(devnet, options.processMetrics ?? false),
    turns: new Turns(),
    onInternalError: options.onInternalError ?? (() => {}),
  }
  let closing: Promise<void> | undefined
  const routes = createHttpRoutes(gateway, () => closing !== undefined)
  const http = createHttpServer(
    {
      headersTimeout: Math.min(15_000, limits.requestMs),
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(5_000, limits.requestMs),
    },
    routes.handle,
  )
  http.maxConnections = limits.connections
  http.keepAliveTimeout = 60_000
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: limits.bodyBytes })
  const closed = Promise.withResolvers<void>()

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {})
    const access = decideAccess(request.headers, gateway.access)
    if (!access.isAllowed || closing !== undefined) {
      if (!access.isAllowed) gateway.metrics.refused('host_or_origin')
      const text = access.isAllowed ? 'the node is closing' : access.reason
      socket.end(plainAnswer(access.isAllowed ? '503 Service Unavailable' : '403 Forbidden', text))
      return
    }
    webSockets.handleUpgrade(request, socket, head, (client) => serveWebSocket(client, gateway))
  })

  const end = async (): Promise<void> => {
    const isListening = http.listening
    const ended = new Promise<void>((resolve) => http.close(() => resolve()))
    http.closeIdleConnections()
    const deadline = setTimeout(() => http.closeAllConnections(), limits.shutdownMs)
    await closeWebSockets(webSockets, limits.shutdownMs)
    if (isListening) await ended
    clearTimeout(deadline)
    routes.close()
    gateway.metrics.close()
    closed.resolve()
  }

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        http.once('error', reject)
        http.listen(options.port ?? 0, hostname, () => {
          http.off('error', reject)
          // Such as running out of file descriptors: the server goes on with those it has.
          http.on('error', (error) => gateway.onInternalError(error, 'listen'))
          const { address, port } = http.address() as AddressInfo
          resolve({ address, port })
        })
      }),
    close: () => {
      closing ??= end()
      return closing
    },
    afterClosed: () => closed.promise,
  }
}

function plainAnswer(status: string, text: string): string {
  const body = `${text}\n`
  const length = Buffer.byteLength(body)
  return (
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${length}\r\n\r\n${body}`
  )
}
