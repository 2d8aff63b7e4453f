// Makes blocks of what waits in the pool, and puts them on the chain.
// The authority on when settings for the next block are used up: when it is mined, and not before.
// Must be called by one caller at a time, except for `pending`.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { VM } from '@ethereumjs/vm'
import type { FlatState } from '../../../src/index.ts'
import type { Chain } from '../chain/chain.ts'
import type { SealedBlock } from '../chain/sealed-block.ts'
import type { MinedBlock } from '../devnet-contract.ts'
import { bytesOf, type Hex } from '../hex.ts'
import { miningOrder } from '../pool/mining-order.ts'
import { accountOf, noncesOf } from '../pool/sender-accounts.ts'
import type { PooledTransaction, TransactionPool } from '../pool/transaction-pool.ts'
import { invalidInput } from '../rpc-error.ts'
import { withConsole } from '../tracing/console/collect-console-lines.ts'
import type { ConsoleWatch } from '../tracing/console/console-watch.ts'
import { type BuiltBlock, buildBlock } from './build-block.ts'
import { type Clock, type ClockState, checkPossible } from './clock.ts'
import type { ExecutorLease } from './executor-lease.ts'
import { type NextHeader, nextHeader } from './next-header.ts'
import { RandomWords } from './random-words.ts'

/** No transaction costs less gas. */
const LEAST_GAS = 21_000n
/** From so many empty blocks on, hardhat_mine makes a range of them. */
const SHORTEST_RANGE = 3n

/** Block numbers are doubles in some places. */
const LAST_NUMBER = 2n ** 53n - 1n

export interface MinerSettings {
  gasLimit: bigint
  coinbase: Hex
  order: 'priority' | 'fifo'
  /** For the next block only. */
  nextBaseFeePerGas: bigint | undefined
}

/** What a snapshot keeps of a miner. */
export interface MinerState {
  readonly settings: MinerSettings
  readonly clock: ClockState
  readonly prevRandao: Hex
  readonly parentBeaconBlockRoot: Hex
}

export type MinedPooledBlock = BuiltBlock<PooledTransaction>

export interface PendingBlock {
  readonly built: MinedPooledBlock
  /** The state after it. */
  readonly state: FlatState
}

export interface MinerParts {
  readonly chain: Chain
  readonly pool: TransactionPool
  readonly clock: Clock
  readonly settings: MinerSettings
  readonly executors: ExecutorLease
  readonly onBlock: (mined: MinedBlock, built: MinedPooledBlock) => void
  readonly consoleWatch: ConsoleWatch
  /** Hears of each line that a contract prints in a block that is mined. */
  readonly print: (line: string) => void
}

export class Miner {
  readonly clock: Clock
  readonly settings: MinerSettings
  readonly prevRandao = new RandomWords('randomMixHashSeed')
  readonly #beaconRoots = new RandomWords('randomParentBeaconBlockRootSeed')
  readonly #parts: MinerParts
  #vm: VM | undefined

  constructor(parts: MinerParts) {
    this.#parts = parts
    this.clock = parts.clock
    this.settings = parts.settings
  }

  get state(): MinerState {
    return {
      settings: { ...this.settings },
      clock: this.clock.state,
      prevRandao: this.prevRandao.next,
      parentBeaconBlockRoot: this.#beaconRoots.next,
    }
  }

  set state({ settings, clock, prevRandao, parentBeaconBlockRoot }: MinerState) {
    Object.assign(this.settings, settings)
    this.clock.state = clock
    this.prevRandao.next = prevRandao
    this.#beaconRoots.next = parentBeaconBlockRoot
  }

  /** The header of the block that would be mined now. */
  nextHeader(timestamp?: bigint): NextHeader {
    const { chain } = this.#parts
    const { header } = chain.head
    return nextHeader(chain.rules, header, {
      timestamp: timestamp ?? this.clock.peek(header.timestamp),
      gasLimit: this.settings.gasLimit,
      coinbase: this.settings.coinbase,
      prevRandao: this.prevRandao.next,
      parentBeaconBlockRoot: this.#beaconRoots.next,
      baseFeePerGas: this.settings.nextBaseFeePerGas,
    })
  }

