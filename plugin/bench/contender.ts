// Whom stock is measured against: the executor with a scheduler and a number of workers.
// The authority on their order within a round, and on what they are called.
// Must not start anything: executors.ts has the executors.
import type { SchedulerName } from '../scheduler-names.ts'

export interface Contender {
  readonly scheduler: SchedulerName
  readonly workers: number
}

/** What the contenders of a benchmark are made of. */
export interface ContenderLists {
  readonly schedulers: readonly SchedulerName[]
  readonly workers: readonly number[]
}

/** Every scheduler with every worker count; schedulers that are to be compared run side by side. */
export function contendersOf({ schedulers, workers }: ContenderLists): readonly Contender[] {
  return workers.flatMap((count) => schedulers.map((scheduler) => ({ scheduler, workers: count })))
}

export function contenderText({ scheduler, workers }: Contender): string {
  return `${scheduler}, ${workersText(workers)}`
}

export function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}
