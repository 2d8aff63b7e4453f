// What a run says about itself: `result.parallel`. Authority on its fields and their meaning.

import type { LocationField } from '../access/access-sink.ts'
import type { CryptoName } from '../crypto/secp256k1.ts'

/** Wall-clock times of a block's parts, in ms. */
export interface BlockPhases {
  /** Validation, system calls before the transactions, encoding. */
  prepare: number
  /** Transactions, from handing them to the workers to the last commit, by whomever. */
  execute: number
  /** Predicting and deriving the graph, or taking over an access list; a part of `execute`. */
  plan: number
  /** Comparing with the predictions and learning, a part of `write`. */
  learn: number
  /** Writing the changes to the state manager. */
  write: number
  /** Withdrawals, rewards, requests, state root, header checks. */
  finish: number
  total: number
}

/** A location that transactions of the block waited for each other at, or could have. */
export interface HotLocation {
  field: LocationField
  /** 20 bytes as hex. */
  address: `0x${string}`
  /** 32 bytes as hex; absent unless `field` is `slot`. */
  slot?: `0x${string}`
  /** Transactions that looked at it and left it as it was. */
  readers: number
  /** Transactions that changed it. */
  writers: number
  /** Transactions that added to it without looking: these do not wait for each other. */
  adders: number
}

/** What was predicted of the accesses of a block's transactions, and what they were. */
export interface AccessReport {
  /** Predicted and touched, summed over transactions. */
  right: number
  /** Predicted and not touched. */
  wrong: number
  /** Touched and not predicted. */
  missed: number
  /** Share of what was predicted that was touched, 0..1. */
  precision: number
  /** Share of what was touched that was predicted, 0..1. */
  recall: number
  /** At most ten, the one with the most transactions first. */
  hottest: HotLocation[]
}

/** The predicted dependency graph of a block. */
export interface GraphReport {
  /** Transactions of the longest predicted chain. */
  levels: number
  /** Gas limits of the heaviest predicted chain. */
  criticalGas: number
  /** How many times faster than one after the other the graph lets the block be, by gas limits. */
  bound: number
}

/** Failed validations by what had changed. */
export type ConflictCauses = Record<LocationField | 'reset', number>

/** How a block was run. */
export interface BlockReport {
  /**
   * `parallel`: by the workers. `inline`: too small for threads to pay, stock's code on the calling
   * thread. `sequential`: it cannot or must not run in parallel, stock's code on the calling thread.
   */
  mode: 'parallel' | 'inline' | 'sequential'
  /** Why, in one sentence. */
  why: string
  /** Workers that executed transactions; 0 unless parallel. */
  workers: number
  transactions: number
  /**
   * What recovers senders, and in workers the precompile at 0x01: `native`, libsecp256k1 as an addon;
   * `wasm`, the same in WebAssembly; `javascript`, ethereumjs' own; `custom`, a
   * `customCrypto.ecrecover` of yours. The slowest where threads differ.
   */
  crypto: CryptoName
  /** Incarnations executed by workers. */
  executions: number
  /**
   * Plain transfers that a builder's calling thread did itself, without workers and without an EVM, once stock
   * had done one of their type and come to the same; absent if none.
   */
  direct?: number
  /** Executions beyond the first of each transaction. */
  reExecutions: number
  /** Failed validations and waits for a lower transaction. */
  conflicts: number
  /** Length of the longest chain of transactions that read from each other; 1 = all independent. */
  levels: number
  /** Failed validations by what had changed; all 0 unless parallel. */
  causes: ConflictCauses
  /**
   * What was foreseen of the transactions, and from what: `access list` where the block brought one and
   * each started from its values. Absent where nothing was.
   */
  plannedFrom?: 'predictions' | 'access list' | undefined
  /** The predicted graph, where one was made; one level where all start from an access list. */
  graph?: GraphReport
  /** Predictions against what happened, where there were any. */
  access?: AccessReport
  /**
   * Workers that stepped through bytecode with stock's own loop, because the installed @ethereumjs/evm
   * has another interpreter than the one that ours was written for. Absent if none did.
   */
  stockStepping?: number
  /**
   * How long the garbage collector has stopped each worker, in ms; absent unless workers ran. Pauses count for
   * the block in which they are reported, which can be the one after.
   */
  collectorMs?: number[]
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
  crypto: CryptoName,
): BlockReport {
  return {
    mode,
    why,
    workers: 0,
    transactions,
    crypto,
    executions: 0,
    reExecutions: 0,
    conflicts: 0,
    levels: 0,
    incidents: [],
    causes: { existence: 0, balance: 0, nonce: 0, code: 0, reset: 0, slot: 0 },
    phases: { prepare: 0, plan: 0, execute: 0, write: 0, learn: 0, finish: 0, total: 0 },
  }
}

/** Adds what is said of a part of a run, on the workers or not, to what is said of all of it. */
export function addReport(all: BlockReport, part: BlockReport): void {
  if (all.mode !== 'parallel') Object.assign(all, { mode: part.mode, why: part.why })
  all.crypto = part.crypto
  all.workers = Math.max(all.workers, part.workers)
  all.executions += part.executions
  all.reExecutions += part.reExecutions
  all.conflicts += part.conflicts
  all.levels = Math.max(all.levels, part.levels)
  all.incidents.push(...part.incidents)
  for (const [cause, count] of Object.entries(part.causes)) {
    all.causes[cause as keyof ConflictCauses] += count
  }
  for (const [phase, ms] of Object.entries(part.phases)) {
    all.phases[phase as keyof BlockPhases] += ms
  }
  for (const [worker, ms] of part.collectorMs?.entries() ?? []) {
    all.collectorMs ??= []
    all.collectorMs[worker] = (all.collectorMs[worker] ?? 0) + ms
  }
  // Of several parts, those of the last that has them.
  const { graph, access, plannedFrom, stockStepping } = part
  if (graph !== undefined) all.graph = graph
  if (access !== undefined) all.access = access
  if (plannedFrom !== undefined) all.plannedFrom = plannedFrom
  if (stockStepping !== undefined) all.stockStepping = stockStepping
}
