// The accesses of a list of transactions as flat arrays, the form that the graph is computed from.
// Authority on that form. It does not merge: a location may appear in a transaction several times,
// with the same access or others, and the graph is the same as if all were named at once.

import { ACCESS, type AccessFlags } from './access-flags.ts'

/**
 * Accesses of `count` transactions, in canonical order: those of transaction `t` are the entries from
 * `starts[t]` up to `starts[t + 1]`. The arrays may be longer than what is in use.
 */
export interface AccessRows {
  readonly count: number
  readonly starts: Int32Array
  /** Any 32-bit integers that name locations; they need not be dense. */
  readonly locations: Int32Array
  /** Of each entry, what is done to its location. */
  readonly flags: Uint8Array
}

/** Collects {@link AccessRows}: any number of accesses, then `endTransaction`, for each transaction. */
export class AccessLists implements AccessRows {
  #count = 0
  #length = 0
  #starts: Int32Array
  #locations: Int32Array
  #flags: Uint8Array

  /** The sizes are hints; the lists grow. */
  constructor(transactions = 256, accesses = 2048) {
    this.#starts = new Int32Array(transactions + 1)
    this.#locations = new Int32Array(accesses)
    this.#flags = new Uint8Array(accesses)
  }

  get count(): number {
    return this.#count
  }
  get starts(): Int32Array {
    return this.#starts
  }
  get locations(): Int32Array {
    return this.#locations
  }
  get flags(): Uint8Array {
    return this.#flags
  }

  addRead(location: number): void {
    this.add(location, ACCESS.READ)
  }

  addWrite(location: number): void {
    this.add(location, ACCESS.WRITE)
  }

  addDelta(location: number): void {
    this.add(location, ACCESS.DELTA)
  }

  /** `location` must be a 32-bit integer: it is not checked, and would be cut to one. */
  add(location: number, flags: AccessFlags): void {
    if (this.#length === this.#locations.length) this.#growEntries()
    this.#locations[this.#length] = location
    this.#flags[this.#length] = flags
    this.#length++
  }

  /** What was added since the last call is one transaction. */
  endTransaction(): void {
    this.#count++
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts, new Int32Array(this.#count * 2))
    }
    this.#starts[this.#count] = this.#length
  }

  /** Forgets all transactions and keeps the memory. */
  clear(): void {
    this.#count = 0
    this.#length = 0
  }

  #growEntries(): void {
    const length = this.#locations.length * 2 + 16
    this.#locations = grown(this.#locations, new Int32Array(length))
    this.#flags = grown(this.#flags, new Uint8Array(length))
  }
}

function grown<A extends Int32Array | Uint8Array>(old: A, larger: A): A {
  larger.set(old)
  return larger
}
