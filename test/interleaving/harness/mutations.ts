// Where a mutant can change what a thread works with. Authority on the places only; the mutants
// themselves are in mutants.ts. A mutation never edits src/: it wraps or extends.

import type { AtomicOperations } from '../../../src/memory/atomics.ts'
import type { LocationTable } from '../../../src/mvcc/location-table.ts'
import type { ReadSetRecorder } from '../../../src/mvcc/read-set.ts'
import type { Admission } from '../../../src/scheduling/admission-gate.ts'
import type { VersionJudge } from '../../../src/scheduling/block-stm-scheduler.ts'
import type { SchedulerClass, StoreClass } from './watched-classes.ts'

export interface Mutations {
  atomics: (atomics: AtomicOperations, context: MutantContext) => AtomicOperations
  judge: (judge: VersionJudge) => VersionJudge
  scheduler: (Base: SchedulerClass) => SchedulerClass
  store: (Base: StoreClass) => StoreClass
  table: (Base: typeof LocationTable, context: MutantContext) => typeof LocationTable
  reads: (Base: typeof ReadSetRecorder) => typeof ReadSetRecorder
  admission: (admission: Admission, context: MutantContext) => Admission
}

/** What mutants know of the memory that they work on. */
export interface MutantContext {
  control: SharedArrayBuffer
  state: SharedArrayBuffer
  buckets: SharedArrayBuffer
  addresses: readonly Uint8Array[]
}

/** Changes nothing. */
export const NO_MUTATIONS: Mutations = {
  atomics: (atomics) => atomics,
  judge: (judge) => judge,
  scheduler: (Base) => Base,
  store: (Base) => Base,
  table: (Base) => Base,
  reads: (Base) => Base,
  admission: (admission) => admission,
}
