// A thread's side of taking turns: it asks before every atomic operation who goes next, and waits
// unless it is itself. The running thread does the controller's work, so that a step without a switch
// costs no wake-up. Authority on turns; never touches the memory of the code under test.

import { LAW, type Law } from './laws.ts'
import {
  GO,
  OUTCOME,
  STAGE,
  type StageBuffers,
  THREAD,
  THREAD_STATE,
  threadIndex,
  writeViolation,
} from './stage.ts'
import { chooseThread } from './strategies.ts'

/** Looks at the own word before sleeping: a switch back often comes within a microsecond or two. */
const SPINS = 60

export class Gate {
  readonly words: Int32Array
  readonly me: number
  readonly #text: SharedArrayBuffer
  readonly #go: number

  constructor(buffers: StageBuffers, me: number) {
    this.words = new Int32Array(buffers.words)
    this.#text = buffers.text
    this.me = me
    this.#go = threadIndex(me, THREAD.GO)
  }

  /** Waits for the first turn of a schedule. */
  enter(): void {
    this.#await()
  }

  /** To be called before every atomic operation; `writes`: the operation is no mere load. */
  step(writes: boolean): void {
    const words = this.words
    if (++words[STAGE.STEPS] > words[STAGE.BUDGET]) {
      this.fail(LAW.ends, `still running after ${words[STAGE.BUDGET]} steps`)
    }
    const next = chooseThread(words, this.me, writes)
    if (next !== this.me) this.#pass(next)
  }

  /** Waits in turn until somebody else has taken a step: for loops that wait for another thread. */
  stepAside(): void {
    const words = this.words
    words[threadIndex(this.me, THREAD.PRIORITY)] = --words[STAGE.LOWEST_PRIORITY]
    this.step(true)
  }

  /** Sleeps until {@link wake} with the same `key`, or a drawn timeout. */
  sleep(key: number): 'ok' | 'timed-out' {
    const words = this.words
    words[threadIndex(this.me, THREAD.ASLEEP_AT)] = key
    words[threadIndex(this.me, THREAD.TIMED_OUT)] = 0
    words[threadIndex(this.me, THREAD.STATE)] = THREAD_STATE.ASLEEP
    this.#leaveTurn()
    return words[threadIndex(this.me, THREAD.TIMED_OUT)] === 0 ? 'ok' : 'timed-out'
  }

  /** Makes sleepers at `key` runnable; returns how many. */
  wake(key: number, count: number): number {
    const words = this.words
    let woken = 0
    for (let thread = 0; thread < words[STAGE.THREADS] && woken < count; thread++) {
      if (
        words[threadIndex(thread, THREAD.STATE)] === THREAD_STATE.ASLEEP &&
        words[threadIndex(thread, THREAD.ASLEEP_AT)] === key
      ) {
        words[threadIndex(thread, THREAD.STATE)] = THREAD_STATE.RUNNABLE
        woken++
      }
    }
    return woken
  }

  /** Ends the thread's part in the schedule. */
  leave(): void {
    const words = this.words
    words[threadIndex(this.me, THREAD.STATE)] = THREAD_STATE.FINISHED
    const next = chooseThread(words, this.me, true)
    if (next >= 0) this.#hand(next)
    else if (this.#someoneAsleep()) this.#reportAllAsleep()
    else this.#end(OUTCOME.ENDED)
  }

  /** Stops the schedule for good: main replaces all threads. */
  fail(law: Law, detail: string): never {
    const step = this.words[STAGE.STEPS]
    writeViolation(this.#text, { law, detail: `${detail} (thread ${this.me}, step ${step})` })
    this.#end(OUTCOME.VIOLATED)
    for (;;) Atomics.wait(this.words, this.#go, Atomics.load(this.words, this.#go))
  }

  #leaveTurn(): void {
    const next = chooseThread(this.words, this.me, true)
    if (next < 0) this.#reportAllAsleep()
    // Its own timeout may be what makes it go on.
    if (next !== this.me) this.#pass(next)
  }

  #someoneAsleep(): boolean {
    for (let thread = 0; thread < this.words[STAGE.THREADS]; thread++) {
      if (this.words[threadIndex(thread, THREAD.STATE)] === THREAD_STATE.ASLEEP) return true
    }
    return false
  }

  #reportAllAsleep(): never {
    const asleep: number[] = []
    for (let thread = 0; thread < this.words[STAGE.THREADS]; thread++) {
      if (this.words[threadIndex(thread, THREAD.STATE)] === THREAD_STATE.ASLEEP) asleep.push(thread)
    }
    this.fail(LAW.awake, `asleep: threads ${asleep.join(', ')}; all others have finished`)
  }

  #end(outcome: number): void {
    Atomics.store(this.words, STAGE.OUTCOME, outcome)
    Atomics.notify(this.words, STAGE.OUTCOME)
  }

  #pass(next: number): void {
    this.words[STAGE.SWITCHES]++
    this.#hand(next)
    this.#await()
  }

  #hand(next: number): void {
    const go = threadIndex(next, THREAD.GO)
    if (Atomics.exchange(this.words, go, GO.YES) === GO.WAITING) Atomics.notify(this.words, go)
  }

  #await(): void {
    const { words } = this
    const go = this.#go
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(words, go) === GO.YES) {
        Atomics.store(words, go, GO.NO)
        return
      }
    }
    if (Atomics.compareExchange(words, go, GO.NO, GO.WAITING) === GO.NO) {
      while (Atomics.load(words, go) === GO.WAITING) Atomics.wait(words, go, GO.WAITING)
    }
    Atomics.store(words, go, GO.NO)
  }
}
