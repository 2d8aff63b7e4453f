// What an executor gives to each block that it runs in parallel.
// Authority on the meaning of these settings within the package; options.ts has the user's, with their
// defaults and checks.

import type { WorkerPool } from '../workers/pool.ts'
import type { BlockMemory } from './block-memory.ts'
import type { Foresight } from './block-planner.ts'
import type { ModeChoice } from './mode-choice.ts'
import type { BlockReport } from './report.ts'

/** Bounds that the user sets; Infinity = none. */
export interface BlockLimits {
  readonly maxParallelLevel: number
  readonly maxLevelDepth: number
  /** Transactions under way above the last final one. */
  readonly maxBatchSize: number
  /** Time that the workers get for a block, in ms. */
  readonly executionTimeoutMs: number
}

export interface ParallelSettings {
  /** Why the block must run on the calling thread, whatever it is like. */
  whySequential: string | undefined
  memory: BlockMemory
  pool: WorkerPool
  fallback: boolean
  workerSetup: string | undefined
  /** Predictions; undefined where the scheduler is to go without. */
  foresight: Foresight | undefined
  limits: BlockLimits
  /** Chooses for planned blocks whether they run in parallel; undefined: they all do. */
  choice: ModeChoice | undefined
  /** Aborted by `close()`. */
  signal: AbortSignal
  /** Called when a parallel block is in the state, before `afterBlock`: its memory is free again. */
  onDone: (report: BlockReport) => void
  /** Awaited before anything is written to the state, where that has to wait for something. */
  beforeWrites?: () => Promise<void>
  /** Called with a root that will be known after the block; the workers are needed until then. */
  onLater: (root: Promise<unknown>) => void
}

/** What workers have of the user's setup module; undefined where there is no module. */
export function setupOf({ workerSetup, pool }: ParallelSettings): ReadonlySet<string> | undefined {
  return workerSetup === undefined ? undefined : pool.setupParts
}
