// The shared words through which threads take turns: one of them runs, all others wait.
// Authority on the layout of the interleaver's own memory, which the code under test never sees.

import { LAW, type Law, type Violation } from './laws.ts'

/** Threads of one schedule at most. */
export const MOST_THREADS = 3
/** Transactions of one schedule at most, for what is noted per transaction. */
export const MOST_TRANSACTIONS = 8
export const CHANGE_POINTS = 6
const OBLIGATIONS = 8

/** Words of the whole schedule. */
export const STAGE = {
  /** Counts schedules, see {@link nextEpoch}; threads wait for it to move. */
  EPOCH: 0,
  /** An {@link OUTCOME} value; main waits for it to move. */
  OUTCOME: 1,
  SEED: 2,
  SCENARIO: 3,
  THREADS: 4,
  /** State of the generator that picks the next thread. */
  RANDOM: 5,
  STEPS: 6,
  BUDGET: 7,
  STRATEGY: 8,
  STRATEGY_PARAMETER: 9,
  /** A sleeping thread times out once in so many steps; 0 = never. */
  TIMEOUT_ODDS: 10,
  SWITCHES: 11,
  LOWEST_PRIORITY: 12,
  /** Thread that holds the commit lock, plus 1. */
  LOCK_HOLDER: 13,
  /** Steps at which the running thread falls to the lowest priority. */
  CHANGE_POINTS: 16,
  /** Thread that holds a transaction (EXECUTING or ABORTING), plus 1. */
  HOLDERS: 16 + CHANGE_POINTS,
} as const
const HEADER_WORDS = 64
/** Everything but the epoch is cleared before a schedule. */
export const FIRST_CLEARED = STAGE.EPOCH + 1

const EPOCH_THREADS_BITS = 3
/** An epoch says who takes part, so that a thread that comes late decides by what it was told. */
export function nextEpoch(epoch: number, threads: number): number {
  return (((epoch >>> EPOCH_THREADS_BITS) + 1) << EPOCH_THREADS_BITS) | threads
}
export function takesPart(thread: number, epoch: number): boolean {
  return thread < (epoch & ((1 << EPOCH_THREADS_BITS) - 1))
}

export const OUTCOME = { RUNNING: 0, ENDED: 1, VIOLATED: 2 } as const

/** Words of one thread. */
export const THREAD = {
  /** A {@link GO} value: whose turn it is. */
  GO: 0,
  /** A {@link THREAD_STATE} value. */
  STATE: 1,
  /** What it sleeps on. */
  ASLEEP_AT: 2,
  PRIORITY: 3,
  TIMED_OUT: 4,
  /** Rewinds that the thread owes: cursor, highest value that fulfils it, 1 while it is open. */
  OBLIGATIONS: 16,
} as const
const THREAD_STRIDE = 64
export const OBLIGATION_WORDS = 3

export const GO = { NO: 0, YES: 1, WAITING: 2 } as const
export const THREAD_STATE = { RUNNABLE: 0, ASLEEP: 1, FINISHED: 2 } as const

export function threadIndex(thread: number, field: number): number {
  return HEADER_WORDS + thread * THREAD_STRIDE + field
}
export function obligationIndex(thread: number, slot: number): number {
  return threadIndex(thread, THREAD.OBLIGATIONS) + slot * OBLIGATION_WORDS
}
export const OBLIGATION_SLOTS = OBLIGATIONS
export function holderIndex(transaction: number): number {
  return STAGE.HOLDERS + transaction
}

const TEXT_BYTES = 8192

/** The interleaver's memory, as main makes it and threads get it. */
export interface StageBuffers {
  words: SharedArrayBuffer
  /** The first violation: byte length in one word, then UTF-8. */
  text: SharedArrayBuffer
}

export function createStageBuffers(): StageBuffers {
  const words = HEADER_WORDS + MOST_THREADS * THREAD_STRIDE
  return {
    words: new SharedArrayBuffer(words * 4),
    text: new SharedArrayBuffer(4 + TEXT_BYTES),
  }
}

/** Notes a violation; the first one of a schedule stays. */
export function writeViolation(text: SharedArrayBuffer, violation: Violation): void {
  const length = new Int32Array(text, 0, 1)
  if (length[0] !== 0) return
  const encoded = new TextEncoder().encode(`${violation.law}\n${violation.detail}`)
  const kept = encoded.subarray(0, TEXT_BYTES)
  new Uint8Array(text, 4, TEXT_BYTES).set(kept)
  length[0] = kept.length
}

export function readViolation(text: SharedArrayBuffer): Violation | undefined {
  const length = new Int32Array(text, 0, 1)[0]
  if (length === 0) return undefined
  const bytes = new Uint8Array(length)
  bytes.set(new Uint8Array(text, 4, length))
  const [law, ...detail] = new TextDecoder().decode(bytes).split('\n')
  return { law: lawNamed(law), detail: detail.join('\n') }
}

export function clearViolation(text: SharedArrayBuffer): void {
  new Int32Array(text, 0, 1)[0] = 0
}

function lawNamed(text: string): Law {
  return Object.values(LAW).find((law) => law === text) ?? LAW.works
}
