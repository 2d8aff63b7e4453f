// The code of a flat state's contracts, each once, by its hash.
// Authority on entries of code, which never go away and never change, except that bytes are added to one
// whose hash was put alone. Only on the thread that owns the state.

import { equalsBytes, KECCAK256_NULL } from '@ethereumjs/util'
import { FLAT_CODE } from '../memory/flat-layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { readSizedBytes, writeSizedBytes } from '../memory/sized-bytes.ts'
import { readBytes } from '../memory/word-codec.ts'
import type { FlatPages } from './flat-pages.ts'
import { hexOf } from './hex.ts'

export class FlatCodes {
  readonly #region: SharedRegion
  readonly #pages: FlatPages | undefined
  readonly #entries = new Map<string, number>()

  /** `pages` hears of entries that get their bytes later. */
  constructor(region: SharedRegion, pages?: FlatPages) {
    this.#region = region
    this.#pages = pages
  }

  /** The entry of a hash, 0 for that of no code. @throws ParallelError `STORE_FULL` */
  entry(hash: Uint8Array): number {
    if (equalsBytes(hash, KECCAK256_NULL)) return 0
    const name = hexOf(hash)
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      entry = this.#region.allocate(FLAT_CODE.WORDS)
      this.#region.bytes.set(hash, (entry + FLAT_CODE.HASH) * 4)
      this.#region.words[entry + FLAT_CODE.PLACE] = 0
      this.#entries.set(name, entry)
    }
    return entry
  }

  /** Takes up an entry that the region has already. */
  adopt(entry: number): void {
    this.#entries.set(hexOf(this.hash(entry)), entry)
  }

  /** Puts code under its hash. @throws ParallelError `STORE_FULL` */
  put(hash: Uint8Array, code: Uint8Array): void {
    const entry = this.entry(hash)
    if (entry === 0 || this.#region.words[entry + FLAT_CODE.PLACE] !== 0) return
    const place = writeSizedBytes(this.#region, code)
    this.#region.words[entry + FLAT_CODE.PLACE] = place
    this.#pages?.touch(entry, FLAT_CODE.WORDS)
  }

  hash(entry: number): Uint8Array {
    return entry === 0 ? KECCAK256_NULL : readBytes(this.#region.bytes, entry + FLAT_CODE.HASH, 32)
  }

  /** The bytes of an entry; none where nobody has put them, as stock has it. */
  code(entry: number): Uint8Array {
    const place = entry === 0 ? 0 : this.#region.words[entry + FLAT_CODE.PLACE]
    return place === 0 ? new Uint8Array(0) : readSizedBytes(this.#region, place)
  }
}
