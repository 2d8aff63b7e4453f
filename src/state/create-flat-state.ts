// Makes flat states, in memory or from where they are stored.
// Authority on what has to be ready before one can be used. Must not know what a state does.

import type { Common } from '@ethereumjs/common'
import { ParallelError } from '../errors.ts'
import { DiskBase, type DiskOptions } from './disk-base.ts'
import { DiskData } from './disk-data.ts'
import { EntryStore } from './entry-store.ts'
import { FlatData } from './flat-data.ts'
import { type FlatStateOptions, resolveFlatOptions } from './flat-options.ts'
import { FlatState } from './flat-state.ts'
import { FlatStore } from './flat-store.ts'
import { loadKeccak } from './keccak.ts'

/**
 * Makes a flat state, which can be given to a VM as its `stateManager`: an empty one, or the one that its
 * store has.
 *
 * @example
 * ```ts
 * const stateManager = await createFlatState({ common })
 * const vm = await createVM({ common, stateManager })
 * ```
 * @throws ParallelError `INVALID_OPTION`, `BROKEN_STORE`
 */
export async function createFlatState(options: FlatStateOptions): Promise<FlatState> {
  const { common } = options
  const { path, memoryBytes, ...rest } = resolveFlatOptions(options)
  const keccak = await loadKeccak()
  if (path !== undefined && memoryBytes !== undefined) {
    return onDisk(common, await EntryStore.open(path), { keccak, memoryBytes, ...rest })
  }
  if (path !== undefined && EntryStore.isAt(path)) {
    const message = `The flat state at ${path} was stored with memoryBytes, and has another form`
    throw new ParallelError('BROKEN_STORE', message)
  }
  const store = path === undefined ? undefined : await FlatStore.open(path)
  try {
    return new FlatState(common, new FlatData({ keccak, store, ...rest }))
  } catch (error) {
    await store?.close()
    throw error
  }
}

async function onDisk(
  common: Common,
  store: EntryStore,
  options: Omit<DiskOptions, 'store'>,
): Promise<FlatState> {
  try {
    return new FlatState(common, new DiskData(new DiskBase({ ...options, store })))
  } catch (error) {
    await store.close()
    throw error
  }
}
