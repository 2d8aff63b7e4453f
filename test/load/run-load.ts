// Puts a node under load for a while: node test/load/run-load.ts [seconds] [transactions a block]
// Four WebSocket connections: each sends transfers and polls eth_blockNumber; one has blocks mined as soon
// as enough transfers wait. Ends with 1 after any error, or where p99 of eth_blockNumber is above the bound
// that LOAD_P99_MS gives (default 50; none = it is only told).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { Senders } from '../../plugin/bench/against/senders.ts'
import type { CallMessage, DoneMessage, PolledMessage } from './connections.ts'

const [seconds = 1_800, blockSize = 2_000] = process.argv.slice(2).map(Number)
const bound = process.env.LOAD_P99_MS ?? '50'
const CONNECTIONS = 4
/** ms between two looks at what the node has. */
const WAIT_MS = 20
/** After so many the load ends: they only repeat themselves. */
const MOST_ERRORS = 100
/** Transactions that a connection sends at once. */
const BATCH = 25

const node = spawn(process.execPath, [new URL('serve-node.ts', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
// Told of at the end; a node that dies before then ends the load by what it does not answer.
const closed = once(node, 'close')
const [port] = (await once(createInterface(node.stdout), 'line')) as [string]
const senders = new Senders()
const errors: string[] = []
let [isOver, sent, blocks, lastCall] = [false, 0, 0, 0]
/** Transactions that were signed, and those that the node has, and no block yet. */
let [signed, pooled] = [0, 0]

const thread = new Worker(new URL('connections.ts', import.meta.url), {
  workerData: { port: Number(port), connections: CONNECTIONS },
})
const waiting = new Map<number, (answers: readonly unknown[]) => void>()
await once(thread, 'message')
thread.on('message', (message: DoneMessage | PolledMessage) => {
  errors.push(...message.errors)
  if ('id' in message) waiting.get(message.id)?.(message.answers)
})

setTimeout(() => {
  isOver = true
}, seconds * 1_000)
await Promise.all([
  mineBlocks(),
  ...Array.from({ length: CONNECTIONS }, (_, connection) => sendTransfers(connection)),
])
thread.postMessage('stop')
const [{ latencies }] = (await once(thread, 'message')) as [PolledMessage]
await thread.terminate()
node.stdin.end()
const [code] = (await closed) as [number | null]
report(code, [...latencies])

/** Makes calls on one of the connections, and waits for all of their answers. */
async function call(
  connection: number,
  method: string,
  params: unknown[][],
): Promise<readonly unknown[]> {
  const id = ++lastCall
  const { promise, resolve } = Promise.withResolvers<readonly unknown[]>()
  waiting.set(id, resolve)
  thread.postMessage({ id, connection, method, params } satisfies CallMessage)
  const answers = await promise
  waiting.delete(id)
  return answers
}

async function sendTransfers(connection: number): Promise<void> {
  while (!isOver) {
    if (signed >= blockSize) {
      await pause(WAIT_MS)
      continue
    }
    // Signed and counted before the first pause: each sender's nonces are sent in order.
    signed += BATCH
    const raw = senders.sign('transfer', BATCH)
    await call(
      connection,
      'eth_sendRawTransaction',
      raw.map((each) => [each]),
    )
    sent += BATCH
    pooled += BATCH
    if (errors.length > MOST_ERRORS) isOver = true
  }
}

async function mineBlocks(): Promise<void> {
  while (!isOver) {
    if (pooled < blockSize) {
      await pause(WAIT_MS)
      continue
    }
    const mined = pooled
    await call(0, 'evm_mine', [[]])
    const [count] = await call(0, 'eth_getBlockTransactionCountByNumber', [['latest']])
    // Others may have come meanwhile; none may have been left.
    if (Number(count) < mined) errors.push(`a block has ${Number(count)} of ${mined} transactions`)
    if (errors.length > MOST_ERRORS) isOver = true
    blocks++
    signed -= Number(count)
    pooled -= Number(count)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function report(nodeCode: number | null, latencies: number[]): void {
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)]?.toFixed(1)
  console.log(`${seconds} s: ${blocks} blocks of ${blockSize}, ${sent} transactions sent`)
  console.log(
    `eth_blockNumber: ${latencies.length} answers, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${latencies.at(-1)?.toFixed(1)} ms`,
  )
  console.log(`${errors.length} errors, the node ended with ${nodeCode}`)
  for (const error of errors.slice(0, 10)) console.log(error)
  const isSlow = bound !== 'none' && !(Number(at(0.99)) <= Number(bound))
  process.exitCode = errors.length > 0 || nodeCode !== 0 || isSlow ? 1 : 0
}
