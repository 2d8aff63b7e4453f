// The blocks of a chain by number, by hash, and by the hashes of their transactions; ranges of empty
// blocks are one entry each. The authority on what is found under which name.
// Must not know what a block means: whoever appends has made sure that it follows the one before.

import type { ChainRules } from '../chain-rules.ts'
import type { Hex } from '../hex.ts'
import type { ArchiveEntry, BlockArchive } from './block-archive.ts'
import { BlockCache } from './block-cache.ts'
import { decodeBlock, encodeBlock } from './block-codec.ts'
import { blockOfRange, type EmptyRange } from './empty-range.ts'
import { type SealedBlock, sealBlock } from './sealed-block.ts'

export interface TransactionPlace {
  readonly sealed: SealedBlock
  readonly index: number
}

/** Blocks of ranges whose hashes are remembered: those that somebody has seen last. */
const MOST_SEEN = 100_000

export class BlockRecords {
  readonly #rules: ChainRules
  readonly #archive: BlockArchive
  /** In ascending order, without gaps. */
  readonly #entries: ArchiveEntry[]
  readonly #cache: BlockCache
  /** Blocks of ranges are made when they are asked for, so their hashes are known from then on. */
  readonly #seen = new Map<Hex, number>()

  constructor(rules: ChainRules, archive: BlockArchive) {
    this.#rules = rules
    this.#archive = archive
    this.#cache = new BlockCache((number) => archive.release(number))
    this.#entries = archive.entries()
  }

  /** -1 where there is none. */
  get last(): number {
    return this.#entries.at(-1)?.last ?? -1
  }

  /** All of them, for who opens a chain. */
  get entries(): readonly ArchiveEntry[] {
    return this.#entries
  }

  /** Keeps a block, which is no part of the chain before it is appended. */
  prepare(sealed: SealedBlock, logFilter: Uint8Array | undefined): void {
    this.#archive.put({
      number: Number(sealed.header.number),
      hash: sealed.hash,
      encode: () => encodeBlock(sealed),
      transactionHashes: sealed.transactions.map(({ hash }) => hash),
      logFilter,
    })
  }

  /** Takes back what was prepared and will not be appended. */
  discard(sealed: SealedBlock): void {
    this.#remove(Number(sealed.header.number), sealed)
  }

  /** Appends a block that was prepared. */
  append(sealed: SealedBlock): void {
    const number = Number(sealed.header.number)
    this.#entries.push({ first: number, last: number })
    this.#cache.set(number, sealed)
  }

  appendRange(range: EmptyRange): void {
    this.#archive.putRange(range)
    this.#entries.push({ first: Number(range.first), last: Number(range.last), range })
  }

  /** Forgets all blocks above `number`. */
  truncate(number: number): void {
    while (this.last > number) {
      const { first, last, range } = this.#entries.at(-1) as ArchiveEntry
      if (range === undefined) {
        this.#remove(last, this.byNumber(last) as SealedBlock)
        this.#entries.pop()
      } else {
        this.#archive.cutRange(range, number)
        this.#entries.pop()
        if (first > number) continue
        this.#entries.push({ first, last: number, range: { ...range, last: BigInt(number) } })
      }
    }
    for (const [hash, seen] of this.#seen) if (seen > number) this.#seen.delete(hash)
  }

  byNumber(number: number): SealedBlock | undefined {
    const cached = this.#cache.get(number)
    if (cached !== undefined) return cached
    const entry = this.#find(number)
    if (entry === undefined) return undefined
    if (entry.range !== undefined) return this.#ofRange(entry.range, number)
    const bytes = this.#archive.bytes(number)
    if (bytes === undefined) return undefined
    const sealed = decodeBlock(bytes, this.#rules)
    this.#cache.set(number, sealed)
    return sealed
  }

  numberOf(hash: Hex): number | undefined {
    return this.#seen.get(hash) ?? this.#archive.numberOf(hash)
  }

  transaction(hash: Hex): TransactionPlace | undefined {
    const place = this.#archive.placeOf(hash)
    if (place === undefined || place[0] > this.last) return undefined
    const sealed = this.byNumber(place[0])
    return sealed && { sealed, index: place[1] }
  }

  #ofRange(range: EmptyRange, number: number): SealedBlock {
    const sealed = sealBlock(blockOfRange(range, BigInt(number), this.#rules.common), [], [])
    if (this.#seen.size >= MOST_SEEN) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest)
        break
      }
    }
    this.#seen.set(sealed.hash, number)
    return sealed
  }

  #remove(number: number, { hash, transactions }: SealedBlock): void {
    this.#cache.delete(number)
    this.#archive.remove(
      number,
      hash,
      transactions.map((it) => it.hash),
    )
  }

  #find(number: number): ArchiveEntry | undefined {
    const entries = this.#entries
    let [low, high] = [0, entries.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const entry = entries[middle] as ArchiveEntry
      if (entry.last < number) low = middle + 1
      else if (entry.first > number) high = middle - 1
      else return entry
    }
    return undefined
  }
}
