// What a run says about itself: `result.parallel`. Authority on its fields and their meaning.

/** Wall-clock times of a block's parts, in ms. */
export interface BlockPhases {
  /** Validation, system calls before the transactions, encoding. */
  prepare: number
  /** Transactions, from handing them to the workers to the last commit. */
  execute: number
  /** Writing the changes to the state manager. */
  write: number
  /** Withdrawals, rewards, requests, state root, header checks. */
  finish: number
  total: number
}

/** How a block was run. */
export interface BlockReport {
  /**
   * `parallel`: by the workers. `inline`: too small for threads to pay, stock's code on the calling
   * thread. `sequential`: it cannot or must not run in parallel, stock's code on the calling thread.
   */
  mode: 'parallel' | 'inline' | 'sequential'
  /** Why, in one sentence. */
  why: string
  /** Workers that took part; 0 unless parallel. */
  workers: number
  transactions: number
  /** Incarnations executed by workers. */
  executions: number
  /** Executions beyond the first of each transaction. */
  reExecutions: number
  /** Failed validations and waits for a lower transaction. */
  conflicts: number
  /** Length of the longest chain of transactions that read from each other; 1 = all independent. */
  levels: number
  /** The first transaction that was not run by the workers because something went wrong midway. */
  fallbackFrom?: number
  /** What went wrong midway, one sentence each: a worker's death, full memory. */
  incidents: string[]
  phases: BlockPhases
}

/** A report of nothing yet. */
export function emptyReport(
  mode: BlockReport['mode'],
  why: string,
  transactions: number,
): BlockReport {
  return {
    mode,
    why,
    workers: 0,
    transactions,
    executions: 0,
    reExecutions: 0,
    conflicts: 0,
    levels: 0,
    incidents: [],
    phases: { prepare: 0, execute: 0, write: 0, finish: 0, total: 0 },
  }
}
