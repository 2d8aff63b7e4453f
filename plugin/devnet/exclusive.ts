// One after the other: whatever changes the chain goes through here.
// The authority on the order of changes, which is that of the calls. Reads do not wait.

export class Exclusive {
  #last: Promise<unknown> = Promise.resolve()
  #hasEnded = false

  /** @throws Error after {@link end} */
  async run<T>(work: () => Promise<T>): Promise<T> {
    // A request that was on its way here meets a chain that is closed.
    if (this.#hasEnded) throw new Error('The devnet is closed')
    const run = this.#last.then(work)
    this.#last = run.catch(() => {})
    return run
  }

  /** Takes nothing more; resolves when all that was asked for is done. */
  async end(): Promise<void> {
    this.#hasEnded = true
    await this.#last
  }
}
