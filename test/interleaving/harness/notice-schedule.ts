// Workers commit and the main thread follows them, with nothing but notices between the two: no end of
// a block, no request and no timeout wakes it. Authority on the law that no ring is lost, for commits.

import type { AtomicOperations } from '../../../src/memory/atomics.ts'
import { setCommitNotice, tellCommits } from '../../../src/memory/commit-notice.ts'
import { CONTROL } from '../../../src/memory/layout.ts'
import type { MemoryBuffers } from './block-memory.ts'
import type { Gate } from './gate.ts'
import type { Mutations } from './mutations.ts'
import { Random } from './random.ts'
import { sleepAsMain } from './served-bases.ts'
import { STAGE } from './stage.ts'
import { nobodyObserves, steppedAtomics } from './stepped-atomics.ts'

const COMMITS = 12
/** Commits in a row under one lock, and commits per notice, at most. */
const MOST = 3

export function runNoticeSchedule(buffers: MemoryBuffers, gate: Gate, mutations: Mutations): void {
  const atomics = mutations.atomics(steppedAtomics(gate, nobodyObserves), buffers)
  const control = new Int32Array(buffers.control)
  const random = new Random(gate.words[STAGE.SEED] * 31 + gate.me)
  const isMain = gate.me === gate.words[STAGE.THREADS] - 1
  if (isMain) followCommits(control, atomics, 1 + random.below(MOST))
  else commitAll(control, atomics, random, gate)
}

function followCommits(control: Int32Array, atomics: AtomicOperations, batch: number): void {
  let followed = 0
  for (;;) {
    const bell = atomics.load(control, CONTROL.MAIN_BELL)
    do {
      followed = atomics.load(control, CONTROL.COMMITTED)
      if (followed === COMMITS) return
    } while (setCommitNotice(atomics, control, Math.min(followed + batch, COMMITS)))
    sleepAsMain(atomics, control, bell)
  }
}

function commitAll(
  control: Int32Array,
  atomics: AtomicOperations,
  random: Random,
  gate: Gate,
): void {
  for (;;) {
    const before = atomics.load(control, CONTROL.COMMITTED)
    if (before === COMMITS) return
    if (atomics.compareExchange(control, CONTROL.COMMIT_LOCK, 0, 1) !== 0) {
      gate.stepAside()
      continue
    }
    let head = atomics.load(control, CONTROL.COMMITTED)
    const end = Math.min(head + 1 + random.below(MOST), COMMITS)
    while (head < end) atomics.store(control, CONTROL.COMMITTED, ++head)
    atomics.store(control, CONTROL.COMMIT_LOCK, 0)
    tellCommits(atomics, control, before)
  }
}
