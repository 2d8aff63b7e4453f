// Holds the HTTP side of a server to its promises, over real sockets.
// The authority on status codes, headers and limits as clients see them.
// Must not need a chain: a stand-in answers.
import { connect as connectSocket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

import { RpcError } from '../../../plugin/devnet/rpc-error.ts'
import {
  type DevnetServer,
  type ServeOptions,
  serveDevnet,
} from '../../../plugin/node/serve-devnet.ts'
import { type RawAnswer, sendHttp } from '../../support/raw-http.ts'
import { createStandInDevnet, type StandInDevnet } from '../../support/stand-in-devnet.ts'

let server: DevnetServer | undefined
let port = 0

afterEach(async () => {
  await server?.close()
  server = undefined
})

/** A devnet whose `test_wait` tells that it has begun, and ends when it is released. */
function waitingDevnet() {
  const release = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  const devnet = createStandInDevnet({
    test_wait: () => {
      begun.resolve()
      return release.promise
    },
  })
  return { devnet, begun, release }
}

async function start(devnet: StandInDevnet, options: ServeOptions = {}): Promise<void> {
  server = serveDevnet(devnet, options)
  port = (await server.listen()).port
}

const request = (method: string, params: unknown = [], id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })

const post = (body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  sendHttp(port, { body, headers })

describe('a POST request', () => {
  it('is answered with JSON, whatever its path and type', async () => {
    await start(createStandInDevnet())
    const body = request('test_echo', ['a', { b: 1 }])
    const types = ['application/json', 'text/plain', undefined]
    for (const headers of types.map((type) => (type ? { 'content-type': type } : undefined))) {
      const answer = await sendHttp(port, { path: '/any', body, ...(headers && { headers }) })
      expect(answer.status).toBe(200)
      expect(answer.headers['content-type']).toBe('application/json')
      expect(JSON.parse(answer.body)).toEqual({ jsonrpc: '2.0', id: 1, result: ['a', { b: 1 }] })
    }
  })

  it('of notifications only has an empty answer', async () => {
    await start(createStandInDevnet())
    const answer = await post('{"jsonrpc":"2.0","method":"test_echo"}')
    expect([answer.status, answer.body]).toEqual([204, ''])
  })

  it('with a batch is answered with one', async () => {
    await start(createStandInDevnet())
    const answer = await post(`[${request('eth_chainId', [], 1)},${request('test_no', [], 2)}]`)
    expect(JSON.parse(answer.body)).toEqual([
      { jsonrpc: '2.0', id: 1, result: '0x7a69' },
      {
        jsonrpc: '2.0',
        id: 2,
        error: { code: -32004, message: 'Method test_no is not supported' },
      },
    ])
  })

  it('that is no UTF-8 or no JSON is a parse error', async () => {
    await start(createStandInDevnet())
    for (const body of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from('{')]) {
      expect(JSON.parse((await post(body)).body)).toMatchObject({
        id: null,
        error: { code: -32700 },
      })
    }
  })

  it('that is compressed is refused', async () => {
    await start(createStandInDevnet())
    expect((await post('x', { 'content-encoding': 'gzip' })).status).toBe(415)
  })

  it('cannot subscribe, and is told where it could', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    const answer = await post(request('eth_subscribe', ['newHeads']))
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: -32004, message: expect.stringContaining('WebSocket') },
    })
    expect(devnet.requests).toEqual([])
  })

  it('shares its connection with all others, so that filters outlive sockets', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    await post(request('eth_chainId'))
    await post(request('eth_chainId'))
    expect(devnet.open).toBe(1)
  })

  it('is answered where the devnet breaks, and the break is announced', async () => {
    const announced: unknown[] = []
    const devnet = createStandInDevnet({
      test_break: () => {
        throw new Error('broken')
      },
    })
    await start(devnet, { onInternalError: (error, method) => announced.push([error, method]) })
    expect(JSON.parse((await post(request('test_break'))).body)).toMatchObject({
      error: { code: -32603 },
    })
    expect(announced).toEqual([[expect.objectContaining({ message: 'broken' }), 'test_break']])
  })
})

