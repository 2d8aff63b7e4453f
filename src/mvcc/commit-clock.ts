// The time of a store: how many commits there were, and how a time stands in two words.
// Authority on reading both words as one. Only the holder of the commit lock moves it.

import type { AtomicOperations } from '../memory/atomics.ts'
import { STORE, TIME_UNIT } from '../memory/engine-layout.ts'

const LOW_MASK = TIME_UNIT - 1

/** The time of the last commit whose versions are all in place. */
export function readClock(atomics: AtomicOperations, control: Int32Array): number {
  for (;;) {
    const epoch = atomics.load(control, STORE.CLOCK_EPOCH)
    const high = atomics.load(control, STORE.CLOCK_HIGH)
    const low = atomics.load(control, STORE.CLOCK)
    if ((epoch & 1) === 0 && atomics.load(control, STORE.CLOCK_EPOCH) === epoch) {
      return high * TIME_UNIT + low
    }
  }
}

/** Moves on to `time`, which publishes its versions. */
export function setClock(atomics: AtomicOperations, control: Int32Array, time: number): void {
  const high = highOf(time)
  if (high === atomics.load(control, STORE.CLOCK_HIGH)) {
    atomics.store(control, STORE.CLOCK, lowOf(time))
    return
  }
  atomics.add(control, STORE.CLOCK_EPOCH, 1)
  atomics.store(control, STORE.CLOCK_HIGH, high)
  atomics.store(control, STORE.CLOCK, lowOf(time))
  atomics.add(control, STORE.CLOCK_EPOCH, 1)
}

export function highOf(time: number): number {
  return Math.floor(time / TIME_UNIT)
}
export function lowOf(time: number): number {
  // The bit operation takes the lowest 32 bits of any integer below 2^53.
  return time & LOW_MASK
}

/** A number of two words, at `index` and the word after it, lower half first. */
export function readLong(words: Int32Array, index: number): number {
  return words[index + 1] * TIME_UNIT + words[index]
}
/** Adds to such a number; its lock must be held. */
export function addLong(words: Int32Array, index: number, value: number): void {
  const sum = readLong(words, index) + value
  words[index] = lowOf(sum)
  words[index + 1] = highOf(sum)
}
