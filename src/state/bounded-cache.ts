// Values by name, of at most so many bytes: what was not asked for longest goes first.
// Authority on what is evicted. Must only have what can be had again.

/** What an entry takes besides its name and value, about: of a map, of an object or array. */
const OVERHEAD_BYTES = 160

export class BoundedCache<T> {
  readonly #limit: number
  readonly #sizeOf: (value: T) => number
  readonly #entries = new Map<string, T>()
  #bytes = 0

  constructor(limitBytes: number, sizeOf: (value: T) => number) {
    this.#limit = limitBytes
    this.#sizeOf = sizeOf
  }

  /** About what all takes. */
  get bytes(): number {
    return this.#bytes
  }

  get(name: string): T | undefined {
    const value = this.#entries.get(name)
    if (value === undefined) return undefined
    // Maps are in the order of insertion.
    this.#entries.delete(name)
    this.#entries.set(name, value)
    return value
  }

  set(name: string, value: T): void {
    this.delete(name)
    this.#entries.set(name, value)
    this.#bytes += this.#bytesOf(name, value)
    for (const [oldest, it] of this.#entries) {
      if (this.#bytes <= this.#limit) return
      this.#entries.delete(oldest)
      this.#bytes -= this.#bytesOf(oldest, it)
    }
  }

  delete(name: string): void {
    const value = this.#entries.get(name)
    if (value === undefined) return
    this.#entries.delete(name)
    this.#bytes -= this.#bytesOf(name, value)
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #bytesOf(name: string, value: T): number {
    return OVERHEAD_BYTES + name.length + this.#sizeOf(value)
  }
}
