// The error for transactions that would wait for each other.
// Authority on how a cycle is named.

import { ParallelError } from '../errors.ts'
import type { TransactionId } from './transaction-id.ts'

/** Code `DEPENDENCY_CYCLE`. The graph is as it was before the dependency that would close the cycle. */
export class DependencyCycleError extends ParallelError {
  /** Each transaction depends on the next; the last is the first again. */
  readonly cycle: readonly TransactionId[]

  constructor(cycle: readonly TransactionId[]) {
    super('DEPENDENCY_CYCLE', `Transactions depend on each other: ${cycle.join(' -> ')}`)
    this.cycle = cycle
  }
}
