// The blocks that were last looked at, ready for use.
// The authority on how many: as many as have so many transactions in all.

import type { SealedBlock } from './sealed-block.ts'

/** Decoded, 20,000 transactions with their receipts are some 60 MB. */
const MOST_TRANSACTIONS = 20_000
/** A block counts as one more, so that empty ones are bounded too. */
const MOST_BLOCKS = 1_024

export class BlockCache {
  readonly #blocks = new Map<number, SealedBlock>()
  readonly #onDropped: (number: number) => void
  #transactions = 0

  /** `onDropped` hears of each block that had to make room for others. */
  constructor(onDropped: (number: number) => void) {
    this.#onDropped = onDropped
  }

  get(number: number): SealedBlock | undefined {
    const found = this.#blocks.get(number)
    if (found !== undefined) {
      this.#blocks.delete(number)
      this.#blocks.set(number, found)
    }
    return found
  }

  set(number: number, sealed: SealedBlock): void {
    this.delete(number)
    this.#blocks.set(number, sealed)
    this.#transactions += sealed.transactions.length
    for (const oldest of this.#blocks.keys()) {
      const isFull = this.#transactions > MOST_TRANSACTIONS || this.#blocks.size > MOST_BLOCKS
      if (!isFull || oldest === number) return
      this.delete(oldest)
      this.#onDropped(oldest)
    }
  }

  delete(number: number): void {
    const found = this.#blocks.get(number)
    if (found === undefined) return
    this.#blocks.delete(number)
    this.#transactions -= found.transactions.length
  }
}
