// Loads the user's setup module in a worker. Authority on the shape of such a module.

import type { CustomCrypto } from '@ethereumjs/common'
import type { EVMOpts } from '@ethereumjs/evm'
import { ParallelError } from '../errors.ts'

/** What a setup module gives: the options that are functions, as the main thread's VM has them. */
export interface WorkerSetupResult {
  /** Merged into the options of every EVM in the worker. */
  evmOpts?: Partial<
    Pick<EVMOpts, 'customOpcodes' | 'customPrecompiles' | 'bls' | 'bn254' | 'cliqueSigner'>
  >
  /** Given to every Common in the worker. */
  customCrypto?: CustomCrypto
}

/** The default export of a setup module; called once per worker. */
export type WorkerSetup = () => WorkerSetupResult | Promise<WorkerSetupResult>

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
    if (typeof result !== 'object' || result === null) {
      throw new TypeError('its default export returned no object')
    }
    return result
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ParallelError(
      'WORKER_SETUP_FAILED',
      `The workerSetup module ${url} could not be used: ${reason}`,
      { cause: error },
    )
  }
}
