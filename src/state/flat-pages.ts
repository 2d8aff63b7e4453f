// Which parts of a flat state's memory have changed since they were stored.
// Authority on what a page is. Must not read or write the memory.

/**
 * A page's words: so many that lmdb holds a page's bytes, with its own header, in one of its pages of 4,096.
 */
export const PAGE_WORDS = 1008

export class FlatPages {
  #flags = new Uint8Array(1024)
  #pages: number[] = []

  get count(): number {
    return this.#pages.length
  }

  /** `count` words from `word` on have changed, or will. */
  touch(word: number, count: number): void {
    const last = Math.floor((word + count - 1) / PAGE_WORDS)
    for (let page = Math.floor(word / PAGE_WORDS); page <= last; page++) {
      if (page >= this.#flags.length) this.#grow(page)
      if (this.#flags[page] !== 0) continue
      this.#flags[page] = 1
      this.#pages.push(page)
    }
  }

  /** The pages, in order. */
  get pages(): readonly number[] {
    return this.#pages.sort((a, b) => a - b)
  }

  /** They are stored. */
  clear(): void {
    for (const page of this.#pages) this.#flags[page] = 0
    this.#pages = []
  }

  #grow(page: number): void {
    const flags = new Uint8Array(2 * (page + 1))
    flags.set(this.#flags)
    this.#flags = flags
  }
}
