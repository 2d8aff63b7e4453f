// The machine's atomics with some operations replaced, for tests that step in between two of them.
// Authority on nothing.

import { type AtomicOperations, nativeAtomics } from '../../src/memory/atomics.ts'

/** The functions of `Atomics` are not enumerable, so spreading it gives nothing. */
export function atomicsWith(replaced: Partial<AtomicOperations>): AtomicOperations {
  const { load, store, add, sub, compareExchange, notify, wait } = nativeAtomics
  return { load, store, add, sub, compareExchange, notify, wait, ...replaced }
}
