// Where the bytes of blocks are kept, by number, and what leads to them. In memory here; on disk in
// lmdb-archive.ts. The authority on the interface. Must not know what the bytes mean.

import type { Hex } from '../hex.ts'
import type { EmptyRange } from './empty-range.ts'

export interface ArchivedBlock {
  readonly number: number
  readonly hash: Hex
  /** Makes the block's bytes; called once. */
  readonly encode: () => Uint8Array
  readonly transactionHashes: readonly Hex[]
  /** For the index of logs; undefined where there are none. */
  readonly logFilter: Uint8Array | undefined
}

export type TransactionIndex = readonly [number: number, index: number]

/** Blocks from `first` on; without a range it is one block. */
export interface ArchiveEntry {
  readonly first: number
  readonly last: number
  readonly range?: EmptyRange
}

export interface BlockArchive {
  /** What it has from before, in ascending order. */
  entries(): ArchiveEntry[]
  put(block: ArchivedBlock): void
  /** Nobody else has the block at hand any more: only its bytes are to be held. */
  release(number: number): void
  putRange(range: EmptyRange): void
  /** Removes a block, whose hashes these are. */
  remove(number: number, hash: Hex, transactionHashes: readonly Hex[]): void
  /** Removes a range, or all of it that lies above `number`. */
  cutRange(range: EmptyRange, number: number): void
  bytes(number: number): Uint8Array | undefined
  numberOf(hash: Hex): number | undefined
  placeOf(transactionHash: Hex): TransactionIndex | undefined
  logFilter(number: number): Uint8Array | undefined
  /**
   * Notes that the state after block `number` is about to have, or to have again, this root. What was noted
   * of the block before is kept beside it, until the next block.
   */
  noteRoot(number: number, root: Uint8Array): void
  /** The roots that were noted, the newest last. */
  rootsOf(number: number): readonly Uint8Array[]
  close(): Promise<void>
}

/** A place as one number takes a third of the memory of an array. */
type Place = number | TransactionIndex
/** Places in a block, and numbers of blocks, of which a double holds both exactly. */
const MOST_INDICES = 2 ** 20
const MOST_NUMBERS = 2 ** 33

function packed(number: number, index: number): Place {
  const fits = number < MOST_NUMBERS && index < MOST_INDICES
  return fits ? number * MOST_INDICES + index : [number, index]
}

function unpacked(place: number): TransactionIndex {
  return [Math.floor(place / MOST_INDICES), place % MOST_INDICES]
}

export class MemoryArchive implements BlockArchive {
  readonly #bytes = new Map<number, Uint8Array>()
  /** Of blocks whose bytes nobody has asked for yet: most chains end before their blocks have to be encoded. */
  readonly #encoders = new Map<number, () => Uint8Array>()
  readonly #numbers = new Map<Hex, number>()
  readonly #places = new Map<Hex, Place>()

  entries(): ArchiveEntry[] {
    return []
  }

  put({ number, hash, encode, transactionHashes }: ArchivedBlock): void {
    this.#encoders.set(number, encode)
    this.#numbers.set(hash, number)
    for (const [index, name] of transactionHashes.entries())
      this.#places.set(name, packed(number, index))
  }

  release(number: number): void {
    const encode = this.#encoders.get(number)
    if (encode === undefined) return
    this.#encoders.delete(number)
    this.#bytes.set(number, encode())
  }

  putRange(): void {}

  remove(number: number, hash: Hex, transactionHashes: readonly Hex[]): void {
    this.#bytes.delete(number)
    this.#encoders.delete(number)
    this.#numbers.delete(hash)
    for (const name of transactionHashes) this.#places.delete(name)
  }

  cutRange(): void {}

  bytes(number: number): Uint8Array | undefined {
    this.release(number)
    return this.#bytes.get(number)
  }

  numberOf(hash: Hex): number | undefined {
    return this.#numbers.get(hash)
  }

  placeOf(transactionHash: Hex): TransactionIndex | undefined {
    const place = this.#places.get(transactionHash)
    return typeof place === 'number' ? unpacked(place) : place
  }

  logFilter(): undefined {
    return undefined
  }

  noteRoot(): void {}

  rootsOf(): readonly Uint8Array[] {
    return []
  }

  async close(): Promise<void> {}
}
