// Validates what the user passed and fills in defaults; the only place where defaults are decided.
// Must not read anything but its argument and the number of cores.

import { availableParallelism } from 'node:os'
import { resolve as resolvePath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { ParallelError } from './errors.ts'

/** The ways a block can be scheduled. */
export const SCHEDULERS = ['auto', 'graph', 'optimistic', 'sequential'] as const
export type SchedulerName = (typeof SCHEDULERS)[number]

/** Upper bound of `workers`: beyond it the doorbells and request ring are not sized. */
export const MAX_WORKERS = 64

/** Options of {@link createParallelExecutor}; every field is optional. */
export interface ParallelOptions {
  /** Worker threads, an integer in 1..64. Default: the number of cores available. */
  workers?: number
  /**
   * - `auto` (default): blocks that are too small for threads to pay run inline, on the calling
   *   thread, with stock's own code; others in parallel by predictions, as with `graph`.
   * - `graph`: every block that can run in parallel does, however small, by predictions: what each
   *   transaction will touch is foreseen from its envelope, its access list and earlier executions,
   *   and it waits for those it will read from. Validation stays the judge.
   * - `optimistic`: the same without predictions: transactions wait for those of the same sender only.
   * - `sequential`: every block runs on the calling thread with stock's own code.
   */
  scheduler?: SchedulerName
  /**
   * Module that gives workers the function-valued EVM options, which cannot travel as data: custom
   * precompiles, custom opcodes, `customCrypto` (kzg among it). A file path or URL; the module's
   * default export is a {@link WorkerSetup}. Without it, a VM with such options runs sequentially.
   */
  workerSetup?: string | URL
  /**
   * `true` (default): when parallel execution fails midway (a worker died, memory is full), the
   * transactions not yet committed run sequentially. `false` is for tests: such a block is refused
   * with `FALLBACK_DISABLED`, so that no fallback hides a bug.
   */
  fallback?: boolean
  /** Another name of `workers`, with 0 for the number of cores available. Only one may be given. */
  threadCount?: number
  /**
   * Levels of the predicted graph that may be under way at once, an integer from 1. With 1, a level
   * waits for the whole one before. Default: any number; each transaction starts as soon as those
   * that it waits for have run.
   */
  maxParallelLevel?: number
  /**
   * Levels of the predicted graph that are followed, an integer from 1. Transactions of deeper levels
   * are not held back; validation alone decides there. Default: all.
   */
  maxLevelDepth?: number
  /**
   * Transactions that may be under way above the last final one, an integer from 1: bounds how far
   * execution runs ahead, and the memory for it. Default: any number.
   */
  maxBatchSize?: number
  /**
   * With the scheduler `auto`: blocks whose longest predicted chain has more transactions than this,
   * an integer from 1, run inline. Default: any length; `auto` goes by what blocks cost.
   */
  maxDependencyDepth?: number
  /**
   * Time that the workers get for one block, in ms, an integer from 1. Then the transactions that are
   * not final run sequentially, as after any incident. Default: any time.
   */
  executionTimeoutMs?: number
  /**
   * Time that the workers get to load their modules, that of `workerSetup` among them, in ms, an
   * integer from 1. Default 60,000; a worker is usually ready within a second or two.
   */
  startTimeoutMs?: number
  /**
   * What another executor learned of contracts: its `exportTemplates()`, checked when it is read.
   * Default: nothing.
   */
  templates?: unknown
  /** Shared memory for state values, in MiB, 1..1024. Default 512; reserved, not committed. */
  maxStateMiB?: number
  /** Shared memory for the versions of one block, in MiB, 1..1024. Default 512. */
  maxBlockMiB?: number
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  workers: number
  scheduler: SchedulerName
  workerSetup: string | undefined
  fallback: boolean
  /** Infinity where there is no bound. */
  maxParallelLevel: number
  maxLevelDepth: number
  maxBatchSize: number
  maxDependencyDepth: number
  executionTimeoutMs: number
  startTimeoutMs: number
  templates: unknown
  maxStateMiB: number
  maxBlockMiB: number
}

const OPTION_NAMES: readonly (keyof ParallelOptions)[] = [
  'workers',
  'scheduler',
  'workerSetup',
  'fallback',
  'threadCount',
  'maxParallelLevel',
  'maxLevelDepth',
  'maxBatchSize',
  'maxDependencyDepth',
  'executionTimeoutMs',
  'startTimeoutMs',
  'templates',
  'maxStateMiB',
  'maxBlockMiB',
]

/**
 * Checks `options` and fills in the defaults.
 * @throws ParallelError `INVALID_OPTION` naming the option and what is allowed.
 */
export function resolveOptions(options: ParallelOptions = {}): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption('options', options, 'an object')
  }
  for (const name of Object.keys(options)) {
    if (!(OPTION_NAMES as readonly string[]).includes(name)) {
      throw new ParallelError(
        'INVALID_OPTION',
        `Unknown option "${name}"; the options are ${OPTION_NAMES.join(', ')}`,
      )
    }
  }
  const scheduler = options.scheduler === undefined ? 'auto' : options.scheduler
  if (!SCHEDULERS.includes(scheduler)) {
    throw invalidOption(
      'scheduler',
      scheduler,
      `one of ${SCHEDULERS.map((s) => `"${s}"`).join(', ')}`,
    )
  }
  if (options.fallback !== undefined && typeof options.fallback !== 'boolean') {
    throw invalidOption('fallback', options.fallback, 'true or false')
  }
  return {
    workers: workersOf(options),
    scheduler,
    workerSetup: moduleUrl('workerSetup', options.workerSetup),
    fallback: options.fallback ?? true,
    maxParallelLevel: bound('maxParallelLevel', options.maxParallelLevel),
    maxLevelDepth: bound('maxLevelDepth', options.maxLevelDepth),
    maxBatchSize: bound('maxBatchSize', options.maxBatchSize),
    maxDependencyDepth: bound('maxDependencyDepth', options.maxDependencyDepth),
    executionTimeoutMs: bound('executionTimeoutMs', options.executionTimeoutMs),
    startTimeoutMs: integerWithin(
      'startTimeoutMs',
      options.startTimeoutMs,
      1,
      LARGEST_BOUND,
      START_TIMEOUT_MS,
    ),
    templates: options.templates,
    maxStateMiB: integerWithin('maxStateMiB', options.maxStateMiB, 1, 1024, 512),
    maxBlockMiB: integerWithin('maxBlockMiB', options.maxBlockMiB, 1, 1024, 512),
  }
}

