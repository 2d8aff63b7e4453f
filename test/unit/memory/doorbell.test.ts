// Holds the doorbells to their promise: work that is made before, or while, somebody falls asleep wakes
// him. Authority on single moments; the interleaver does all the others.
import { describe, expect, it } from 'vitest'

import { type AtomicOperations, nativeAtomics } from '../../../src/memory/atomics.ts'
import {
  mainMaySleep,
  ringAll,
  ringMain,
  ringSleepers,
  sleep,
} from '../../../src/memory/doorbell.ts'
import { bellIndex, CONTROL, controlWords } from '../../../src/memory/layout.ts'
import { atomicsWith } from '../../support/atomics.ts'

const ME = 0
const OTHER = 1
const WORKERS = 2

function newControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(controlWords(1) * 4))
}

/** Atomics that note whether somebody slept, do not really sleep, and note whom they wake. */
function notingAtomics(): AtomicOperations & { slept: boolean; notified: number[] } {
  const atomics = {
    ...atomicsWith({}),
    slept: false,
    notified: [] as number[],
    wait: (words: Int32Array, index: number, value: number): 'ok' | 'not-equal' => {
      if (Atomics.load(words, index) !== value) return 'not-equal'
      atomics.slept = true
      return 'ok'
    },
    notify: (_words: Int32Array, index: number): number => {
      atomics.notified.push(index)
      return 0
    },
  }
  return atomics
}

describe('a worker', () => {
  it('sleeps when nobody has rung since it looked for work', () => {
    const control = newControl()
    const atomics = notingAtomics()
    sleep(atomics, control, ME, Atomics.load(control, bellIndex(ME)), 1000)
    expect(atomics.slept).toBe(true)
    expect(control[CONTROL.SLEEPERS]).toBe(0)
  })

  it('stays awake when it was rung for between its last look and its sleep', () => {
    const control = newControl()
    const atomics = notingAtomics()
    const seen = Atomics.load(control, bellIndex(ME))
    // It looks for work and finds none. Then another makes work; nobody is asleep yet.
    ringSleepers(atomics, control, WORKERS, OTHER)
    sleep(atomics, control, ME, seen, 1000)
    expect(atomics.slept).toBe(false)
  })

  it('stays awake when it was rung for while it fell asleep', () => {
    const control = newControl()
    const atomics = notingAtomics()
    const seen = Atomics.load(control, bellIndex(ME))
    const { add } = atomics
    atomics.add = (words, index, value) => {
      const before = add(words, index, value)
      if (index === CONTROL.SLEEPERS && value === 1) ringSleepers(atomics, control, WORKERS, OTHER)
      return before
    }
    sleep(atomics, control, ME, seen, 1000)
    expect(atomics.slept).toBe(false)
  })

  it('is woken by whoever rings while it sleeps', () => {
    const control = newControl()
    const atomics = notingAtomics()
    const { wait } = atomics
    atomics.wait = (words, index, value, timeout) => {
      const result = wait(words, index, value, timeout)
      ringSleepers(atomics, control, WORKERS, OTHER)
      return result
    }
    sleep(atomics, control, ME, 0, 1000)
    expect(atomics.notified).toEqual([bellIndex(ME)])
  })

  it('does not ring for itself', () => {
    const control = newControl()
    const atomics = notingAtomics()
    ringAll(atomics, control, WORKERS, ME)
    expect(control[bellIndex(ME)]).toBe(0)
    expect(control[bellIndex(OTHER)]).toBe(1)
  })

  it('wakes nobody where nobody sleeps', () => {
    const atomics = notingAtomics()
    ringSleepers(atomics, newControl(), WORKERS, ME)
    expect(atomics.notified).toEqual([])
  })
})

describe('the main thread', () => {
  it('is woken once per sleep, however often it is rung for', () => {
    const control = newControl()
    const atomics = notingAtomics()
    Atomics.store(control, CONTROL.MAIN_ASLEEP, 1)
    ringMain(atomics, control)
    ringMain(atomics, control)
    expect(atomics.notified).toHaveLength(1)
    expect(control[CONTROL.MAIN_BELL]).toBe(2)
  })

  it('is not woken while it is awake, and finds that its bell has moved', () => {
    const control = newControl()
    const atomics = notingAtomics()
    ringMain(atomics, control)
    expect(atomics.notified).toEqual([])
    expect(control[CONTROL.MAIN_BELL]).toBe(1)
  })

  it('may not sleep when it was rung for since it looked at its bell', () => {
    const control = newControl()
    const seen = Atomics.load(control, CONTROL.MAIN_BELL)
    expect(mainMaySleep(nativeAtomics, control, seen)).toBe(true)
    ringMain(nativeAtomics, control)
    expect(mainMaySleep(nativeAtomics, control, seen)).toBe(false)
  })

  it('cannot sleep on with nobody knowing it: a ring that it has seen ends no later sleep unseen', () => {
    const control = newControl()
    const atomics = notingAtomics()
    const { compareExchange } = atomics
    let fellAsleep = false
    atomics.compareExchange = (words, index, expected, replacement) => {
      // The main thread sees the ring, serves it, and is about to sleep: it says so and looks again.
      fellAsleep = mainMaySleep(nativeAtomics, control, Atomics.load(control, CONTROL.MAIN_BELL))
      return compareExchange(words, index, expected, replacement)
    }
    ringMain(atomics, control)
    expect(fellAsleep).toBe(true)
    // Asleep means: the word still says so. Who takes it away wakes whoever waits on that very word.
    const sleeps = atomics.wait(control, CONTROL.MAIN_ASLEEP, 1) === 'ok'
    expect(sleeps).toBe(false)
    expect(atomics.notified).toEqual([CONTROL.MAIN_ASLEEP])
  })
})
