// What every scheduler of the engine can be told. Authority on the defaults and limits.

import { availableParallelism } from 'node:os'
import { ParallelError } from '../errors.ts'
import { integerWithin, invalidOption, MAX_WORKERS } from '../options.ts'
import { type Alert, type AlertThresholds, ExecutionStats } from './execution-stats.ts'
import { executorUrl } from './executor-module.ts'
import { MvccStore } from './mvcc-store.ts'
import type { Isolation } from './mvcc-transaction.ts'
import type { Executor } from './scheduler.ts'
import { checkIsolation, checkNames, flag, type MvccStoreOptions } from './store-options.ts'

/** Every field is optional. */
export interface SchedulerOptions {
  /** The store to run on. Default: one of its own, which it disposes of when it is closed. */
  store?: MvccStore
  /** Options of a store of its own; only without `store`. */
  mvccConfig?: MvccStoreOptions
  /**
   * Worker threads for modules, and functions under way at once for functions, which share the calling
   * thread and take turns where they await. 1..64. Default: the number of cores available.
   */
  workers?: number
  /** Another name of `workers`. Only one may be given. */
  numWorkers?: number
  /** Executions of a transaction beyond the first, after conflicts; from 0. Default 100. */
  maxRetries?: number
  /** See {@link Isolation}. The default is the scheduler's. */
  isolation?: Isolation
  /** Which errors are worth another try. Default: conflicts. Only for functions, not for modules. */
  isRetriable?: (error: unknown) => boolean
  /** `true`: run on worker threads only, so that a function is an error. Default `false`. */
  threadsOnly?: boolean
  /** Longest time for a batch, in ms, from 1. Default: any time. */
  executionTimeoutMs?: number
  /** Rates at which `stats` raises alerts. */
  thresholds?: AlertThresholds
  onAlert?: (alert: Alert) => void
}

export interface ResolvedSchedulerOptions {
  readonly store: MvccStore
  readonly ownsStore: boolean
  readonly workers: number
  readonly maxRetries: number
  readonly isolation: Isolation
  readonly isRetriable: ((error: unknown) => boolean) | undefined
  readonly threadsOnly: boolean
  readonly timeoutMs: number
  readonly stats: ExecutionStats
}

const NAMES: readonly (keyof SchedulerOptions)[] = [
  'store',
  'mvccConfig',
  'workers',
  'numWorkers',
  'maxRetries',
  'isolation',
  'isRetriable',
  'threadsOnly',
  'executionTimeoutMs',
  'thresholds',
  'onAlert',
]
const DEFAULT_MAX_RETRIES = 100
const LARGEST = 2 ** 31 - 1

/**
 * `others` are the names of options that the scheduler looks at itself.
 * @throws ParallelError `INVALID_OPTION` naming the option and what is allowed.
 */
export function resolveSchedulerOptions(
  options: SchedulerOptions,
  isolation: Isolation,
  others: readonly string[] = [],
): ResolvedSchedulerOptions {
  checkNames(options, [...NAMES, ...others])
  if (options.store !== undefined && options.mvccConfig !== undefined) {
    throw invalidOption('mvccConfig', options.mvccConfig, 'absent where store is given')
  }
  if (options.store !== undefined && !(options.store instanceof MvccStore)) {
    throw invalidOption('store', options.store, 'an MvccStore')
  }
  if (options.workers !== undefined && options.numWorkers !== undefined) {
    throw invalidOption('numWorkers', options.numWorkers, 'absent where workers is given')
  }
  if (options.isRetriable !== undefined && typeof options.isRetriable !== 'function') {
    throw invalidOption('isRetriable', options.isRetriable, 'a function of an error')
  }
  const name = options.numWorkers === undefined ? 'workers' : 'numWorkers'
  const cores = Math.min(MAX_WORKERS, availableParallelism())
  checkIsolation(options.isolation)
  return {
    workers: integerWithin(name, options.workers ?? options.numWorkers, 1, MAX_WORKERS, cores),
    maxRetries: integerWithin('maxRetries', options.maxRetries, 0, LARGEST, DEFAULT_MAX_RETRIES),
    isolation: options.isolation ?? isolation,
    isRetriable: options.isRetriable,
    threadsOnly: flag('threadsOnly', options.threadsOnly, false),
    timeoutMs: integerWithin(
      'executionTimeoutMs',
      options.executionTimeoutMs,
      1,
      LARGEST,
      Number.POSITIVE_INFINITY,
    ),
    stats: new ExecutionStats(options.thresholds, options.onAlert),
    ownsStore: options.store === undefined,
    // Last, so that nothing is made where an option is wrong.
    store: options.store ?? new MvccStore(options.mvccConfig),
  }
}

/**
 * @throws ParallelError `MODULE_REQUIRED` for a function where threads are asked for, `INVALID_ARGUMENT`
 * and `INVALID_OPTION` for what is no executor.
 */
export function checkExecutor(executor: Executor, threadsOnly: boolean): void {
  executorUrl(executor)
  if (threadsOnly && typeof executor === 'function') {
    throw new ParallelError(
      'MODULE_REQUIRED',
      'A function cannot be sent to worker threads; put it into a module as its default export, and pass the path of that, or leave threadsOnly out',
    )
  }
}
