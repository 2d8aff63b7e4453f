// Repeatable pseudo-random choices for the workloads: the same text seed gives the same sequence.
// The authority on how a seed becomes choices and bytes.
// Must not be used where unpredictability matters: the keys it leads to are public.
import { keccak_256 } from '@noble/hashes/sha3.js'

export interface Random {
  /** An integer from 0 to `below` - 1. */
  integer(below: number): number
  /** The same elements in another order; the given list stays as it is. */
  shuffled<Element>(elements: readonly Element[]): Element[]
}

export function createRandom(seed: string): Random {
  const digest = bytesOf(seed)
  let state = new DataView(digest.buffer, digest.byteOffset).getUint32(0)

  // Mulberry32: 32 bits of state are plenty for a benchmark and it is the same on every platform.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  const integer = (below: number): number => Math.floor((next() / 2 ** 32) * below)
  return {
    integer,
    shuffled(elements) {
      const result = [...elements]
      for (let last = result.length - 1; last > 0; last--) {
        const chosen = integer(last + 1)
        ;[result[last], result[chosen]] = [result[chosen]!, result[last]!]
      }
      return result
    },
  }
}

/** 32 bytes that depend on the seed alone. */
export function bytesOf(seed: string): Uint8Array {
  return keccak_256(new TextEncoder().encode(seed))
}
