// Holds the WebSocket side of a server to its promises: subscriptions, backpressure, and their end.
// The authority on what a client that floods or stalls can do, which is nothing to anybody else.
// Must not depend on how fast a client is: it waits for what happened, not for time.
import { afterEach, describe, expect, it } from 'vitest'

import {
  type DevnetServer,
  type ServeOptions,
  serveDevnet,
} from '../../../plugin/node/serve-devnet.ts'
import { sendHttp } from '../../support/raw-http.ts'
import { createStandInDevnet, type StandInDevnet } from '../../support/stand-in-devnet.ts'
import { openClient, type TestClient } from '../../support/web-socket-client.ts'

let server: DevnetServer | undefined
let port = 0

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function start(devnet: StandInDevnet, limits: ServeOptions['limits'] = {}): Promise<void> {
  server = serveDevnet(devnet, { limits: { shutdownMs: 200, ...limits } })
  port = (await server.listen()).port
}

const request = (method: string, params: unknown[] = [], id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})

async function metric(name: string): Promise<string> {
  const { body } = await sendHttp(port, { method: 'GET', path: '/metrics' })
  return body.split('\n').find((line) => line.startsWith(`parallel_evm_${name}`)) ?? ''
}

/** Looks until it is so: the server hears of the end of a socket some time after its client. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a message', () => {
  it('is answered, be it text or bytes, a request or a batch', async () => {
    await start(createStandInDevnet())
    const client = await openClient(port)
    client.send(request('eth_chainId'))
    client.socket.send(Buffer.from(JSON.stringify([request('test_echo', ['ü'], 2)])))
    client.send('{')
    client.socket.send(Buffer.from([0xff]))
    expect(await client.received(4)).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', id: 1, result: '0x7a69' },
        [{ jsonrpc: '2.0', id: 2, result: ['ü'] }],
        { jsonrpc: '2.0', id: null, error: { code: -32700, message: expect.any(String) } },
        { jsonrpc: '2.0', id: null, error: { code: -32700, message: expect.any(String) } },
      ]),
    )
  })

  it('longer than allowed closes the connection with the code that says so', async () => {
    await start(createStandInDevnet(), { bodyBytes: 100 })
    const client = await openClient(port)
    client.send('x'.repeat(101))
    expect(await client.closed).toBe(1009)
  })

  it('does not wait for the one before, up to as many as may be under way', async () => {
    const release = Promise.withResolvers<string>()
    const devnet = createStandInDevnet({ test_wait: () => release.promise })
    await start(devnet, { inFlight: 3 })
    const client = await openClient(port)
    for (const id of [1, 2]) client.send(request('test_wait', [], id))
    client.send(request('eth_chainId', [], 3))
    expect(await client.received(1)).toMatchObject([{ id: 3 }])
    client.send(request('test_wait', [], 4))
    for (let id = 5; id < 500; id++) client.send(request('eth_chainId', [], id))
    await until(() => devnet.requests.length === 4)
    // Others are served meanwhile.
    const other = await openClient(port)
    other.send(request('eth_chainId'))
    await other.received(1)
    expect(devnet.requests.map(({ method }) => method)).toEqual([
      'test_wait',
      'test_wait',
      'eth_chainId',
      'test_wait',
      'eth_chainId',
    ])
    release.resolve('done')
    expect(await client.received(499)).toHaveLength(499)
  })
})

describe('a subscription', () => {
  it('gets its id before its first notification', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    const client = await openClient(port)
    client.send(request('eth_subscribe', ['newHeads']))
    await client.received(2)
    devnet.mine()
    expect(await client.received(3)).toEqual([
      { jsonrpc: '2.0', id: 1, result: '0x1' },
      {
        jsonrpc: '2.0',
        method: 'eth_subscription',
        params: { subscription: '0x1', result: 'first' },
      },
      {
        jsonrpc: '2.0',
        method: 'eth_subscription',
        params: { subscription: '0x1', result: { number: '0x1' } },
      },
    ])
  })

  it('is heard by its own client only, and ends with it', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    const [first, second] = [await openClient(port), await openClient(port)]
    expect(devnet.open).toBe(3)
    first.send(request('eth_subscribe', ['newHeads']))
    await first.received(2)
    devnet.mine()
    await first.received(3)
    second.send(request('eth_chainId'))
    expect(await second.received(1)).toMatchObject([{ result: '0x7a69' }])
    first.socket.terminate()
    await until(() => devnet.open === 2)
    devnet.mine()
  })
})

describe('a client that does not read', () => {
  const stall = async (): Promise<TestClient> => {
    const client = await openClient(port)
    client.socket.pause()
    return client
  }

  it('is cut off when too much waits for it, while others go on', async () => {
    const devnet = createStandInDevnet()
    await start(devnet, { unreadBytes: 100_000 })
    const [stalled, other] = [await stall(), await openClient(port)]
    const result = 'x'.repeat(50_000)
    // More than any buffers between the two hold.
    for (let count = 0; count < 2_000 && devnet.open === 3; count++) {
      devnet.notify({ subscription: '0x1', result })
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => devnet.open === 2)
    expect(await metric('refused_clients_total{reason="unread_answers"}')).toMatch(/ 1$/)
    other.messages.length = 0
    other.send(request('eth_chainId', [], 'alive'))
    await until(() =>
      other.messages.some((message) => (message as { id?: unknown }).id === 'alive'),
    )
    stalled.socket.terminate()
  })

  it('is cut off when it answers no pings', async () => {
    const devnet = createStandInDevnet()
    await start(devnet, { pingMs: 20 })
    const stalled = await stall()
    await until(() => devnet.open === 1)
    expect(await metric('refused_clients_total{reason="no_pong"}')).toMatch(/ 1$/)
    stalled.socket.terminate()
  })

  it('is not the one that answers pings and says nothing', async () => {
    const devnet = createStandInDevnet()
    await start(devnet, { pingMs: 20 })
    const quiet = await openClient(port)
    let pings = 0
    quiet.socket.on('ping', () => pings++)
    await until(() => pings >= 5)
    expect(devnet.open).toBe(2)
  })
})

describe('a client that floods', () => {
  it('does not keep timers, blocks and other clients from their turn', async () => {
    const devnet = createStandInDevnet({
      // As long as a cheap request of a real chain takes.
      test_busy: () => {
        const end = performance.now() + 0.2
        while (performance.now() < end);
        return true
      },
    })
    await start(devnet)
    const [flooding, other] = [await openClient(port), await openClient(port)]
    const count = 5_000
    for (let id = 0; id < count; id++) flooding.send(request('test_busy', [], id))
    await flooding.received(1)
    let timers = 0
    const timer = setInterval(() => timers++, 1)
    other.send(request('eth_chainId'))
    await other.received(1)
    const before = flooding.messages.length
    await until(() => timers > 20)
    clearInterval(timer)
    expect(before).toBeLessThan(count)
    expect(flooding.messages.length).toBeLessThan(count)
    flooding.socket.terminate()
  })
})

describe('an upgrade', () => {
  it('from web pages and under foreign names is refused', async () => {
    await start(createStandInDevnet())
    await expect(openClient(port, { origin: 'https://evil.example' })).rejects.toThrow('403')
    await expect(openClient(port, { headers: { host: 'evil.example' } })).rejects.toThrow('403')
  })
})

describe('closing', () => {
  it('says goodbye to clients, and leaves those who do not answer', async () => {
    const devnet = createStandInDevnet()
    await start(devnet)
    const [polite, stalled] = [await openClient(port), await openClient(port)]
    stalled.socket.pause()
    await server?.close()
    expect(await polite.closed).toBe(1001)
    expect(devnet.open).toBe(0)
    stalled.socket.terminate()
  })
})
