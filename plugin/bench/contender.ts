// Whom stock is measured against: the executor with a scheduler and a number of workers.
// The authority on their order within a round, and on what they are called.
// Must not start anything: executors.ts has the executors.
import type { SchedulerName } from '../scheduler-names.ts'

export const STATE_NAMES = ['merkle', 'flat'] as const
/** What a contender's VMs keep their state in; stock's have `merkle`, always. */
export type StateName = (typeof STATE_NAMES)[number]

export interface Contender {
  readonly scheduler: SchedulerName
  readonly workers: number
  /** Absent: `MerkleStateManager` with caches, as stock. */
  readonly state?: 'flat'
}

/** What the contenders of a benchmark are made of. */
export interface ContenderLists {
  readonly schedulers: readonly SchedulerName[]
  readonly workers: readonly number[]
  /** Default: merkle alone. */
  readonly states?: readonly StateName[]
}

/** Each of a state with a scheduler, as `contendersOf` goes through them. */
export function variantsOf({
  schedulers,
  states = ['merkle'],
}: Omit<ContenderLists, 'workers'>): readonly Omit<Contender, 'workers'>[] {
  return states.flatMap((state) =>
    schedulers.map((scheduler) => (state === 'flat' ? { scheduler, state } : { scheduler })),
  )
}

/** Every variant with every worker count; those that are to be compared run side by side. */
export function contendersOf({ workers, ...lists }: ContenderLists): readonly Contender[] {
  return workers.flatMap((count) =>
    variantsOf(lists).map((variant) => ({ ...variant, workers: count })),
  )
}

export function contenderText(contender: Contender): string {
  return `${variantText(contender)}, ${workersText(contender.workers)}`
}

/** The scheduler, and the state where it is not stock's. */
export function variantText({ scheduler, state }: Omit<Contender, 'workers'>): string {
  return state === undefined ? scheduler : `${scheduler} ${state}`
}

export function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}
