// A seeded hash over 32-bit words, for tables in shared memory.
// Authority on nothing but speed and spread: equal hashes never mean equal keys.

/** Takes `word` into `hash`. */
export function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return (mixed << 13) | (mixed >>> 19)
}

/** The hash of all words that were taken in. */
export function finishMix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}
