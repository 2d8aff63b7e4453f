// Makes a devnet of its parts. The authority on the order in which they start and end.
// Must not know how clients reach it.

import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type Beginning, openChain, restartChain } from './chain/open-chain.ts'
import { createChainRules } from './chain-rules.ts'
import type { CoreEvents, CoreSettings, DevnetCore } from './core.ts'
import type { Devnet, DevnetEvents, DevnetOptions } from './devnet-contract.ts'
import { type ResolvedDevnetOptions, resolveDevnetOptions } from './devnet-options.ts'
import { EventHub } from './event-hub.ts'
import { Exclusive } from './exclusive.ts'
import { bytesOf, hexOf } from './hex.ts'
import { Clock } from './miner/clock.ts'
import { type ExecutorLease, leaseExecutor } from './miner/executor-lease.ts'
import { IntervalMining } from './miner/interval-mining.ts'
import { Miner } from './miner/miner.ts'
import { TransactionPool } from './pool/transaction-pool.ts'
import { createConnections } from './rpc/connection.ts'
import { Snapshots } from './snapshots.ts'
import { ConsoleWatch } from './tracing/console/console-watch.ts'
import { derivePrivateKeys } from './wallet/hd-wallet.ts'
import { LocalAccounts } from './wallet/local-accounts.ts'

/** Transactions that may wait: enough for many full blocks, little enough to bound memory. */
const POOL_LIMITS = { total: 50_000, perSender: 10_000 }

/** What is made for a devnet where it is not given. */
export interface DevnetParts {
  /** Workers to build blocks with. */
  readonly executors?: ExecutorLease
}

/**
 * Makes a chain of its own with an Ethereum node's JSON-RPC methods, in this process.
 *
 * @example
 * ```ts
 * const devnet = await createDevnet({ chainId: 1337 })
 * const connection = devnet.connect()
 * await connection.request('eth_blockNumber')
 * await devnet.close()
 * ```
 * @throws TypeError that names an option with a value that is not allowed
 */
export async function createDevnet(
  options: DevnetOptions = {},
  parts: DevnetParts = {},
): Promise<Devnet> {
  const core = await createCore(resolveDevnetOptions(options), parts)
  const connections = createConnections(core)
  let isClosed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    core.interval.stop()
    connections.closeAll()
    await core.changes.end()
    // A reset that was under way has started it again.
    core.interval.stop()
    core.events.clear()
    core.executors.release()
    await core.chain.close()
  }
  const balances = balancesOf(core.options, core.accounts.all.length)
  return {
    connect: () => connections.connect(),
    on: (event, listener) =>
      core.events.on(event, listener as (DevnetEvents & CoreEvents)[typeof event]),
    accounts: core.accounts.all.map(({ address, privateKey }, index) => ({
      address,
      privateKey: hexOf(privateKey),
      balance: balances[index] ?? 0n,
    })),
    chainId: core.options.chainId,
    get pooled() {
      return core.pool.size
    },
    close() {
      isClosed ??= close()
      return isClosed
    },
  }
}

async function createCore(options: ResolvedDevnetOptions, parts: DevnetParts): Promise<DevnetCore> {
  const rules = createChainRules(options)
  const accounts = new LocalAccounts(privateKeysOf(options))
  const now = Date.now
  const clock = new Clock(now, startOffset(options, now), options.allowBlocksWithSameTimestamp)
  const beginning: Beginning = {
    rules,
    options,
    addresses: accounts.all.map(({ address }) => address),
    balances: balancesOf(options, accounts.all.length),
    time: () => BigInt(Math.floor(now() / 1000)) + clock.offset,
  }
  const chain = await openChain(beginning)
  const pool = new TransactionPool(POOL_LIMITS)
  const events = new EventHub<DevnetEvents & CoreEvents>()
  const executors = parts.executors ?? leaseExecutor(workersOf(options))
  const consoleWatch = new ConsoleWatch()
  const miner = new Miner({
    chain,
    pool,
    clock,
    executors,
    settings: {
      gasLimit: options.blockGasLimit,
      coinbase: options.coinbase,
      order: options.mining.order,
      nextBaseFeePerGas: undefined,
    },
    consoleWatch,
    print: (line) => events.emit('log', line),
    onBlock: (mined, built) => {
      events.emit('mined', built)
      events.emit('block', mined)
    },
  })
  miner.prevRandao.follow(chain.head.header.mixHash)
  const changes = new Exclusive()
  const interval = new IntervalMining(() => changes.run(() => miner.mine()))
  const snapshots = new Snapshots({ chain, pool, miner, now })
  const settings: CoreSettings = {
    automine: options.mining.auto,
    minGasPrice: options.minGasPrice,
    isLoggingEnabled: false,
  }
  const newborn = { miner: miner.state, settings: { ...settings } }
  let instanceId = hexOf(randomBytes(32))
  const core: DevnetCore = {
    options,
    rules,
    get instanceId() {
      return instanceId
    },
    accounts,
    chain,
    pool,
    miner,
    interval,
    snapshots,
    settings,
    changes,
    events,
    consoleWatch,
    executors,
    contracts: async () => options.contracts?.(),
    async reset() {
      snapshots.clear()
      pool.restore([])
      accounts.stopAllImpersonating()
      miner.state = newborn.miner
      await restartChain(chain, beginning)
      miner.prevRandao.follow(chain.head.header.mixHash)
      Object.assign(settings, newborn.settings)
      interval.set(options.mining.interval)
      instanceId = hexOf(randomBytes(32))
      events.emit('reverted')
    },
  }
  interval.set(options.mining.interval)
  return core
}

function privateKeysOf({ accounts }: ResolvedDevnetOptions): Uint8Array[] {
  const { privateKeys, mnemonic, count } = accounts
  return privateKeys === undefined
    ? derivePrivateKeys(mnemonic, count, accounts)
    : privateKeys.map((key) => bytesOf(key))
}

function balancesOf({ accounts }: ResolvedDevnetOptions, count: number): readonly bigint[] {
  return accounts.balances ?? new Array<bigint>(count).fill(accounts.balance)
}

function startOffset({ initialDate }: ResolvedDevnetOptions, now: () => number): bigint {
  if (initialDate === undefined) return 0n
  return BigInt(Math.floor(initialDate.getTime() / 1000) - Math.floor(now() / 1000))
}

function workersOf({ workers }: ResolvedDevnetOptions): number {
  return workers ?? Math.min(2, availableParallelism())
}
