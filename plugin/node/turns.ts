// Lets the requests of all clients take turns, and everything else its own: timers, sockets, the miner.
// Authority on how long requests may keep the event loop to themselves.
// Must not know what a request is.

/**
 * ms of requests between two looks of the event loop at anything else. Cheap requests take some 10 us,
 * so a flood of them still does hundreds a look; a block that is due waits no longer than this.
 */
const BUDGET_MS = 5

/**
 * A queue of one entry per client: a client that wants another turn goes to its end, so that one with a
 * thousand requests and one with a single request are served alternately.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #isServing = false

  /** Resolves when it is the caller's turn; whatever it then does counts as its turn. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#isServing) return
      this.#isServing = true
      void this.#serve()
    })
  }

  async #serve(): Promise<void> {
    let start = performance.now()
    let next = this.#waiting.shift()
    while (next !== undefined) {
      next()
      // Lets the one whose turn it is run to its first wait, and those before it go on.
      await undefined
      if (performance.now() - start > BUDGET_MS) {
        await new Promise((resolve) => setImmediate(resolve))
        start = performance.now()
      }
      next = this.#waiting.shift()
    }
    this.#isServing = false
  }
}
