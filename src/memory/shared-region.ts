// A growable stretch of shared memory, seen as 32-bit words and as bytes.
// Authority on growth; it neither knows what the words mean nor ever frees one.
//
// A view that tracks a growable buffer's length reads about 20 times slower than one of fixed
// length (measured, Node 24), so views are fixed and made anew when an index lies past their end.

import { ParallelError } from '../errors.ts'
import { type AtomicOperations, nativeAtomics } from './atomics.ts'

/** Word 0 of every region is the first free word; allocation is an atomic add on it. */
const NEXT_FREE = 0
/** Words before this one are the region's own. */
export const REGION_HEADER_WORDS = 16
/** Growing in large steps keeps the number of new views small; memory is committed on touch. */
const GROWTH_BYTES = 8 * 1024 * 1024

export class SharedRegion {
  readonly buffer: SharedArrayBuffer
  /** Fixed-length view; call {@link reach} before using an index that another thread handed over. */
  words!: Int32Array
  bytes!: Uint8Array
  /** This thread has asked for more than the maximum; what it computed since is void. */
  exhausted = false
  readonly #atomics: AtomicOperations

  constructor(buffer: SharedArrayBuffer, atomics: AtomicOperations = nativeAtomics) {
    this.buffer = buffer
    this.#atomics = atomics
    this.#view()
  }

  /** Makes an empty region of at most `maximumBytes`. */
  static create(maximumBytes: number, atomics: AtomicOperations = nativeAtomics): SharedRegion {
    const initial = Math.min(GROWTH_BYTES, maximumBytes)
    const region = new SharedRegion(
      new SharedArrayBuffer(initial, { maxByteLength: maximumBytes }),
      atomics,
    )
    region.reset()
    return region
  }

  /** Forgets all allocations. Only when no other thread uses the region. */
  reset(): void {
    this.#atomics.store(this.words, NEXT_FREE, REGION_HEADER_WORDS)
  }

  /** Words allocated so far, by any thread. */
  used(): number {
    return this.#atomics.load(this.words, NEXT_FREE)
  }

  /** Makes sure that the view covers `word`; returns the current view. */
  reach(word: number): Int32Array {
    if (word >= this.words.length) this.#view()
    return this.words
  }

  /**
   * Reserves `count` consecutive words and returns the first.
   * The words hold whatever was there before: the caller writes all of them before publishing.
   * @throws ParallelError `STORE_FULL` when the region's maximum is reached.
   */
  allocate(count: number): number {
    const first = this.#atomics.add(this.words, NEXT_FREE, count)
    const endByte = (first + count) * 4
    if (endByte > this.buffer.byteLength) this.#grow(endByte)
    if (endByte > this.words.byteLength) this.#view()
    return first
  }

  #grow(endByte: number): void {
    const maximum = this.buffer.maxByteLength
    if (endByte > maximum) {
      this.exhausted = true
      throw new ParallelError(
        'STORE_FULL',
        `Shared memory is full: ${endByte} bytes are needed and the limit is ${maximum} bytes; raise maxStateMiB or maxBlockMiB`,
      )
    }
    const target = Math.min(maximum, Math.ceil(endByte / GROWTH_BYTES) * GROWTH_BYTES)
    try {
      this.buffer.grow(target)
    } catch {
      // Another thread has grown it further in the meantime: shrinking is refused, which is fine.
    }
  }

  #view(): void {
    const byteLength = this.buffer.byteLength & ~3
    this.words = new Int32Array(this.buffer, 0, byteLength >> 2)
    this.bytes = new Uint8Array(this.buffer, 0, byteLength)
  }
}

/** A thread's private stock of words in a region, so that most allocations touch no shared word. */
export class RegionAllocator {
  readonly region: SharedRegion
  readonly #chunkWords: number
  #next = 0
  #end = 0

  constructor(region: SharedRegion, chunkWords = 4096) {
    this.region = region
    this.#chunkWords = chunkWords
  }

  /** Reserves `count` consecutive words; see {@link SharedRegion.allocate}. */
  allocate(count: number): number {
    if (this.#next + count > this.#end) {
      const chunk = Math.max(count, this.#chunkWords)
      this.#next = this.region.allocate(chunk)
      this.#end = this.#next + chunk
    }
    const first = this.#next
    this.#next += count
    return first
  }

  /** Gives up the stock: required after the region was reset. */
  forget(): void {
    this.#next = 0
    this.#end = 0
  }
}
