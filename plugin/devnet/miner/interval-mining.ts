// Mines a block every so often. The authority on when: a time, or one drawn anew from a range for each
// block, after the block before is done. Must not keep the process alive.

export type Interval = number | readonly [number, number]

export class IntervalMining {
  readonly #mine: () => Promise<unknown>
  #interval: Interval = 0
  #timer: NodeJS.Timeout | undefined

  constructor(mine: () => Promise<unknown>) {
    this.#mine = mine
  }

  /** ms between blocks; 0 for none. */
  get interval(): Interval {
    return this.#interval
  }

  set(interval: Interval): void {
    this.#interval = interval
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#schedule()
  }

  stop(): void {
    this.set(0)
  }

  #schedule(): void {
    const delay = delayOf(this.#interval)
    if (delay === 0) return
    const timer = setTimeout(() => void this.#tick(timer), delay)
    timer.unref()
    this.#timer = timer
  }

  async #tick(timer: NodeJS.Timeout): Promise<void> {
    try {
      await this.#mine()
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    }
    // Unless it was set anew meanwhile.
    if (this.#timer === timer) this.#schedule()
  }
}

function delayOf(interval: Interval): number {
  if (typeof interval === 'number') return interval
  const [low, high] = interval
  return Math.max(1, low + Math.floor(Math.random() * (high - low + 1)))
}
