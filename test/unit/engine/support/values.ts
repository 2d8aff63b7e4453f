// Text as bytes and back, and short ways to one value of a store. Authority on nothing.

import type { MvccStore } from '../../../../src/engine/mvcc-store.ts'
import { ParallelError } from '../../../../src/errors.ts'

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value)
}

export function put(store: MvccStore, key: string, value: string): number {
  const transaction = store.begin()
  transaction.write(key, bytes(value))
  return transaction.commit()
}

export function valueIn(store: MvccStore, key: string): string | undefined {
  using reader = store.beginReadOnly()
  return text(reader.read(key))
}

/** What `action` throws, which must be one of the package's errors. */
export function errorOf(action: () => unknown): ParallelError {
  try {
    action()
  } catch (error) {
    if (error instanceof ParallelError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