describe('a body', () => {
  it('of exactly the allowed length is read, and one byte more is refused', async () => {
    const body = request('eth_chainId')
    await start(createStandInDevnet(), { limits: { bodyBytes: body.length } })
    expect((await post(body)).status).toBe(200)
    const refused = await post(`${body} `)
    expect(refused.status).toBe(413)
    expect(JSON.parse(refused.body)).toMatchObject({
      id: null,
      error: { code: -32600, message: expect.stringContaining(`${body.length} bytes`) },
    })
  })

  it('without a length is refused when it gets too long', async () => {
    await start(createStandInDevnet(), { limits: { bodyBytes: 100 } })
    const answer = await post('x'.repeat(101), { 'transfer-encoding': 'chunked' })
    expect(answer.status).toBe(413)
  })

  it('is refused while others take all there is for bodies', async () => {
    const { devnet, begun, release } = waitingDevnet()
    const first = request('test_wait')
    await start(devnet, { limits: { allBodiesBytes: first.length + 10 } })
    const waiting = post(first)
    await begun.promise
    expect((await post(request('eth_chainId'))).status).toBe(503)
    release.resolve('done')
    expect((await waiting).status).toBe(200)
    expect((await post(request('eth_chainId'))).status).toBe(200)
  })

  it('that never ends is given up after the time for requests', async () => {
    await start(createStandInDevnet(), { limits: { requestMs: 50 } })
    const socket = connectSocket(port, '127.0.0.1').resume()
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1')
    await closed
  })
})

describe('a batch', () => {
  it('longer than allowed is refused', async () => {
    await start(createStandInDevnet(), { limits: { batchLength: 2 } })
    const three = `[${[1, 2, 3].map((id) => request('eth_chainId', [], id)).join()}]`
    expect(JSON.parse((await post(three)).body)).toMatchObject({ error: { code: -32600 } })
  })
})

describe('web pages and foreign names', () => {
  it('are let in by no CORS header and by no Host that could be made to lead here', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    const body = request('eth_accounts')
    expect((await post(body, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(body, { origin: 'null' })).status).toBe(403)
    expect((await post(body, { host: 'evil.example' })).status).toBe(403)
    expect((await post(body, { host: `evil.example:${port}` })).status).toBe(403)
    const metrics = await sendHttp(port, {
      method: 'GET',
      path: '/metrics',
      headers: { host: 'a.b' },
    })
    expect(metrics.status).toBe(403)
    expect(devnet.requests).toEqual([])
    const allowed = await post(body)
    expect(
      Object.keys(allowed.headers).filter((name) => name.startsWith('access-control')),
    ).toEqual([])
  })

  it('are let in by their option only', async () => {
    await start(createStandInDevnet(), {
      allowedOrigins: ['http://localhost:3000'],
      allowedHosts: ['Node.Internal'],
    })
    const origin = 'http://localhost:3000'
    const answer = await post(request('eth_chainId'), { origin, host: 'node.internal:8545' })
    expect(answer.status).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
    expect(answer.headers.vary).toBe('Origin')
    const preflight = await sendHttp(port, { method: 'OPTIONS', headers: { origin } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-headers']).toBe('Content-Type')
    expect((await post(request('eth_chainId'), { origin: 'http://localhost:3001' })).status).toBe(
      403,
    )
  })

  it('leaves wallets alone, which are extensions', async () => {
    await start(createStandInDevnet())
    const answer = await post(request('eth_chainId'), { origin: 'chrome-extension://abcdef' })
    expect(answer.status).toBe(200)
  })
})

describe('other requests', () => {
  it('of other methods and paths are told what the server takes', async () => {
    await start(createStandInDevnet())
    expect((await sendHttp(port, { method: 'GET' })).status).toBe(405)
    expect((await sendHttp(port, { method: 'GET', path: '/what' })).status).toBe(404)
    expect((await sendHttp(port, { method: 'PUT' })).headers.allow).toContain('POST')
  })

  it('for /health tell the chain and its block', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    devnet.mine()
    devnet.pooled = 3
    const answer = await sendHttp(port, { method: 'GET', path: '/health' })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      status: 'ok',
      chainId: 31337,
      blockNumber: 1,
      pooled: 3,
    })
  })

  it('for /health fail where the devnet does', async () => {
    const devnet = createStandInDevnet({
      eth_blockNumber: () => {
        throw new RpcError(-32603, 'no chain')
      },
    })
    await start(devnet)
    const answer = await sendHttp(port, { method: 'GET', path: '/health?verbose' })
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'failing', reason: 'no chain' })
  })

  it('for /metrics count blocks, requests and refusals', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    devnet.mine({ transactions: 5, gasUsed: 105_000n, reExecutions: 2 })
    devnet.mine({ transactions: 1, gasUsed: 21_000n })
    devnet.pooled = 7
    await post(request('eth_chainId'))
    await post(request('made-up-by-a-client'))
    await post(request('eth_chainId'), { host: 'evil.example' })
    const { body, headers } = await sendHttp(port, { method: 'GET', path: '/metrics' })
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toContain('parallel_evm_blocks_total 2')
    expect(body).toContain('parallel_evm_transactions_total 6')
    expect(body).toContain('parallel_evm_gas_used_total 126000')
    expect(body).toContain('parallel_evm_re_executions_total 2')
    expect(body).toContain('parallel_evm_block_number 2')
    expect(body).toContain('parallel_evm_pooled_transactions 7')
    expect(body).toContain(
      'parallel_evm_rpc_requests_total{transport="http",method="eth_chainId",code="0"} 1',
    )
    expect(body).toContain(
      'parallel_evm_rpc_requests_total{transport="http",method="unknown",code="-32004"} 1',
    )
    expect(body).not.toContain('made-up')
    expect(body).toContain('parallel_evm_refused_clients_total{reason="host_or_origin"} 1')
  })
})

