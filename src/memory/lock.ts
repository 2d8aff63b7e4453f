// A lock that is one word of shared memory, for the few places where threads must exclude each other.
// Authority on how a thread waits for another one. Whoever holds a lock may not run a user's code.
//
//   FREE --take--> HELD --somebody must wait--> AWAITED --release, which wakes one--> FREE

import { ParallelError } from '../errors.ts'
import type { AtomicOperations } from './atomics.ts'

const FREE = 0
const HELD = 1
const AWAITED = 2

/** Looks before a thread goes to sleep: what a lock protects takes about as long as this many. */
const LOOKS = 100
const SLEEP_MS = 50
/** A lock is held for microseconds: after a minute its holder is no more. */
const MOST_SLEEPS = (60 * 1000) / SLEEP_MS

/** Takes the lock if nobody has it. */
export function tryLock(atomics: AtomicOperations, words: Int32Array, index: number): boolean {
  return atomics.compareExchange(words, index, FREE, HELD) === FREE
}

/**
 * Takes the lock, and waits for it as long as it takes. `words` must be shared memory.
 * @throws ParallelError `WORKER_FAILED` if its holder is no more.
 */
export function lock(atomics: AtomicOperations, words: Int32Array, index: number): void {
  for (let look = 0; look < LOOKS; look++) {
    if (tryLock(atomics, words, index)) return
  }
  for (let sleep = 0; sleep < MOST_SLEEPS; sleep++) {
    // Whoever waited may not be the last one who does, so it takes the lock as awaited.
    if (atomics.compareExchange(words, index, FREE, AWAITED) === FREE) return
    atomics.compareExchange(words, index, HELD, AWAITED)
    atomics.wait(words, index, AWAITED, SLEEP_MS)
  }
  throw new ParallelError(
    'WORKER_FAILED',
    'A lock of the store was not released for a minute: its thread was ended from outside while it committed. Make a new store, and end threads by a message',
  )
}

/** Gives the lock back. Only its holder may. */
export function unlock(atomics: AtomicOperations, words: Int32Array, index: number): void {
  if (atomics.compareExchange(words, index, HELD, FREE) === HELD) return
  atomics.store(words, index, FREE)
  atomics.notify(words, index, 1)
}
