// Whether there can be contracts that print: a listener for prints keeps a block from running in parallel.
// The authority on when that listener is needed. Must never miss code that a transaction brings.

/** `console.log`, which the address of the library ends with, as solc writes it into code. */
const MARK = Buffer.from('console.log')

export class ConsoleWatch {
  #isNeeded = false

  /** Some code that went in named the library's address. */
  get isNeeded(): boolean {
    return this.#isNeeded
  }

  /** Looks at code, or at the data of a transaction: what a factory creates is in its own. */
  look(code: Uint8Array): void {
    if (this.#isNeeded) return
    this.#isNeeded = Buffer.from(code.buffer, code.byteOffset, code.length).includes(MARK)
  }
}
