// The parts of a devnet and how they stand together: what JSON-RPC methods get to work with.
// The authority on which parts there are. Must not know of requests.

import type { Chain } from './chain/chain.ts'
import type { ChainRules } from './chain-rules.ts'
import type { DevnetEvents } from './devnet-contract.ts'
import type { ResolvedDevnetOptions } from './devnet-options.ts'
import type { EventHub } from './event-hub.ts'
import type { Exclusive } from './exclusive.ts'
import type { Hex } from './hex.ts'
import type { ExecutorLease } from './miner/executor-lease.ts'
import type { IntervalMining } from './miner/interval-mining.ts'
import type { MinedPooledBlock, Miner } from './miner/miner.ts'
import type { PooledTransaction, TransactionPool } from './pool/transaction-pool.ts'
import type { Snapshots } from './snapshots.ts'
import type { ConsoleWatch } from './tracing/console/console-watch.ts'
import type { ContractResolver } from './tracing/failure/contract-resolver.ts'
import type { LocalAccounts } from './wallet/local-accounts.ts'

/** What happens inside of a devnet, for filters and subscriptions. */
export interface CoreEvents {
  /** A block was mined and is the head. */
  mined: (built: MinedPooledBlock) => void
  /** A transaction got into the pool. */
  pooled: (transaction: PooledTransaction) => void
}

/** What clients may change while it runs. */
export interface CoreSettings {
  automine: boolean
  minGasPrice: bigint
  isLoggingEnabled: boolean
}

export interface DevnetCore {
  readonly options: ResolvedDevnetOptions
  readonly rules: ChainRules
  /** 32 random bytes, new with each devnet and reset: tells clients whether it is still the same one. */
  readonly instanceId: Hex
  readonly accounts: LocalAccounts
  readonly chain: Chain
  readonly pool: TransactionPool
  readonly miner: Miner
  readonly interval: IntervalMining
  readonly snapshots: Snapshots
  readonly settings: CoreSettings
  /** Whatever changes chain, pool or settings goes through here. */
  readonly changes: Exclusive
  readonly events: EventHub<DevnetEvents & CoreEvents>
  /** Is told of all code that comes in. */
  readonly consoleWatch: ConsoleWatch
  readonly executors: ExecutorLease
  /** What is known of the contracts that were compiled, for explanations of failures. */
  contracts(): Promise<ContractResolver | undefined>
  /** Makes it what it was when it was new; as a change. */
  reset(): Promise<void>
}
