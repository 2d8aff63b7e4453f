// Blocks of shared memory that are taken and given back by any thread, in sizes that grow by steps.
// Authority on which sizes there are and on when a block is used again. Must not know what is in one.
//
// Each thread has a few free blocks of its own of each size; lists that all share stand behind them, one
// lock each. Whoever gives a block back says thereby that no thread can reach it any more.

import { ParallelError } from '../errors.ts'
import type { AtomicOperations } from './atomics.ts'
import { MOST_REMNANTS, STORE } from './engine-layout.ts'
import { lock, unlock } from './lock.ts'
import type { SharedRegion } from './shared-region.ts'

/** Sizes in words: a power of two, and one and a half times it, so that a third is lost at most. */
const SMALLEST = 8
export const SIZES: readonly number[] = Array.from({ length: 50 }, (_, i) =>
  i % 2 === 0 ? SMALLEST << (i >> 1) : (SMALLEST + (SMALLEST >> 1)) << (i >> 1),
)
/**
 * Words that are moved at once between a thread's own blocks and the shared ones. A collection frees
 * thousands of versions, which the same thread mostly uses again: those should not go through a list.
 */
const MOVED_WORDS = 16_384
const BLOCKS_MOVED = SIZES.map((size) => Math.max(1, Math.floor(MOVED_WORDS / size)))
/** Words of fresh memory that a thread takes at once. */
const FRESH_WORDS = 2048
/** Larger pieces are taken for themselves, so that the rest of the last one still serves small ones. */
const LARGE_WORDS = FRESH_WORDS / 4
/** Shorter remnants are not worth a place. */
const LEAST_REMNANT = 64
/** Part of the region from which on memory counts as tight: the rest is for keys, and for other sizes. */
const TIGHT = 0.75
/** Block words 0 and 1 while it is free: the next free one. */
const NEXT_FREE = 0

/** The number of the smallest size that has `words` words. */
export function sizeClass(words: number): number {
  if (words <= SMALLEST) return 0
  const power = 31 - Math.clz32(words - 1)
  const base = (power - 3) * 2
  return words <= SIZES[base + 1] ? base + 1 : base + 2
}

export class FreeLists {
  readonly region: SharedRegion
  readonly #atomics: AtomicOperations
  readonly #control: Int32Array
  readonly #tightWords: number
  /** What is left of the fresh memory that this thread has taken. */
  #next = 0
  #end = 0
  readonly #own: number[][] = SIZES.map(() => [])

  constructor(atomics: AtomicOperations, control: Int32Array, region: SharedRegion) {
    this.#atomics = atomics
    this.#control = control
    this.region = region
    this.#tightWords = (region.buffer.maxByteLength / 4) * TIGHT
  }

  /**
   * A block of at least `words` words. It holds whatever was there before.
   * @throws ParallelError `STORE_FULL` where neither a free block nor fresh memory is left.
   */
  take(words: number): number {
    const size = sizeClass(words)
    const own = this.#own[size]
    if (own === undefined) throw full(words, this.region)
    if (own.length === 0) this.#refill(size, own)
    return own.pop() ?? this.fresh(SIZES[size])
  }

  /** Whether {@link take} would find a block that was given back; others may take it first. */
  hasFree(words: number): boolean {
    const size = sizeClass(words)
    if (size >= SIZES.length) return false
    return (
      this.#own[size].length > 0 ||
      this.#atomics.load(this.#control, STORE.CLASS_HEADS + size) !== 0
    )
  }

  /** Words that are never given back. @throws ParallelError `STORE_FULL` */
  fresh(words: number): number {
    if (this.#next + words > this.#end) {
      if (words > LARGE_WORDS) return this.#allocate(words)
      this.#openPiece(words)
    }
    const first = this.#next
    this.#next += words
    return first
  }

  /** Most of the region was used already: what is free should be used again rather than more of it. */
  get isTight(): boolean {
    return this.region.used() > this.#tightWords
  }

  #openPiece(words: number): void {
    const [next, end] = [this.#next, this.#end]
    if (!this.#takeRemnant(words)) {
      this.#next = this.#allocate(FRESH_WORDS)
      this.#end = this.#next + FRESH_WORDS
    }
    this.#leaveRemnant(next, end)
  }

