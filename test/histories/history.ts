// What transactions of several threads did, as they saw it themselves. Authority on the form of a history.
// Must not judge one: see checker.ts.

export type Operation =
  | { readonly kind: 'read'; readonly key: string; readonly value: string | undefined }
  | { readonly kind: 'write'; readonly key: string; readonly value: string | undefined }

/** One transaction. Values are unique, so that a value tells who wrote it; `undefined`: there is none. */
export interface Transaction {
  readonly id: string
  readonly worker: number
  readonly operations: readonly Operation[]
  /** Steps of its thread at which it began and ended; within one step, beginning comes first. */
  readonly began: number
  readonly ended: number
  readonly startTs: number
  /** Time of its commit; `undefined`: it lost against another one, or gave up. */
  readonly commitTs: number | undefined
  readonly isReadOnly: boolean
}

export interface History {
  readonly transactions: readonly Transaction[]
  /** What the keys hold in the end. */
  readonly final: ReadonlyMap<string, string | undefined>
}

/** Values that a transaction leaves, by key. */
export function writesOf({ operations }: Transaction): Map<string, string | undefined> {
  const writes = new Map<string, string | undefined>()
  for (const { kind, key, value } of operations) if (kind === 'write') writes.set(key, value)
  return writes
}

export function isWriter(transaction: Transaction): boolean {
  return transaction.commitTs !== undefined && writesOf(transaction).size > 0
}
