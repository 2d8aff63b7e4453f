// A WebSocket client for tests: every message is kept, and each can be waited for.
// The authority on nothing.
// Must not answer or close anything by itself.
import { type ClientOptions, WebSocket } from 'ws'

export interface TestClient {
  readonly socket: WebSocket
  readonly messages: unknown[]
  send(message: unknown): void
  /** Resolves with the messages when there are so many. */
  received(count: number): Promise<unknown[]>
  /** Resolves with the code it was closed with. */
  readonly closed: Promise<number>
}

export async function openClient(port: number, options: ClientOptions = {}): Promise<TestClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, options)
  const messages: unknown[] = []
  const waiting = new Set<() => void>()
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)))
    for (const look of waiting) look()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return {
    socket,
    messages,
    closed,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    received: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (messages.length < count) return
          waiting.delete(look)
          resolve(messages)
        }
        waiting.add(look)
        look()
      }),
  }
}
