// A snapshot of a store or of a state, to be kept or undone: what both have in common.
// Authority on nothing of its own.

import { ParallelError } from '../errors.ts'
import { MvccStore } from './mvcc-store.ts'
import type { Isolation, StateView } from './mvcc-transaction.ts'
import type { StateManager } from './state-manager.ts'

export interface Snapshot {
  readonly state: StateView
  /** @throws WriteConflictError on a store; it is undone then. */
  keep(): void
  undo(): void
}

export function openSnapshot(
  of: StateManager | MvccStore,
  isReadOnly: boolean,
  isolation: Isolation,
): Snapshot {
  if (of instanceof MvccStore) {
    const state = isReadOnly ? of.beginReadOnly() : of.begin({ isolation })
    return { state, keep: () => state.commit(), undo: () => state.abort() }
  }
  if (isReadOnly) return { state: readOnly(of), keep: nothing, undo: nothing }
  const id = of.createSnapshot()
  return { state: of, keep: () => of.discard(id), undo: () => of.rollbackTo(id) }
}

function nothing(): void {}

function readOnly(state: StateManager): StateView {
  const refuse = (): never => {
    throw new ParallelError('READ_ONLY', 'A read-only function must not write')
  }
  return { read: (key) => state.read(key), write: refuse, delete: refuse }
}
