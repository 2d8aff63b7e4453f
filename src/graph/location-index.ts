// Numbers locations in the order in which they are met, so that arrays can be indexed by them.
// Authority on nothing beyond one computation: the numbers mean nothing elsewhere.

/**
 * Chosen per process, so that nobody can choose locations that share a slot. It changes where things
 * lie in the table and nothing that comes out of it.
 */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0

/** An open-addressing table from 32-bit integers to 0, 1, 2, ... */
export class LocationIndex {
  /** 1 + number, 0 where the slot is free. At most half of them are in use. */
  readonly #slots: Int32Array
  readonly #locations: Int32Array
  #count = 0

  /** For at most `capacity` different locations. */
  constructor(capacity: number) {
    this.#slots = new Int32Array(2 << (32 - Math.clz32(capacity)))
    this.#locations = new Int32Array(capacity)
  }

  /** The number of `location`, a new one if it was not met before. */
  numberOf(location: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let hash = Math.imul(location ^ SEED, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    for (let slot = (hash ^ (hash >>> 13)) & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot]
      if (held === 0) {
        this.#locations[this.#count] = location
        slots[slot] = ++this.#count
        return this.#count - 1
      }
      if (this.#locations[held - 1] === location) return held - 1
    }
  }
}
