// What a server tells Prometheus: blocks, requests, connections, the pool.
// Authority on the names and labels of metrics; labels only take values from fixed sets.
// Must not use prom-client's global registry: there can be several servers in a process.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

import type { Devnet, MinedBlock } from '../devnet/devnet-contract.ts'
import { RPC_CODES } from '../devnet/rpc-error.ts'

export type Transport = 'http' | 'ws'

/** Why a client was turned away or cut off. */
export type RefusalReason =
  | 'host_or_origin'
  | 'too_large'
  | 'too_many_requests'
  | 'unread_answers'
  | 'no_pong'

export interface ServerMetrics {
  readonly contentType: string
  text(): Promise<string>
  requestDone(transport: Transport, method: string, seconds: number, code: number | undefined): void
  refused(reason: RefusalReason): void
  webSocketOpened(): void
  webSocketClosed(): void
  close(): void
}

const PREFIX = 'parallel_evm_'
/** More names than any devnet has methods: whatever comes after them is not a method. */
const MAXIMUM_METHODS = 200

/** @param withProcess - adds memory, CPU and event loop figures of the process */
export function createMetrics(devnet: Devnet, withProcess: boolean): ServerMetrics {
  const registry = new Registry()
  const registers = [registry]
  if (withProcess) collectDefaultMetrics({ register: registry })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers })

  const blocks = counter('blocks_total', 'Blocks mined')
  const transactions = counter('transactions_total', 'Transactions mined')
  const gas = counter('gas_used_total', 'Gas used by mined transactions')
  const reExecutions = counter(
    're_executions_total',
    'Executions beyond the first of each transaction',
  )
  const buildSeconds = new Histogram({
    name: `${PREFIX}block_build_seconds`,
    help: 'Time to build a block',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const head = new Gauge({
    name: `${PREFIX}block_number`,
    help: 'Number of the last block',
    registers,
  })
  new Gauge({
    name: `${PREFIX}pooled_transactions`,
    help: 'Transactions waiting to be mined',
    registers,
    collect() {
      this.set(devnet.pooled)
    },
  })
  const requests = counter('rpc_requests_total', 'Requests by transport, method and error code', [
    'transport',
    'method',
    'code',
  ])
  const requestSeconds = new Histogram({
    name: `${PREFIX}rpc_request_seconds`,
    help: 'Time to answer a request',
    labelNames: ['transport'],
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  })
  const refusals = counter('refused_clients_total', 'Clients refused or cut off, by reason', [
    'reason',
  ])
  const webSockets = new Gauge({
    name: `${PREFIX}websocket_connections`,
    help: 'Open WebSocket connections',
    registers,
  })

  const onBlock = (block: MinedBlock): void => {
    blocks.inc()
    transactions.inc(block.transactions)
    gas.inc(Number(block.gasUsed))
    reExecutions.inc(block.reExecutions)
    buildSeconds.observe(block.buildMs / 1000)
    head.set(Number(block.number))
  }
  const stop = devnet.on('block', onBlock)
  const methods = new Set<string>()

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    requestDone: (transport, method, seconds, code) => {
      requests.inc({ transport, method: methodLabel(method, code, methods), code: code ?? 0 })
      requestSeconds.observe({ transport }, seconds)
    },
    refused: (reason) => refusals.inc({ reason }),
    webSocketOpened: () => webSockets.inc(),
    webSocketClosed: () => webSockets.dec(),
    close: () => {
      stop()
      registry.clear()
    },
  }
}

/** Clients choose names of methods, and every label value takes memory for good. */
function methodLabel(method: string, code: number | undefined, methods: Set<string>): string {
  if (methods.has(method)) return method
  const isUnknown = code === RPC_CODES.methodNotFound || code === RPC_CODES.notSupported
  if (isUnknown || methods.size >= MAXIMUM_METHODS) return 'unknown'
  methods.add(method)
  return method
}
