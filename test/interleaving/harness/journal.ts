// What happened in a schedule, in order: a log in shared memory that all threads append to in turn.
// For people who look at a failing seed, and for comparing two runs of one seed; judges nothing.

import { incarnationOf, STATE, stateOf } from '../../../src/scheduling/transaction-status.ts'
import { STAGE } from './stage.ts'

export const EVENT = { STATUS: 0, CURSOR: 1, COMMITTED: 2, HALT: 3, WAIT: 4, WRITE: 5 } as const

const EVENTS = 4096
const EVENT_WORDS = 6
const COUNT = 0
const FIRST = 1

export function createJournalBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer((FIRST + EVENTS * EVENT_WORDS) * 4)
}

export class Journal {
  readonly #words: Int32Array
  readonly #stage: Int32Array

  constructor(buffer: SharedArrayBuffer, stage: Int32Array) {
    this.#words = new Int32Array(buffer)
    this.#stage = stage
  }

  clear(): void {
    this.#words[COUNT] = 0
  }

  append(thread: number, event: number, a: number, b = 0, c = 0): void {
    const count = this.#words[COUNT]++
    const at = FIRST + (count % EVENTS) * EVENT_WORDS
    this.#words[at] = this.#stage[STAGE.STEPS]
    this.#words[at + 1] = thread
    this.#words[at + 2] = event
    this.#words[at + 3] = a
    this.#words[at + 4] = b
    this.#words[at + 5] = c
  }

  /** One number for everything that happened. */
  digest(): number {
    let hash = 0
    const end = FIRST + Math.min(this.#words[COUNT], EVENTS) * EVENT_WORDS
    for (let at = 0; at < end; at++) hash = (Math.imul(hash, 31) + this.#words[at]) | 0
    return hash
  }

  /** The events as lines of text, oldest first. */
  lines(): string[] {
    const count = this.#words[COUNT]
    const lines: string[] = []
    for (let i = Math.max(0, count - EVENTS); i < count; i++) {
      const at = FIRST + (i % EVENTS) * EVENT_WORDS
      const [step, thread, event, a, b, c] = this.#words.subarray(at, at + EVENT_WORDS)
      lines.push(`${String(step).padStart(6)}  thread ${thread}  ${describe(event, a, b, c)}`)
    }
    return lines
  }
}

function describe(event: number, a: number, b: number, c: number): string {
  switch (event) {
    case EVENT.STATUS:
      return `transaction ${a}: ${statusName(b)} -> ${statusName(c)}`
    case EVENT.CURSOR:
      return `${a === 1 ? 'execution' : 'validation'} cursor ${b} -> ${c}`
    case EVENT.COMMITTED:
      return `committed below ${a}`
    case EVENT.HALT:
      return `halt ${a}`
    case EVENT.WAIT:
      return `transaction ${a} waits for transaction ${b}`
    default:
      return `transaction ${a}: location ${b} payload ${c}`
  }
}

/** A status word as people read it. */
export function statusName(status: number): string {
  const name = Object.entries(STATE).find(([, state]) => state === stateOf(status))?.[0]
  return `${name ?? '?'}(${incarnationOf(status)})`
}