  /**
   * Mines one block.
   * @throws RpcError if `timestamp` is not after the head's
   */
  async mine(timestamp?: bigint): Promise<MinedPooledBlock> {
    const { chain, executors, onBlock, consoleWatch, print } = this.#parts
    const start = performance.now()
    const parent = chain.head.header
    if (timestamp !== undefined) this.clock.check(timestamp, parent.timestamp)
    const header = this.nextHeader(timestamp)
    const transactions = await this.#waiting(chain.state, header)
    const vm = await this.#vmOfChain()
    for (const { tx } of transactions) consoleWatch.look(tx.data)
    const executor = await executors.forBlock(transactions.length)
    const kept = {
      keep: (sealed: SealedBlock) => chain.prepare(sealed),
      discard: (sealed: SealedBlock) => chain.discard(sealed),
    }
    const build = () => buildBlock({ vm, parent, header, transactions, executor, kept })
    const built = consoleWatch.isNeeded ? await withConsole(vm, print, build) : await build()
    chain.append(built.sealed)
    this.#useUp(header.timestamp)
    await this.#settle(built)
    const { header: sealedHeader, hash } = built.sealed
    const mined: MinedBlock = {
      number: sealedHeader.number,
      hash,
      transactions: built.included.length,
      gasUsed: sealedHeader.gasUsed,
      buildMs: performance.now() - start,
      reExecutions: built.reExecutions,
      workers: built.workers,
    }
    onBlock(mined, built)
    return built
  }

  /**
   * Mines `count` blocks, `interval` seconds apart.
   * @throws RpcError if there can not be so many, or not for so long
   */
  async mineMany(count: bigint, interval: bigint): Promise<void> {
    const { chain } = this.#parts
    if (chain.headNumber + count > LAST_NUMBER) {
      throw invalidInput(`A chain can have ${LAST_NUMBER} blocks, so ${count} more are too many`)
    }
    checkPossible(chain.head.header.timestamp + count * (interval + 1n))
    let left = count
    let isStuck = false
    while (left > 0n) {
      const mayBeRange = left < count && left >= SHORTEST_RANGE
      if (mayBeRange && (isStuck || !(await this.#hasWork()))) {
        this.#appendRange(left - 1n, interval)
        left = 1n
      }
      const isFirst = left === count
      const { timestamp } = chain.head.header
      // viem asks for an interval of 0, which no block but one of a range can keep.
      const next = isFirst || interval === 0n ? undefined : timestamp + interval
      const { included, skipped } = await this.mine(next)
      // What does not fit into an empty block fits into none that follows.
      isStuck =
        included.length === 0 && skipped.length > 0 && skipped.every((it) => it.reason === 'later')
      left--
      // A million blocks must not keep requests, timers and signals waiting.
      await nextTurn()
    }
  }

  /** The block that would be mined now, on a copy of the state. */
  async pending(): Promise<PendingBlock> {
    const { chain } = this.#parts
    const parent = chain.head.header
    const header = this.nextHeader()
    const state = chain.state.shallowCopy()
    const transactions = await this.#waiting(state, header)
    const vm = await chain.vmOn(state)
    return { built: await buildBlock({ vm, parent, header, transactions }), state }
  }

  /** The VM on the chain's own state, which a reset replaces. */
  async #vmOfChain(): Promise<VM> {
    const { chain } = this.#parts
    if (this.#vm?.stateManager !== chain.state) this.#vm = await chain.vmOn(chain.state)
    return this.#vm as VM
  }

  async #waiting(state: FlatState, header: NextHeader): Promise<PooledTransaction[]> {
    const { pool } = this.#parts
    const { order } = this.settings
    const limit = Number(header.gasLimit / LEAST_GAS)
    const nonces = await noncesOf(pool.senders(), state)
    return miningOrder(pool, nonces, { order, baseFee: header.baseFeePerGas, limit })
  }

  async #hasWork(): Promise<boolean> {
    const { chain, pool } = this.#parts
    if (pool.size === 0) return false
    return (await this.#waiting(chain.state, this.nextHeader())).length > 0
  }

  #appendRange(count: bigint, interval: bigint): void {
    const { chain } = this.#parts
    const { header: head } = chain.head
    const first = head.number + 1n
    const timestamp = head.timestamp + interval
    const header = this.nextHeader(timestamp)
    chain.appendRange({
      first,
      last: first + count - 1n,
      parentHash: head.hash(),
      timestamp,
      interval,
      gasLimit: header.gasLimit,
      baseFeePerGas: header.baseFeePerGas,
      coinbase: bytesOf(this.settings.coinbase),
      stateRoot: chain.stateRoot,
    })
    this.clock.moveTo(timestamp + (count - 1n) * interval)
  }

  #useUp(timestamp: bigint): void {
    this.clock.use(timestamp)
    this.prevRandao.take()
    this.#beaconRoots.take()
    this.settings.nextBaseFeePerGas = undefined
  }

  /** Takes out of the pool what was mined, and what cannot be mined any more. */
  async #settle({ included, skipped }: MinedPooledBlock): Promise<void> {
    const { chain, pool } = this.#parts
    for (const { hash } of included) pool.remove(hash)
    for (const { transaction, reason } of skipped) {
      if (reason === 'invalid') pool.remove(transaction.hash)
    }
    for (const sender of new Set(included.map((it) => it.sender))) {
      if (pool.queueOf(sender).size > 0) pool.settle(sender, await accountOf(sender, chain.state))
    }
  }
}
