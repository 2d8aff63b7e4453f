// What a parallel scheduler can be told besides what all can: the state that it runs on.
// Authority on which options go together with one.

import { ParallelError } from '../errors.ts'
import { invalidOption } from '../options.ts'
import {
  type ResolvedSchedulerOptions,
  resolveSchedulerOptions,
  type SchedulerOptions,
} from './scheduler-options.ts'
import { StateManager } from './state-manager.ts'

export interface ParallelSchedulerOptions extends SchedulerOptions {
  /**
   * Run on this state, in the memory of this thread, instead of on a store: nothing runs at once then, and
   * nothing conflicts. Not together with `store`, `mvccConfig`, `threadsOnly`, `executionTimeoutMs`.
   */
  state?: StateManager
}

/** @throws ParallelError `INVALID_OPTION` */
export function resolveParallelOptions({ state, ...common }: ParallelSchedulerOptions): {
  readonly state: StateManager | undefined
  readonly options: ResolvedSchedulerOptions
} {
  if (state === undefined) return { state, options: resolveSchedulerOptions(common, 'snapshot') }
  if (!(state instanceof StateManager)) throw invalidOption('state', state, 'a StateManager')
  if ((common.store ?? common.mvccConfig) !== undefined) {
    throw new ParallelError('INVALID_OPTION', 'Give either a state or a store, not both')
  }
  if (common.threadsOnly === true || common.executionTimeoutMs !== undefined) {
    throw new ParallelError(
      'INVALID_OPTION',
      'On a state, everything runs on the calling thread and to its end: threadsOnly and executionTimeoutMs need a store',
    )
  }
  // The store of a scheduler on a state stays empty.
  const options = { ...common, mvccConfig: { maxMiB: 1 } }
  return { state, options: resolveSchedulerOptions(options, 'snapshot') }
}
