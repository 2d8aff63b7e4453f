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
}

const NAMES = ['common', 'maxStateMiB', 'keptRoots']

/** Checks options and fills in the defaults. @throws ParallelError `INVALID_OPTION` */
export function resolveFlatOptions(options: FlatStateOptions): {
  maxStateMiB: number
  keptRoots: number
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
  return {
    maxStateMiB: integer('maxStateMiB', options.maxStateMiB, 8191, 2048),
    keptRoots: integer('keptRoots', options.keptRoots, 2 ** 31 - 1, 128),
  }
}

function integer(name: string, value: number | undefined, high: number, byDefault: number): number {
  if (value === undefined) return byDefault
  if (Number.isInteger(value) && value >= 1 && value <= high) return value
  throw new ParallelError(
    'INVALID_OPTION',
    `Option "${name}" is ${String(value)}; it must be an integer from 1 to ${high}`,
  )
}
