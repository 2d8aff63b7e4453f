// The word by which the main thread says how many commits it wants to be told of, and both sides of it.
// Authority on who rings: the worker that commits past the notice. A notice that is passed before it
// stands there rings nobody, so whoever sets one looks again.

import type { AtomicOperations } from './atomics.ts'
import { ringMain } from './doorbell.ts'
import { CONTROL } from './layout.ts'

/**
 * The main thread wants a ring when `notice` transactions are committed. Returns whether they are
 * already: then nobody may ring for it, and the caller must not sleep on it.
 */
export function setCommitNotice(
  atomics: AtomicOperations,
  control: Int32Array,
  notice: number,
): boolean {
  atomics.store(control, CONTROL.COMMIT_NOTICE, notice)
  return atomics.load(control, CONTROL.COMMITTED) >= notice
}

/** A worker has committed: rings the main thread if the head, then at `before`, passed the notice. */
export function tellCommits(atomics: AtomicOperations, control: Int32Array, before: number): void {
  const notice = atomics.load(control, CONTROL.COMMIT_NOTICE)
  if (before < notice && atomics.load(control, CONTROL.COMMITTED) >= notice) {
    ringMain(atomics, control)
  }
}
