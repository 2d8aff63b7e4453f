// Sleeping and waking of workers and of the main thread, on counters in the control region.
// Notifications hint and predicates decide: whoever wakes looks again; every sleep has a timeout.

import type { AtomicOperations } from './atomics.ts'
import { bellIndex, CONTROL } from './layout.ts'

/**
 * Rings every worker but `except`; notifies only if somebody sleeps. The bells move in any case: a
 * worker between its last look for work and its sleep must find its bell moved.
 */
export function ringSleepers(
  atomics: AtomicOperations,
  control: Int32Array,
  workers: number,
  except = -1,
): void {
  for (let worker = 0; worker < workers; worker++) {
    if (worker !== except) atomics.add(control, bellIndex(worker), 1)
  }
  if (atomics.load(control, CONTROL.SLEEPERS) === 0) return
  for (let worker = 0; worker < workers; worker++) {
    if (worker !== except) atomics.notify(control, bellIndex(worker))
  }
}

/** Rings every worker but `except`, asleep or not. */
export function ringAll(
  atomics: AtomicOperations,
  control: Int32Array,
  workers: number,
  except = -1,
): void {
  for (let worker = 0; worker < workers; worker++) {
    if (worker === except) continue
    atomics.add(control, bellIndex(worker), 1)
    atomics.notify(control, bellIndex(worker))
  }
}

/** Rings the main thread; only the first ring of a sleep pays for waking it. */
export function ringMain(atomics: AtomicOperations, control: Int32Array): void {
  atomics.add(control, CONTROL.MAIN_BELL, 1)
  if (atomics.compareExchange(control, CONTROL.MAIN_ASLEEP, 1, 0) === 1) {
    atomics.notify(control, CONTROL.MAIN_ASLEEP)
  }
}

/**
 * The main thread says that it sleeps. Returns whether it may: not if it was rung for since it loaded
 * `seen` from its bell. It sleeps on the word that a ringer takes to 0: a ring that it has answered
 * already, late in taking the word, then ends the sleep instead of going unnoticed. Awake again, it
 * takes the word to 0 itself.
 */
export function mainMaySleep(
  atomics: AtomicOperations,
  control: Int32Array,
  seen: number,
): boolean {
  atomics.store(control, CONTROL.MAIN_ASLEEP, 1)
  return atomics.load(control, CONTROL.MAIN_BELL) === seen
}

/**
 * Puts a worker to sleep until its bell moves on from `seen` or `timeout` ms pass.
 * `seen` must have been loaded before the worker looked for work, else a ring could be lost.
 */
export function sleep(
  atomics: AtomicOperations,
  control: Int32Array,
  worker: number,
  seen: number,
  timeout: number,
): void {
  atomics.add(control, CONTROL.SLEEPERS, 1)
  atomics.wait(control, bellIndex(worker), seen, timeout)
  atomics.sub(control, CONTROL.SLEEPERS, 1)
}
