// What the calling thread sends to a worker of the engine and gets back, as data. Authority on the messages.
// Nothing per transaction is a message: transactions go along with the task, results with its report.

import type { SerializedError } from '../workers/serialized-error.ts'
import type { BoardShape } from './board.ts'
import type { Isolation } from './mvcc-transaction.ts'
import type { EngineTransaction } from './scheduler.ts'
import type { MvccStoreHandle } from './store-core.ts'

export interface IdleTask {
  readonly kind: 'idle'
}

/** One worker's part of a batch. */
export interface BatchTask {
  readonly kind: 'batch'
  readonly worker: number
  readonly shape: BoardShape
  readonly board: SharedArrayBuffer
  readonly store: MvccStoreHandle
  readonly module: string
  readonly inOrder: boolean
  readonly isolation: Isolation
  readonly maxRetries: number
  readonly transactions: readonly EngineTransaction[]
}

export type EngineTask = IdleTask | BatchTask

/** As an outcome, with the error as it can be sent. */
export interface SentOutcome {
  readonly transaction: number
  readonly isSuccessful: boolean
  readonly value: unknown
  readonly error: SerializedError | undefined
  /** What a `WriteConflictError` has besides. */
  readonly conflict: { readonly key: Uint8Array; readonly access: 'write' | 'read' } | undefined
  readonly attempts: number
  readonly conflicts: number
}

export type EngineReport =
  | { readonly kind: 'idle' }
  | { readonly kind: 'done'; readonly outcomes: readonly SentOutcome[] }
  | { readonly kind: 'failed'; readonly error: SerializedError }
