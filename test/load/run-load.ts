// Puts a node under load for a while: node test/load/run-load.ts [seconds] [transactions a block]
// Four WebSocket connections: each sends transfers and polls eth_blockNumber; one has blocks mined as soon
// as enough transfers wait. Ends with 1 after any error, or where p99 of eth_blockNumber is above the bound
// that LOAD_P99_MS gives (default 50; none = it is only told).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import { Senders } from '../../plugin/bench/against/senders.ts'

const [seconds = 1_800, blockSize = 2_000] = process.argv.slice(2).map(Number)
const bound = process.env.LOAD_P99_MS ?? '50'
const CONNECTIONS = 4
/** ms between two questions of a connection. */
const POLL_MS = 20
/** Transactions that a connection sends at once. */
const BATCH = 25

type Call = (method: string, params: readonly unknown[]) => Promise<unknown>

const node = spawn(process.execPath, [new URL('serve-node.ts', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const [port] = (await once(createInterface(node.stdout), 'line')) as [string]
const senders = new Senders()
const latencies: number[] = []
const errors: string[] = []
let [isOver, sent, blocks] = [false, 0, 0]
/** Transactions that were signed, and those that the node has, and no block yet. */
let [signed, pooled] = [0, 0]

const calls = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(Number(port))))
const polling = calls.map(poll)
const sending = calls.map(sendTransfers)
setTimeout(() => {
  isOver = true
}, seconds * 1_000)
await Promise.all([mineBlocks(calls[0] as Call), ...polling, ...sending])
node.stdin.end()
const [code] = (await once(node, 'close')) as [number | null]
report(code)

async function connect(of: number): Promise<Call> {
  const socket = new WebSocket(`ws://127.0.0.1:${of}/`)
  await once(socket, 'open')
  const answers = new Map<number, (answer: Answer) => void>()
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as Answer
    answers.get(answer.id)?.(answer)
    answers.delete(answer.id)
  })
  socket.on('error', (error) => errors.push(String(error)))
  let last = 0
  return (method, params) => {
    const id = ++last
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    answers.set(id, ({ result, error }) =>
      error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
    )
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return promise
  }
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

async function poll(call: Call): Promise<void> {
  while (!isOver) {
    const start = performance.now()
    await call('eth_blockNumber', []).catch(note)
    latencies.push(performance.now() - start)
    await pause(POLL_MS)
  }
}

async function sendTransfers(call: Call): Promise<void> {
  while (!isOver) {
    if (signed >= blockSize) {
      await pause(POLL_MS)
      continue
    }
    // Signed and counted before the first pause: each sender's nonces are sent in order.
    signed += BATCH
    const raw = senders.sign('transfer', BATCH)
    await Promise.all(raw.map((each) => call('eth_sendRawTransaction', [each]).catch(note)))
    sent += BATCH
    pooled += BATCH
  }
}

async function mineBlocks(call: Call): Promise<void> {
  while (!isOver) {
    if (pooled < blockSize) {
      await pause(POLL_MS)
      continue
    }
    const mined = pooled
    await call('evm_mine', []).catch(note)
    blocks++
    signed -= mined
    pooled -= mined
  }
}

function note(error: unknown): void {
  errors.push(error instanceof Error ? error.message : String(error))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function report(nodeCode: number | null): void {
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)]?.toFixed(1)
  console.log(`${seconds} s: ${blocks} blocks of ${blockSize}, ${sent} transactions sent`)
  console.log(
    `eth_blockNumber: ${latencies.length} answers, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${latencies.at(-1)?.toFixed(1)} ms`,
  )
  console.log(`${errors.length} errors, the node ended with ${nodeCode}`)
  for (const error of errors.slice(0, 10)) console.log(error)
  const isSlow = bound !== 'none' && Number(at(0.99)) > Number(bound)
  process.exitCode = errors.length > 0 || nodeCode !== 0 || isSlow ? 1 : 0
}
