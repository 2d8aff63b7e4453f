// Which state root belongs to which block, and which of them the state keeps.
// The authority on how far back states can be read: as far as what changed since fits a budget, and
// further where a snapshot holds on. Must not change the state itself.

import type { FlatState } from '../../../src/index.ts'
import { hexOf } from '../hex.ts'

/**
 * Changed transactions that kept states may add up to. A transaction changes some 4 records of 150 bytes,
 * so this is about 300 MB at the worst, or 50,000 blocks of a few transactions.
 */
const BUDGET = 500_000
/** What a block costs beyond its transactions: system contracts, the version itself. */
const BLOCK_WEIGHT = 8

interface Row {
  /** The last block that has it: a range of empty blocks is one row. */
  readonly number: number
  root: Uint8Array
  readonly weight: number
}

export class StateRoots {
  readonly #state: FlatState
  /** Ascending. */
  readonly #rows: Row[] = []
  /** Rows before this one are not kept any more. */
  #firstKept = 0
  #weight = 0
  /** A chain that was opened knows no roots before its head. */
  #first = Number.POSITIVE_INFINITY
  /** How many rows and marks refer to a root. */
  readonly #uses = new Map<string, number>()

  constructor(state: FlatState) {
    this.#state = state
  }

  append(number: number, root: Uint8Array, transactions: number): void {
    if (this.#rows.length === 0) this.#first = Math.min(this.#first, number)
    const weight = transactions + BLOCK_WEIGHT
    this.#rows.push({ number, root, weight })
    this.hold(root)
    this.#weight += weight
    while (this.#weight > BUDGET && this.#firstKept < this.#rows.length - 1) {
      const oldest = this.#rows[this.#firstKept++] as Row
      this.#weight -= oldest.weight
      this.release(oldest.root)
    }
  }

  /** The root after block `number`, kept or not; undefined before the first block that it knows of. */
  at(number: number): Uint8Array | undefined {
    if (number < this.#first) return undefined
    let [low, high] = [0, this.#rows.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#rows[middle] as Row).number < number) low = middle + 1
      else high = middle
    }
    return this.#rows[low]?.root
  }

  replaceLast(root: Uint8Array): void {
    const last = this.#rows.at(-1) as Row
    this.hold(root)
    this.release(last.root)
    last.root = root
  }

  /** Forgets what follows block `number`, whose root is `root` then. */
  truncate(number: number, root: Uint8Array): void {
    this.hold(root)
    let next: Row | undefined
    while ((this.#rows.at(-1)?.number ?? -1) >= number) {
      next = this.#rows.pop() as Row
      if (this.#firstKept > this.#rows.length) {
        // It was let go already, and so was what came before it.
        this.#firstKept = this.#rows.length
        continue
      }
      this.#weight -= next.weight
      this.release(next.root)
    }
    this.append(number, root, 0)
    this.release(root)
  }

  hold(root: Uint8Array): void {
    const name = hexOf(root)
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1)
  }

  release(root: Uint8Array): void {
    const name = hexOf(root)
    const uses = (this.#uses.get(name) ?? 0) - 1
    if (uses > 0) {
      this.#uses.set(name, uses)
      return
    }
    this.#uses.delete(name)
    this.#state.forgetStateRoot(root)
  }
}