function workersOf({ workers, threadCount }: ParallelOptions): number {
  if (workers !== undefined && threadCount !== undefined) {
    throw invalidOption('threadCount', threadCount, 'absent where workers is given')
  }
  const cores = Math.min(MAX_WORKERS, availableParallelism())
  if (threadCount === undefined) return integerWithin('workers', workers, 1, MAX_WORKERS, cores)
  return integerWithin('threadCount', threadCount, 0, MAX_WORKERS, cores) || cores
}

const START_TIMEOUT_MS = 60_000

/** Upper end of bounds: what a 32-bit word, and a timer, can hold. */
const LARGEST_BOUND = 2 ** 31 - 1

function bound(name: string, value: number | undefined): number {
  return integerWithin(name, value, 1, LARGEST_BOUND, Number.POSITIVE_INFINITY)
}

/** @throws ParallelError `INVALID_OPTION` for what is neither absent nor an integer in `low..high`. */
export function integerWithin(
  name: string,
  value: number | undefined,
  low: number,
  high: number,
  byDefault: number,
): number {
  if (value === undefined) return byDefault
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    throw invalidOption(name, value, `an integer from ${low} to ${high}`)
  }
  return value
}

/**
 * The URL of a module that is given as a path or URL.
 * @throws ParallelError `INVALID_OPTION`, also for a URL that is not a file's.
 */
export function moduleUrl(name: string, value: string | URL | undefined): string | undefined {
  if (value === undefined) return undefined
  const allowed = 'a file path or URL of a module'
  if (!(value instanceof URL) && (typeof value !== 'string' || value === '')) {
    throw invalidOption(name, value, allowed)
  }
  const text = String(value)
  // "c:\\setup.ts" is a path: the names of protocols are longer than those of drives.
  if (!/^[a-z][a-z0-9+.-]+:/i.test(text)) return pathToFileURL(resolvePath(text)).href
  try {
    // Only files can be loaded by a worker without a loader; say so here and not from the thread.
    fileURLToPath(text)
  } catch {
    throw invalidOption(name, text, allowed)
  }
  return text
}

/** The error for an option that is not what it must be. */
export function invalidOption(name: string, value: unknown, allowed: string): ParallelError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 })
  return new ParallelError('INVALID_OPTION', `Option "${name}" is ${shown}; it must be ${allowed}`)
}
