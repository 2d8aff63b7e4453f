// The atomic operations that the code under test gets: each waits for its turn first and tells an
// observer what it changed. Authority on how sleeping looks under the interleaver.

import type { AtomicOperations } from '../../../src/memory/atomics.ts'
import type { Gate } from './gate.ts'

/** Told of every write after it was made, before anybody else takes a step. */
export type ObserveWrite = (words: Int32Array, index: number, before: number, after: number) => void

export function steppedAtomics(gate: Gate, observe: ObserveWrite): AtomicOperations {
  const write = (words: Int32Array, index: number, apply: (before: number) => number): number => {
    gate.step(true)
    const before = Atomics.load(words, index)
    const after = apply(before)
    if (after !== before) {
      Atomics.store(words, index, after)
      observe(words, index, before, after)
    }
    return before
  }
  return {
    load: (words, index) => {
      gate.step(false)
      return Atomics.load(words, index)
    },
    store: (words, index, value) => {
      write(words, index, () => value | 0)
      return value
    },
    add: (words, index, value) => write(words, index, (before) => (before + value) | 0),
    sub: (words, index, value) => write(words, index, (before) => (before - value) | 0),
    compareExchange: (words, index, expected, replacement) =>
      write(words, index, (before) => (before === expected ? replacement : before)),
    notify: (_words, index, count = Number.POSITIVE_INFINITY) => {
      gate.step(true)
      return gate.wake(index, count)
    },
    // All sleeping is on control words, so that the index alone names the place.
    wait: (words, index, value) => {
      gate.step(true)
      if (Atomics.load(words, index) !== value) return 'not-equal'
      return gate.sleep(index)
    },
  }
}

/** The same without an observer. */
export const nobodyObserves: ObserveWrite = () => {}
