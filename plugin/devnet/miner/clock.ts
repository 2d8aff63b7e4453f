// The time of blocks: the machine's, shifted by what clients asked for.
// The authority on the next block's timestamp. Times are Unix times in whole seconds.

import { invalidInput } from '../rpc-error.ts'

export interface ClockState {
  readonly offset: bigint
  readonly nextTimestamp: bigint | undefined
}

export class Clock {
  readonly #now: () => number
  readonly #allowsSame: boolean
  #offset: bigint
  #nextTimestamp: bigint | undefined

  /** `now` in ms. `allowsSame`: whether a block may have its parent's timestamp. */
  constructor(now: () => number, offset = 0n, allowsSame = false) {
    this.#now = now
    this.#offset = offset
    this.#allowsSame = allowsSame
  }

  get offset(): bigint {
    return this.#offset
  }

  get state(): ClockState {
    return { offset: this.#offset, nextTimestamp: this.#nextTimestamp }
  }

  set state({ offset, nextTimestamp }: ClockState) {
    this.#offset = offset
    this.#nextTimestamp = nextTimestamp
  }

  #seconds(): bigint {
    return BigInt(Math.floor(this.#now() / 1000))
  }

  /** Shifts the time of all blocks to come; returns the whole shift. */
  increase(seconds: bigint): bigint {
    checkPossible(this.#seconds() + this.#offset + seconds)
    this.#offset += seconds
    return this.#offset
  }

  /** @throws RpcError if it is not after the parent's */
  setNext(timestamp: bigint, parent: bigint): void {
    this.check(timestamp, parent)
    this.#nextTimestamp = timestamp
  }

  /** The timestamp that a block on `parent` would get now. */
  peek(parent: bigint): bigint {
    if (this.#nextTimestamp !== undefined) return this.#nextTimestamp
    const shifted = this.#seconds() + this.#offset
    if (shifted === parent && this.#allowsSame) return shifted
    if (shifted > parent) return shifted
    checkPossible(parent + 1n)
    return parent + 1n
  }

  /** @throws RpcError if a block with this timestamp cannot follow `parent`'s */
  check(timestamp: bigint, parent: bigint): void {
    if (timestamp === parent && this.#allowsSame) return
    checkAfter(timestamp, parent)
  }

  /** A block with this timestamp was made: time goes on from there. */
  use(timestamp: bigint): void {
    this.#nextTimestamp = undefined
    this.moveTo(timestamp)
  }

  /** Lets the time go on from `timestamp`, unless it is there already. */
  moveTo(timestamp: bigint): void {
    const now = this.#seconds()
    if (timestamp !== now + this.#offset) this.#offset = timestamp - now
  }
}

/** Timestamps of headers have 64 bits; beyond half of that something else is meant. */
const LAST_TIMESTAMP = 2n ** 63n - 1n

/** @throws RpcError for a time that no block can have */
export function checkPossible(timestamp: bigint): void {
  if (timestamp <= LAST_TIMESTAMP) return
  throw invalidInput(`Timestamp ${timestamp} is too far in the future`)
}

function checkAfter(timestamp: bigint, parent: bigint): void {
  checkPossible(timestamp)
  if (timestamp > parent) return
  if (timestamp === parent) {
    throw invalidInput(
      `Timestamp ${timestamp} is equal to the previous block's timestamp. Enable the 'allowBlocksWithSameTimestamp' option to allow this`,
    )
  }
  throw invalidInput(
    `Timestamp ${timestamp} is lower than the previous block's timestamp ${parent}`,
  )
}
