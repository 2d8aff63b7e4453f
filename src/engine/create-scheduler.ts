// A scheduler by its name. Authority on which names there are; options are each scheduler's own.

import { invalidOption } from '../options.ts'
import { AutoScheduler } from './auto-scheduler.ts'
import { DagExecutor } from './dag-executor.ts'
import { MvccScheduler } from './mvcc-scheduler.ts'
import { ParallelScheduler } from './parallel-scheduler.ts'
import { ENGINE_SCHEDULERS, type Scheduler, type SchedulerKind } from './scheduler.ts'
import type { SchedulerOptions } from './scheduler-options.ts'
import { WorkStealingScheduler } from './work-stealing-scheduler.ts'

/**
 * Makes a scheduler; `auto` chooses for each batch. Close it, or use `await using`.
 * @throws ParallelError `INVALID_OPTION`
 */
export function createScheduler(
  kind: SchedulerKind = 'auto',
  options: SchedulerOptions = {},
): Scheduler {
  switch (kind) {
    case 'auto':
      return new AutoScheduler(options)
    case 'parallel':
      return new ParallelScheduler(options)
    case 'mvcc':
      return new MvccScheduler(options)
    case 'work-stealing':
      return new WorkStealingScheduler(options)
    case 'dag': {
      const { workers, numWorkers, ...rest } = options
      const threadCount = workers ?? numWorkers
      return new DagExecutor(threadCount === undefined ? rest : { ...rest, threadCount })
    }
    default:
      throw invalidOption('scheduler', kind, `one of ${ENGINE_SCHEDULERS.join(', ')}`)
  }
}
