// The load's four connections, in a thread of their own: what is measured must not wait for signatures, which
// take the other thread most of its time. Authority on what a latency is: from the question to its answer,
// on a connection that sends transactions, too.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'

/** To this thread: a call to make on a connection. */
export interface CallMessage {
  readonly id: number
  readonly connection: number
  readonly method: string
  readonly params: readonly unknown[][]
}

/** From this thread: all of a message's calls were answered, the errors among them. */
export interface DoneMessage {
  readonly id: number
  readonly answers: readonly unknown[]
  readonly errors: readonly string[]
}

/** From this thread, when it is told to `stop`. */
export interface PolledMessage {
  readonly latencies: readonly number[]
  readonly errors: readonly string[]
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

type Call = (method: string, params: readonly unknown[]) => Promise<unknown>

/** ms after which an answer is not waited for any more. */
const LONGEST_MS = 30_000
/** ms between two questions of a connection. */
const POLL_MS = 20
const { port, connections } = workerData as { port: number; connections: number }
const parent = parentPort
if (parent === null) throw new Error('This is a module for a worker thread')
const latencies: number[] = []
const errors: string[] = []
let isOver = false

const calls = await Promise.all(Array.from({ length: connections }, connect))
const polling = calls.map(poll)
parent.on('message', async (message: CallMessage | 'stop') => {
  if (message !== 'stop') {
    const { id, connection, method, params } = message
    const call = calls[connection] as Call
    const found: string[] = []
    const answers = await Promise.all(
      params.map((each) => call(method, each).catch((error) => void found.push(String(error)))),
    )
    parent.postMessage({ id, answers, errors: found } satisfies DoneMessage)
    return
  }
  isOver = true
  await Promise.all(polling)
  parent.postMessage({ latencies, errors } satisfies PolledMessage)
})
parent.postMessage('connected')

async function connect(): Promise<Call> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await once(socket, 'open')
  const answers = new Map<number, (answer: Omit<Answer, 'id'>) => void>()
  socket.on('message', (data) => {
    const { id, ...answer } = JSON.parse(String(data)) as Answer
    answers.get(id)?.(answer)
    answers.delete(id)
  })
  socket.on('error', (error) => errors.push(String(error)))
  let isClosed = false
  const lost = { error: { message: 'the connection was lost' } }
  socket.on('close', () => {
    isClosed = true
    for (const settle of answers.values()) settle(lost)
    answers.clear()
  })
  let last = 0
  return (method, params) => {
    const id = ++last
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const settle = ({ result, error }: Omit<Answer, 'id'>): void =>
      error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`))
    if (isClosed) {
      settle(lost)
      return promise
    }
    // A node that stops answering must not keep the load for ever.
    const clock = setTimeout(() => settle({ error: { message: 'no answer' } }), LONGEST_MS)
    answers.set(id, (answer) => {
      clearTimeout(clock)
      settle(answer)
    })
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return promise
  }
}

async function poll(call: Call): Promise<void> {
  while (!isOver) {
    const start = performance.now()
    await call('eth_blockNumber', []).catch((error) => errors.push(String(error)))
    latencies.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