describe('a socket', () => {
  it('that sends far ahead of its answers is cut off', async () => {
    const devnet = createStandInDevnet({ test_wait: () => new Promise(() => {}) })
    await start(devnet, { limits: { shutdownMs: 50 } })
    const socket = connectSocket(port, '127.0.0.1')
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const body = request('test_wait')
    const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`
    socket.write(`${head}${body}`.repeat(20))
    await closed
    expect(devnet.requests.length).toBeLessThanOrEqual(8)
  })

  it('beyond the allowed number is closed', async () => {
    await start(createStandInDevnet(), { limits: { connections: 1 } })
    const first = connectSocket(port, '127.0.0.1')
    await new Promise<void>((resolve) => first.once('connect', resolve))
    const second = connectSocket(port, '127.0.0.1')
    second.on('error', () => {})
    await new Promise((resolve) => second.once('close', resolve))
    expect(first.destroyed).toBe(false)
    first.destroy()
  })
})

describe('closing', () => {
  it('lets requests under way end, and takes no new ones', async () => {
    const { devnet, begun, release } = waitingDevnet()
    await start(devnet)
    const waiting = post(request('test_wait'))
    await begun.promise
    const closing = server?.close()
    await expect(post(request('eth_chainId'))).rejects.toThrow('ECONNREFUSED')
    release.resolve('done')
    expect(JSON.parse((await waiting).body)).toMatchObject({ result: 'done' })
    await closing
    await server?.afterClosed()
    expect(devnet.open).toBe(0)
    expect(devnet.isClosed).toBe(false)
  })

  it('waits no longer than it may for requests that do not end', async () => {
    const begun = Promise.withResolvers<void>()
    const devnet = createStandInDevnet({
      test_wait: () => {
        begun.resolve()
        return new Promise(() => {})
      },
    })
    await start(devnet, { limits: { shutdownMs: 50 } })
    const waiting = post(request('test_wait'))
    waiting.catch(() => {})
    await begun.promise
    await server?.close()
    await expect(waiting).rejects.toThrow()
  })

  it('ends connections that are kept alive', async () => {
    await start(createStandInDevnet())
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: request('eth_chainId'),
    })
    await answer.text()
    await server?.close()
  })

  it('can be asked for twice, and before anything listens', async () => {
    const idle = serveDevnet(createStandInDevnet())
    await Promise.all([idle.close(), idle.close()])
    await idle.afterClosed()
  })
})

describe('listening', () => {
  it('is on the loopback address by default', async () => {
    server = serveDevnet(createStandInDevnet())
    expect((await server.listen()).address).toBe('127.0.0.1')
  })

  it('on a port that is taken rejects with the reason', async () => {
    await start(createStandInDevnet())
    const second = serveDevnet(createStandInDevnet(), { port })
    await expect(second.listen()).rejects.toThrow('EADDRINUSE')
  })
})
