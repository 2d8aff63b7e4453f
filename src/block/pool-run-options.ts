// What one `addTransactions` is run with. Authority on nothing but the names: add-options.ts has what the
// user may give.

import type { TypedTransaction } from '@ethereumjs/tx'
import type { RunTxResult, VM } from '@ethereumjs/vm'
import type { SchedulerName } from '../options.ts'
import type { OpenBlock, TransactionOpts } from './open-block.ts'
import type { ParallelSettings } from './parallel-settings.ts'
import type { PoolLedger } from './pool-ledger.ts'

/** The executor's workers, for the time of one call. */
export interface WorkersLease {
  readonly scheduler: SchedulerName
  /** With the memory as it is now. */
  settings(): ParallelSettings
  /** The memory is not used again. */
  renewMemory(): void
}

export interface PoolRunOptions extends TransactionOpts {
  readonly vm: VM
  readonly open: OpenBlock
  readonly ledger: PoolLedger
  readonly transactions: readonly TypedTransaction[]
  /** By `performance.now()`; Infinity = none. */
  readonly deadline: number
  /** Stock's own `addTransaction`. */
  readonly addAsStock: (tx: TypedTransaction) => Promise<RunTxResult>
}
