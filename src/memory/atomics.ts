// The atomic operations that shared structures use, as an object that tests can replace.
// Authority on which operations exist; every shared word is touched through it or is private.

/** The subset of `Atomics` used on `Int32Array`s; the interleaver substitutes its own. */
export interface AtomicOperations {
  load(words: Int32Array, index: number): number
  store(words: Int32Array, index: number, value: number): number
  add(words: Int32Array, index: number, value: number): number
  sub(words: Int32Array, index: number, value: number): number
  compareExchange(words: Int32Array, index: number, expected: number, replacement: number): number
  notify(words: Int32Array, index: number, count?: number): number
  wait(
    words: Int32Array,
    index: number,
    value: number,
    timeout?: number,
  ): 'ok' | 'not-equal' | 'timed-out'
}

/** The machine's own atomics. */
export const nativeAtomics: AtomicOperations = Atomics
