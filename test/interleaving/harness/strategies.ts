// Who runs next: the strategies by which a schedule is drawn from its seed.
// Authority on the choice only; passing the turn on is the gate's matter.

import { nextRandom, type Random } from './random.ts'
import { CHANGE_POINTS, STAGE, THREAD, THREAD_STATE, threadIndex } from './stage.ts'

export const STRATEGY = {
  /** Any runnable thread, at every step. */
  UNIFORM: 0,
  /** The same thread as before, but once in `parameter` steps any. */
  STICKY: 1,
  /** The runnable thread of highest priority; priorities change at a few steps only (PCT). */
  PRIORITY: 2,
  /** Any thread before half of the writes to shared words, else the same as before. */
  CONTENDED: 3,
} as const

/** Draws the strategy of a schedule with about `steps` steps. */
export function drawStrategy(words: Int32Array, random: Random, steps: number): void {
  const threads = words[STAGE.THREADS]
  // Uniform schedules switch most and cost most; few preemptions find most bugs, so they are many.
  const strategy = random.pick([
    STRATEGY.UNIFORM,
    STRATEGY.STICKY,
    STRATEGY.STICKY,
    STRATEGY.STICKY,
    STRATEGY.PRIORITY,
    STRATEGY.PRIORITY,
    STRATEGY.PRIORITY,
    STRATEGY.CONTENDED,
  ])
  words[STAGE.STRATEGY] = strategy
  words[STAGE.STRATEGY_PARAMETER] = 2 << random.below(5)
  words[STAGE.TIMEOUT_ODDS] = random.oneIn(8) ? 200 : 0
  const order = [...Array(threads).keys()].sort(() => random.below(3) - 1)
  order.forEach((thread, rank) => {
    words[threadIndex(thread, THREAD.PRIORITY)] = rank + 1
  })
  words[STAGE.LOWEST_PRIORITY] = 0
  const changes = random.below(CHANGE_POINTS + 1)
  for (let i = 0; i < CHANGE_POINTS; i++) {
    // Half of them early: what many threads begin together has more to disagree on.
    const span = random.oneIn(2) ? steps : steps >> 2
    words[STAGE.CHANGE_POINTS + i] = i < changes ? 1 + random.below(span) : -1
  }
}

/** The thread that takes the next step; `writes` says whether `me` is about to write. -1 = none can. */
export function chooseThread(words: Int32Array, me: number, writes: boolean): number {
  const odds = words[STAGE.TIMEOUT_ODDS]
  if (odds !== 0 && nextRandom(words, STAGE.RANDOM) % odds === 0) timeOut(words)
  const iCan = words[threadIndex(me, THREAD.STATE)] === THREAD_STATE.RUNNABLE
  switch (words[STAGE.STRATEGY]) {
    case STRATEGY.PRIORITY:
      return byPriority(words, me)
    case STRATEGY.STICKY:
      if (iCan && nextRandom(words, STAGE.RANDOM) % words[STAGE.STRATEGY_PARAMETER] !== 0) return me
      return anyThread(words)
    case STRATEGY.CONTENDED:
      if (iCan && (!writes || nextRandom(words, STAGE.RANDOM) % 2 === 0)) return me
      return anyThread(words)
    default:
      return anyThread(words)
  }
}

function anyThread(words: Int32Array): number {
  const threads = words[STAGE.THREADS]
  let runnable = 0
  for (let thread = 0; thread < threads; thread++) {
    if (words[threadIndex(thread, THREAD.STATE)] === THREAD_STATE.RUNNABLE) runnable++
  }
  if (runnable === 0) return -1
  let nth = runnable === 1 ? 0 : nextRandom(words, STAGE.RANDOM) % runnable
  for (let thread = 0; ; thread++) {
    if (words[threadIndex(thread, THREAD.STATE)] !== THREAD_STATE.RUNNABLE) continue
    if (nth-- === 0) return thread
  }
}

function byPriority(words: Int32Array, me: number): number {
  const step = words[STAGE.STEPS]
  for (let i = 0; i < CHANGE_POINTS; i++) {
    if (words[STAGE.CHANGE_POINTS + i] === step) {
      words[threadIndex(me, THREAD.PRIORITY)] = --words[STAGE.LOWEST_PRIORITY]
    }
  }
  let best = -1
  for (let thread = 0; thread < words[STAGE.THREADS]; thread++) {
    if (words[threadIndex(thread, THREAD.STATE)] !== THREAD_STATE.RUNNABLE) continue
    if (
      best < 0 ||
      words[threadIndex(thread, THREAD.PRIORITY)] > words[threadIndex(best, THREAD.PRIORITY)]
    ) {
      best = thread
    }
  }
  return best
}

/** Wakes the first sleeper, as its timeout would. */
function timeOut(words: Int32Array): void {
  for (let thread = 0; thread < words[STAGE.THREADS]; thread++) {
    if (words[threadIndex(thread, THREAD.STATE)] !== THREAD_STATE.ASLEEP) continue
    words[threadIndex(thread, THREAD.STATE)] = THREAD_STATE.RUNNABLE
    words[threadIndex(thread, THREAD.TIMED_OUT)] = 1
    return
  }
}
