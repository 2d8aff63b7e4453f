// What a flat state can be told, and the defaults.
// Authority on which values are allowed. Must not make anything.

import type { Common } from '@ethereumjs/common'
import { ParallelError } from '../errors.ts'

export interface FlatStateOptions {
  /** Chain rules: copies get a copy of them. */
  common: Common
  /** Shared memory for the state, in MiB, an integer 1..8191. Default 2048; reserved, not committed. */
  maxStateMiB?: number
  /**
   * State roots that `setStateRoot` can go back to, the present one among them, an integer from 1.
   * Each costs the memory of what changed from it to the next. Default 128.
   */
  keptRoots?: number
  /**
   * A directory to keep the state in (lmdb), made if there is none; what it has is opened. Each committed
   * state goes there when its root is taken, as a whole: also if the process is killed meanwhile. Default:
   * the state ends with the process.
   */
  store?: { path: string }
  /**
   * With a store: accounts and slots stay on disk, and this much memory at most, in bytes, an integer from 65,536,
   * is used for what was read of it, about; the changes of a block, and of what `keptRoots` says, come on top.
   * Default: all is in memory.
   */
  memoryBytes?: number
}

const NAMES = ['common', 'maxStateMiB', 'keptRoots', 'store', 'memoryBytes']
const LEAST_MEMORY = 65_536

/** Checks options and fills in the defaults. @throws ParallelError `INVALID_OPTION` */
export function resolveFlatOptions(options: FlatStateOptions): {
  path: string | undefined
  maxStateMiB: number
  keptRoots: number
  memoryBytes: number | undefined
} {
  if (typeof options !== 'object' || options === null) {
    throw new ParallelError('INVALID_OPTION', 'The options of a flat state must be an object')
  }
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) {
      throw new ParallelError(
        'INVALID_OPTION',
        `Unknown option "${name}" of a flat state; the options are ${NAMES.join(', ')}`,
      )
    }
  }
  if (typeof options.common?.hardfork !== 'function') {
    throw new ParallelError('INVALID_OPTION', 'Option "common" of a flat state must be a Common')
  }
  const { store } = options
  if (store !== undefined && (typeof store?.path !== 'string' || store.path === '')) {
    throw new ParallelError('INVALID_OPTION', 'Option "store" must be { path: a directory }')
  }
  if (options.memoryBytes !== undefined && store === undefined) {
    throw new ParallelError('INVALID_OPTION', 'Option "memoryBytes" needs the option "store"')
  }
  return {
    memoryBytes:
      options.memoryBytes === undefined
        ? undefined
        : integer('memoryBytes', options.memoryBytes, Number.MAX_SAFE_INTEGER, 0, LEAST_MEMORY),
    path: store?.path,
    maxStateMiB: integer('maxStateMiB', options.maxStateMiB, 8191, 2048),
    keptRoots: integer('keptRoots', options.keptRoots, 2 ** 31 - 1, 128),
  }
}

function integer(
  name: string,
  value: number | undefined,
  high: number,
  byDefault: number,
  low = 1,
): number {
  if (value === undefined) return byDefault
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw new ParallelError(
    'INVALID_OPTION',
    `Option "${name}" is ${String(value)}; it must be an integer from ${low} to ${high}`,
  )
}
