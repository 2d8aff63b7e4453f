// Seeded pseudo-random numbers, on private or on shared words.
// Authority on reproducibility: everything that a schedule decides by chance comes from here.

/** Draws the next number in 0..2^32-1 from the generator whose state is `words[at]` (never 0). */
export function nextRandom(words: Int32Array, at: number): number {
  let state = words[at]
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  words[at] = state
  // The low bits of xorshift are weak; a multiplication spreads the high ones.
  return Math.imul(state, 0x9e3779b1) >>> 0
}

/** A generator state for `seed`; close seeds give unlike states. */
export function randomState(seed: number): number {
  let hash = Math.imul(seed ^ 0x5bf03635, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
  hash ^= hash >>> 16
  return hash === 0 ? 1 : hash
}

/** A generator on private words. */
export class Random {
  readonly #words = new Int32Array(1)

  constructor(seed: number) {
    this.#words[0] = randomState(seed)
  }

  /** 0..count-1 */
  below(count: number): number {
    return nextRandom(this.#words, 0) % count
  }

  /** True once in `odds` draws. */
  oneIn(odds: number): boolean {
    return this.below(odds) === 0
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }
}
