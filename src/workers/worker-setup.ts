// Loads the user's setup module in a worker. Authority on the shape of such a module.

import type { CustomCrypto } from '@ethereumjs/common'
import { ParallelError } from '../errors.ts'
import type { FunctionOptions } from '../execution/function-options.ts'

/** What a setup module gives: the options that are functions, as the main thread's VM has them. */
export interface WorkerSetupResult {
  /** Merged into the options of every EVM in the worker. */
  evmOpts?: FunctionOptions
  /** Given to every Common in the worker. */
  customCrypto?: CustomCrypto
}

/** The default export of a setup module; called once per worker. */
export type WorkerSetup = () => WorkerSetupResult | Promise<WorkerSetupResult>

/** What each field must be. */
const FIELDS = { evmOpts: checkEvmOptions, customCrypto: checkObject }
const EVM_FIELDS = {
  customOpcodes: checkArray,
  customPrecompiles: checkArray,
  bls: checkObject,
  bn254: checkObject,
  cliqueSigner: checkFunction,
}
type Check = (name: string, value: unknown) => void

let loaded: { url: string; result: Promise<WorkerSetupResult> } | undefined

/** Loads the module at `url` once. @throws ParallelError `WORKER_SETUP_FAILED` */
export function loadWorkerSetup(url: string | undefined): Promise<WorkerSetupResult> {
  if (url === undefined) return Promise.resolve({})
  if (loaded?.url !== url) loaded = { url, result: load(url) }
  return loaded.result
}

async function load(url: string): Promise<WorkerSetupResult> {
  try {
    const module = (await import(url)) as { default?: unknown }
    if (typeof module.default !== 'function') {
      throw new TypeError('its default export is not a function')
    }
    const result: unknown = await (module.default as WorkerSetup)()
    checkFields('its default export returned', result, FIELDS)
    return result as WorkerSetupResult
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ParallelError(
      'WORKER_SETUP_FAILED',
      `The workerSetup module ${url} could not be used: ${reason}`,
      { cause: error },
    )
  }
}

/** A misplaced or misspelt field would be a function that workers do without, and a wrong result. */
function checkFields(what: string, value: unknown, checks: Readonly<Record<string, Check>>): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} no object`)
  for (const [name, field] of Object.entries(value)) {
    const check = checks[name]
    if (check === undefined) {
      throw new TypeError(`${what} "${name}"; the fields are ${Object.keys(checks).join(', ')}`)
    }
    if (field !== undefined) check(name, field)
  }
}

function checkEvmOptions(name: string, value: unknown): void {
  checkFields(`its ${name} is, or has,`, value, EVM_FIELDS)
}

function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`its ${name} is no object`)
}

function checkArray(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new TypeError(`its ${name} is no array`)
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`its ${name} is no function`)
}
