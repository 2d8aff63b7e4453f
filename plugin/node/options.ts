// What a user may ask of parallel-node: parses and checks the task's arguments before any work.
// The authority on allowed values and the messages for everything else.
// Must not load the devnet: a typing error should be answered at once.
import { resolve } from 'node:path'

import type { DevnetOptions } from '../devnet/devnet-contract.ts'
import { MAXIMUM_WORKERS } from '../network/config-values.ts'
import { pluginError } from '../plugin-error.ts'

/** The task's arguments as Hardhat hands them over; -1 where none is given. */
export interface NodeArguments {
  readonly port: number
  readonly hostname: string
  readonly chainId: number
  readonly blockTime: number
  readonly noMining: boolean
  readonly order: string | undefined
  readonly workers: number
  readonly accounts: number
  readonly dataDir: string | undefined
  readonly cors: string | undefined
  readonly allowedHosts: string | undefined
  readonly maxConnections: number
  readonly quiet: boolean
}

export interface NodeOptions {
  readonly port: number
  readonly hostname: string
  readonly allowedOrigins: readonly string[]
  readonly allowedHosts: readonly string[]
  readonly maxConnections: number
  readonly isQuiet: boolean
  /** What the arguments say otherwise than the network's config. */
  readonly change: (options: DevnetOptions) => DevnetOptions
}

/** Beyond a day, or so many accounts, a typing error is likelier than an intention. */
const LIMITS = { blockTime: 86_400_000, accounts: 10_000, connections: 10_000 } as const
const MAXIMUM_PORT = 65_535
const ORDERS = ['priority', 'fifo'] as const

export function parseNodeOptions(given: NodeArguments): NodeOptions {
  if (given.hostname === '') throw pluginError('--hostname must be a name or an address')
  if (given.noMining && given.blockTime > 0) {
    throw pluginError('--no-mining and --block-time contradict each other: give one of them')
  }
  return {
    port: checkInteger('--port', given.port, 0, MAXIMUM_PORT),
    hostname: given.hostname,
    allowedOrigins: parseOrigins(given.cors),
    allowedHosts: splitList(given.allowedHosts),
    maxConnections: checkInteger('--max-connections', given.maxConnections, 1, LIMITS.connections),
    isQuiet: given.quiet,
    change: changeOf(given),
  }
}

function changeOf(given: NodeArguments): (options: DevnetOptions) => DevnetOptions {
  const chainId = optionalInteger('--chain-id', given.chainId, 1, Number.MAX_SAFE_INTEGER)
  const blockTime = optionalInteger('--block-time', given.blockTime, 0, LIMITS.blockTime)
  const workers = optionalInteger('--workers', given.workers, 1, MAXIMUM_WORKERS)
  const count = optionalInteger('--accounts', given.accounts, 0, LIMITS.accounts)
  const order = parseOrder(given.order)
  const { dataDir } = given
  if (dataDir === '') throw pluginError("--data-dir must be a directory's path")

  return (options) => {
    if (count !== undefined && options.accounts?.privateKeys !== undefined) {
      throw pluginError('--accounts: the network has private keys configured, not a mnemonic')
    }
    const auto = given.noMining ? false : blockTime === undefined ? undefined : blockTime === 0
    const interval = given.noMining ? 0 : blockTime
    return {
      ...options,
      ...(chainId === undefined ? {} : { chainId }),
      ...(workers === undefined ? {} : { workers }),
      ...(dataDir === undefined ? {} : { dataDir: resolve(dataDir) }),
      ...(count === undefined ? {} : { accounts: { ...options.accounts, count } }),
      mining: {
        ...options.mining,
        ...(auto === undefined ? {} : { auto }),
        ...(interval === undefined ? {} : { interval }),
        ...(order === undefined ? {} : { order }),
      },
    }
  }
}

function parseOrder(order: string | undefined): (typeof ORDERS)[number] | undefined {
  if (order === undefined) return undefined
  const known = ORDERS.find((name) => name === order)
  if (known === undefined) {
    throw pluginError(`--order must be one of ${ORDERS.join(', ')}, not "${order}"`)
  }
  return known
}

/** Written as browsers send them, or they would never match. */
function parseOrigins(text: string | undefined): readonly string[] {
  return splitList(text).map((origin) => {
    if (origin === '*') return origin
    const url = URL.canParse(origin) ? new URL(origin) : undefined
    if (url === undefined || url.origin === 'null') {
      throw pluginError(`--cors: "${origin}" is no origin; give for example http://localhost:3000`)
    }
    return url.origin
  })
}

function optionalInteger(
  option: string,
  value: number,
  low: number,
  high: number,
): number | undefined {
  return value === -1 ? undefined : checkInteger(option, value, low, high)
}

function checkInteger(option: string, value: number, low: number, high: number): number {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw pluginError(`${option} must be an integer from ${low} to ${high}, not ${value}`)
  }
  return value
}

function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
