// A worker's private copies of contract code, one per place in shared memory.
// Code at a place never changes while the place lives; the worker forgets block places after each block
// and state places when the state region is made anew. The EVM reads code and never writes it.

import { internalError } from '../errors.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'

/** Private copies kept at most; above it everything is forgotten, which only costs copying again. */
const LIMIT = 4096

export class CodeCache {
  readonly #ofState = new Map<number, Uint8Array>()
  readonly #ofFlat = new Map<number, Uint8Array>()
  #flat: SharedRegion | undefined
  #flatId = 0
  readonly #ofBlock = new Map<number, Uint8Array>()

  /** Code in the memory of a flat state from now on; `id` tells states apart. */
  useFlat(region: SharedRegion | undefined, id: number): void {
    if (id !== this.#flatId) this.#ofFlat.clear()
    this.#flatId = id
    this.#flat = region
  }

  /** The code at `at` (bytes with their length) in the state region, or at -`at` in a flat state's. */
  ofState(region: SharedRegion, at: number): Uint8Array {
    if (at >= 0) return read(this.#ofState, region, at)
    if (this.#flat === undefined) throw internalError('code lies in a flat state that is not there')
    return read(this.#ofFlat, this.#flat, -at)
  }

  /** The same in the block region. */
  ofBlock(region: SharedRegion, at: number): Uint8Array {
    return read(this.#ofBlock, region, at)
  }

  forgetBlock(): void {
    this.#ofBlock.clear()
  }

  forgetState(): void {
    this.#ofState.clear()
  }
}

function read(cache: Map<number, Uint8Array>, region: SharedRegion, at: number): Uint8Array {
  const known = cache.get(at)
  if (known !== undefined) return known
  if (cache.size >= LIMIT) cache.clear()
  const code = readSizedBytes(region, at)
  cache.set(at, code)
  return code
}
