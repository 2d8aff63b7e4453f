// The WebSocket side of a server: messages in, answers and notifications out, per client.
// Authority on backpressure: what is unread on either side is bounded, and who exceeds it is cut off.
// Must not let one client's pace decide anybody else's.
import type { WebSocket, WebSocketServer } from 'ws'

import type { SubscriptionNotification } from '../devnet/devnet-contract.ts'
import { RPC_CODES } from '../devnet/rpc-error.ts'
import { answer, type Gateway } from './gateway.ts'
import { refusal, subscriptionText } from './json-rpc.ts'
import type { RefusalReason } from './metrics.ts'

/**
 * Messages read but not begun. A paused socket still hands over what it has read, 64 KiB at most, and no
 * message takes less than 7 bytes: this many only wait if pausing did not work.
 */
const MAXIMUM_QUEUED = 16_384

/** As RFC 6455 numbers them. */
const GOING_AWAY = 1001

export function serveWebSocket(socket: WebSocket, gateway: Gateway): void {
  const { limits, metrics, devnet } = gateway
  const connection = devnet.connect()
  const queue: (string | undefined)[] = []
  /** Notifications of subscriptions whose ids the client does not know yet. */
  let held: SubscriptionNotification[] = []
  let subscribing = 0
  let running = 0
  let isGone = false
  let missedPongs = 0

  const cutOff = (reason: RefusalReason): void => {
    metrics.refused(reason)
    socket.terminate()
  }

  const send = (text: string): void => {
    if (isGone) return
    // Before and not after: one answer may be longer than what may wait.
    if (socket.bufferedAmount > limits.unreadBytes) cutOff('unread_answers')
    else socket.send(text)
  }

  const work = async (text: string): Promise<void> => {
    // Read from the text, since a batch may hold it as well; a false alarm only delays.
    const mayBeSubscribing = text.includes('eth_subscribe')
    if (mayBeSubscribing) subscribing++
    const reply = await answer(text, connection, 'ws', gateway)
    if (reply !== undefined) send(reply)
    if (mayBeSubscribing && --subscribing === 0) {
      const waiting = held
      held = []
      for (const notification of waiting) send(subscriptionText(notification))
    }
  }

  const workOff = (): void => {
    while (running < limits.inFlight && queue.length > 0 && !isGone) {
      const text = queue.shift()
      if (text === undefined) {
        send(refusal(RPC_CODES.parse, 'Parse error: the message is not UTF-8'))
        continue
      }
      running++
      void work(text).finally(() => {
        running--
        workOff()
      })
    }
    if (running < limits.inFlight && socket.isPaused) socket.resume()
  }

  const stopNotifications = connection.onNotification((notification) => {
    if (subscribing === 0) send(subscriptionText(notification))
    else if (held.length < MAXIMUM_QUEUED) held.push(notification)
    else cutOff('unread_answers')
  })

  const heartbeat = setInterval(() => {
    // A paused socket reads no pongs; it is paused for what the client itself asked for.
    if (socket.isPaused) return
    if (missedPongs >= 2) return cutOff('no_pong')
    missedPongs++
    socket.ping()
  }, limits.pingMs)
  heartbeat.unref()

  metrics.webSocketOpened()
  socket.on('pong', () => {
    missedPongs = 0
  })
  socket.on('message', (data) => {
    if (isGone) return
    if (queue.length >= MAXIMUM_QUEUED) return cutOff('too_many_requests')
    queue.push(decode(data))
    workOff()
    if (queue.length > 0) socket.pause()
  })
  // Too long a message, or no WebSocket frame: ws closes with the code that says so.
  socket.on('error', () => {})
  socket.once('close', () => {
    isGone = true
    queue.length = 0
    clearInterval(heartbeat)
    stopNotifications()
    connection.close()
    metrics.webSocketClosed()
  })
}

/** Says goodbye to all, and does not wait longer than given for them to answer. */
export async function closeWebSockets(server: WebSocketServer, patienceMs: number): Promise<void> {
  const clients = [...server.clients]
  const gone = clients.map(
    (client) => new Promise<void>((resolve) => client.once('close', resolve)),
  )
  for (const client of clients) client.close(GOING_AWAY, 'the node is closing')
  const timer = setTimeout(() => {
    for (const client of clients) client.terminate()
  }, patienceMs)
  await Promise.all(gone)
  clearTimeout(timer)
  server.close()
}

/** Undefined where it is not UTF-8, which only binary messages can be. */
function decode(data: Buffer | ArrayBuffer | Buffer[]): string | undefined {
  try {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : data
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
