// What the loops of a batch work with, in whichever thread. Authority on sleeping, and on what ends one.
// Must not decide which transaction is next.

import { ParallelError } from '../errors.ts'
import { type AtomicOperations, nativeAtomics } from '../memory/atomics.ts'
import { Admission } from './admission.ts'
import { BOARD, type BoardShape } from './board.ts'
import type { MvccStore } from './mvcc-store.ts'
import type { Isolation } from './mvcc-transaction.ts'
import type { EngineTransaction, TransactionFunction } from './scheduler.ts'

/** How one transaction ended, before it is known whose result it is. */
export interface Outcome {
  readonly transaction: number
  readonly value?: unknown
  readonly error?: unknown
  readonly isSuccessful: boolean
  readonly attempts: number
  readonly conflicts: number
}

/** How repetition goes. */
export interface RetryRule {
  readonly isolation: Isolation
  /** Executions beyond the first. */
  readonly maxRetries: number
  /** Whether a failed one is run again. Default: after conflicts with other transactions only. */
  readonly isRetriable?: (error: unknown) => boolean
}

export interface BatchWork extends RetryRule {
  readonly store: MvccStore
  readonly run: TransactionFunction
  readonly transactions: readonly EngineTransaction[]
  readonly worker: number
  readonly shape: BoardShape
  readonly board: Int32Array
  readonly atomics: AtomicOperations
  readonly admission: Admission
  /** The thread has nothing else to do and can sleep; otherwise its other loops go on meanwhile. */
  readonly ownsThread: boolean
  readonly outcomes: Outcome[]
}

export function createWork(
  given: Omit<BatchWork, 'board' | 'atomics' | 'admission' | 'outcomes'>,
  board: SharedArrayBuffer,
): BatchWork {
  const words = new Int32Array(board)
  const atomics = nativeAtomics
  const admission = new Admission(atomics, words, given.shape.workers)
  return { ...given, board: words, atomics, admission, outcomes: [] }
}

/** Longest sleep: whoever wakes looks again. */
const SLEEP_MS = 20

/** Waits until the word is not `seen` any more, or for a while. */
export function pause(work: BatchWork, word: number, seen: number): Promise<unknown> | undefined {
  if (work.ownsThread) {
    work.atomics.wait(work.board, word, seen, SLEEP_MS)
    return undefined
  }
  const waiting = Atomics.waitAsync(work.board, word, seen, SLEEP_MS)
  return waiting.async ? waiting.value : undefined
}

export function isStopped({ atomics, board }: BatchWork): boolean {
  return atomics.load(board, BOARD.STOP) !== 0
}

/** Tells all loops of the batch to take nothing more. */
export function stopAll(atomics: AtomicOperations, board: Int32Array): void {
  atomics.store(board, BOARD.STOP, 1)
  atomics.notify(board, BOARD.RUNNING)
  atomics.notify(board, BOARD.DONE)
}

/** What must be awaited, of whichever library or realm it is. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

export function isConflict(error: unknown): boolean {
  return error instanceof ParallelError && error.code === 'WRITE_CONFLICT'
}
