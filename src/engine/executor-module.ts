// Functions of transactions that live in modules: which modules may be named, and loading one.
// Authority on the shape of such a module.

import { ParallelError } from '../errors.ts'
import { moduleUrl } from '../options.ts'
import type { TransactionFunction } from './scheduler.ts'

/** The URL of an executor that is a module; `undefined` for a function. @throws ParallelError `INVALID_OPTION` */
export function executorUrl(executor: unknown): string | undefined {
  if (typeof executor === 'function') return undefined
  if (typeof executor === 'string' || executor instanceof URL) {
    return moduleUrl('executor', executor)
  }
  throw new ParallelError(
    'INVALID_ARGUMENT',
    'An executor is a function (state, transaction) => result, or the path or URL of a module whose default export is one',
  )
}

const loaded = new Map<string, Promise<TransactionFunction>>()

/** Loads a module once per thread. @throws ParallelError `WORKER_SETUP_FAILED` */
export function loadExecutor(url: string): Promise<TransactionFunction> {
  let executor = loaded.get(url)
  if (executor === undefined) {
    executor = load(url)
    loaded.set(url, executor)
  }
  return executor
}

async function load(url: string): Promise<TransactionFunction> {
  try {
    const module = (await import(url)) as { default?: unknown }
    if (typeof module.default === 'function') return module.default as TransactionFunction
    throw new TypeError('its default export is not a function')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ParallelError(
      'WORKER_SETUP_FAILED',
      `The executor module ${url} could not be used: ${reason}`,
      { cause: error },
    )
  }
}
