// Records what contracts hash while a transaction runs whose accesses are to be learned from: a storage
// slot's place is a hash, and says nothing without what was hashed. Authority on the form of the log.
// One log per worker: one lane runs at a time, and says so whenever it begins or goes on.

import type { TxIndex } from '../ids.ts'
import type { RegionAllocator, SharedRegion } from '../memory/shared-region.ts'
import { readSizedBytes, writeSizedBytes } from '../memory/sized-bytes.ts'

/** Longer inputs are data, and not the places of mappings, arrays or strings. */
const LONGEST_PREIMAGE = 256
/** Hashes kept per transaction: one that hashes in a loop must not fill memory. */
const MOST_HASHES = 512
const HASH_BYTES = 32

/** One hash that the EVM computed. */
export interface Hashed {
  hash: Uint8Array
  preimage: Uint8Array
}

type Hash = (bytes: Uint8Array) => Uint8Array

export class PreimageLog {
  /** The entries of incarnations under way. */
  readonly #entries = new Map<TxIndex, Hashed[]>()
  #current: Hashed[] | undefined

  /** `hash`, with a look at what goes in and comes out. */
  watch(hash: Hash): Hash {
    return (bytes) => {
      const result = hash(bytes)
      const entries = this.#current
      if (
        entries !== undefined &&
        bytes.length <= LONGEST_PREIMAGE &&
        entries.length < MOST_HASHES
      ) {
        entries.push({ hash: result.slice(), preimage: bytes.slice() })
      }
      return result
    }
  }

  /** An incarnation begins; `isWanted` says whether it is recorded. */
  begin(transaction: TxIndex, isWanted: boolean): void {
    if (isWanted) this.#entries.set(transaction, [])
    else this.#entries.delete(transaction)
    this.#current = this.#entries.get(transaction)
  }

  /** The lane of `transaction` goes on. */
  resume(transaction: TxIndex): void {
    this.#current = this.#entries.get(transaction)
  }

  /** Ends an incarnation; returns the block offset of its entries, 0 if none were recorded. */
  finish(transaction: TxIndex, allocator: RegionAllocator): number {
    const entries = this.#entries.get(transaction)
    this.#entries.delete(transaction)
    this.#current = undefined
    if (entries === undefined || entries.length === 0) return 0
    return writeSizedBytes(allocator, encode(entries))
  }

  /** A new block begins: what an aborted one left is void. */
  clear(): void {
    this.#entries.clear()
    this.#current = undefined
  }
}

/** The entries at block offset `at`, which {@link PreimageLog.finish} returned. */
export function readPreimages(block: SharedRegion, at: number): Hashed[] {
  if (at === 0) return []
  const bytes = readSizedBytes(block, at)
  const entries: Hashed[] = []
  for (let from = 0; from < bytes.length; ) {
    const length = (bytes[from] << 8) | bytes[from + 1]
    const hash = from + 2
    const preimage = hash + HASH_BYTES
    entries.push({
      hash: bytes.slice(hash, preimage),
      preimage: bytes.slice(preimage, preimage + length),
    })
    from = preimage + length
  }
  return entries
}

function encode(entries: readonly Hashed[]): Uint8Array {
  const length = entries.reduce((sum, { preimage }) => sum + 2 + HASH_BYTES + preimage.length, 0)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { hash, preimage } of entries) {
    bytes[at] = preimage.length >>> 8
    bytes[at + 1] = preimage.length & 0xff
    bytes.set(hash, at + 2)
    bytes.set(preimage, at + 2 + HASH_BYTES)
    at += 2 + HASH_BYTES + preimage.length
  }
  return bytes
}