  /** Takes over what another thread left, if it has room for `words`. */
  #takeRemnant(words: number): boolean {
    for (let place = STORE.REMNANTS; place < STORE.REMNANTS + MOST_REMNANTS; place++) {
      const start = this.#atomics.load(this.#control, place)
      if (start === 0) continue
      // Whoever takes it has it alone, and may look how long it is.
      if (this.#atomics.compareExchange(this.#control, place, start, 0) !== start) continue
      const end = start + this.region.reach(start)[start]
      if (end - start >= words) {
        this.#next = start
        this.#end = end
        return true
      }
      this.#leaveRemnant(start, end)
    }
    return false
  }

  #leaveRemnant(start: number, end: number): void {
    if (end - start < LEAST_REMNANT) return
    this.region.reach(start)[start] = end - start
    for (let place = STORE.REMNANTS; place < STORE.REMNANTS + MOST_REMNANTS; place++) {
      if (this.#atomics.compareExchange(this.#control, place, 0, start) === 0) return
    }
  }

  #allocate(words: number): number {
    // The region counts what it refuses too, and would count for ever.
    if ((this.region.used() + words) * 4 > this.region.buffer.maxByteLength + FRESH_WORDS * 4) {
      throw full(words, this.region)
    }
    try {
      return this.region.allocate(words)
    } catch (error) {
      throw error instanceof ParallelError && error.code === 'STORE_FULL'
        ? full(words, this.region)
        : error
    }
  }

  /** Gives a block back that was taken for `words` words. */
  give(block: number, words: number): void {
    const size = sizeClass(words)
    const own = this.#own[size]
    own.push(block)
    if (own.length >= 2 * BLOCKS_MOVED[size]) this.#share(size, own, BLOCKS_MOVED[size])
  }

  /** Gives this thread's own blocks to all, and what is left of its fresh memory. */
  giveAll(): void {
    this.#leaveRemnant(this.#next, this.#end)
    this.#next = 0
    this.#end = 0
    for (const [size, own] of this.#own.entries()) {
      if (own.length > 0) this.#share(size, own, own.length)
    }
  }

  /** Words in shared lists. */
  freeWords(): number {
    let words = 0
    for (const [size, each] of SIZES.entries()) {
      words += each * this.#atomics.load(this.#control, STORE.CLASS_COUNTS + size)
    }
    return words
  }

  #refill(size: number, own: number[]): void {
    const head = STORE.CLASS_HEADS + size
    if (this.#atomics.load(this.#control, head) === 0) return
    lock(this.#atomics, this.#control, STORE.CLASS_LOCKS + size)
    let block = this.#atomics.load(this.#control, head)
    for (let left = BLOCKS_MOVED[size]; left > 0 && block !== 0; left--) {
      own.push(block)
      block = this.region.reach(block + SMALLEST)[block + NEXT_FREE]
    }
    this.#atomics.store(this.#control, head, block)
    this.#atomics.sub(this.#control, STORE.CLASS_COUNTS + size, own.length)
    unlock(this.#atomics, this.#control, STORE.CLASS_LOCKS + size)
  }

  #share(size: number, own: number[], count: number): void {
    const head = STORE.CLASS_HEADS + size
    lock(this.#atomics, this.#control, STORE.CLASS_LOCKS + size)
    let first = this.#atomics.load(this.#control, head)
    for (let i = 0; i < count; i++) {
      const block = own.pop() as number
      this.region.reach(block + SMALLEST)[block + NEXT_FREE] = first
      first = block
    }
    this.#atomics.store(this.#control, head, first)
    this.#atomics.add(this.#control, STORE.CLASS_COUNTS + size, count)
    unlock(this.#atomics, this.#control, STORE.CLASS_LOCKS + size)
  }
}

function full(words: number, region: SharedRegion): ParallelError {
  return new ParallelError(
    'STORE_FULL',
    `The store is full: ${words * 4} more bytes do not fit into ${region.buffer.maxByteLength}; raise maxMiB, end transactions that are open for long, or collect with gc()`,
  )
}
