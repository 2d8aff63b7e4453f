// Counts the calls of the user's functions that a worker is in, for the main thread to see.
// Authority on which functions are counted: those that the EVM calls once per call or opcode, and that
// no gas bounds. Must not change what they do.

import type { EVMOpts } from '@ethereumjs/evm'
import type { AtomicOperations } from '../memory/atomics.ts'
import { pulseIndex, userCallsIndex } from '../memory/layout.ts'

type AnyFunction = (...args: never[]) => unknown

/** Counts a worker's calls into the user's code where the main thread can read them. */
export class UserCodeMarker {
  readonly #atomics: AtomicOperations
  #control: Int32Array | undefined
  #worker = 0

  constructor(atomics: AtomicOperations) {
    this.#atomics = atomics
  }

  /** Says where to count from now on. */
  begin(control: Int32Array, worker: number): void {
    this.#control = control
    this.#worker = worker
  }

  /** The options with their functions counted. */
  mark(options: Partial<EVMOpts> | undefined): Partial<EVMOpts> {
    if (options === undefined) return {}
    const { customPrecompiles, customOpcodes } = options
    const marked = { ...options }
    if (customPrecompiles !== undefined) {
      marked.customPrecompiles = customPrecompiles.map((one) =>
        'function' in one ? { ...one, function: this.#counted(one.function) } : one,
      )
    }
    if (customOpcodes !== undefined) {
      marked.customOpcodes = customOpcodes.map((one) =>
        'logicFunction' in one ? { ...one, logicFunction: this.#counted(one.logicFunction) } : one,
      )
    }
    return marked
  }

  #counted<F extends AnyFunction>(original: F): F {
    const counted = (...args: never[]): unknown => {
      const control = this.#control
      this.#count(control, 1)
      let result: unknown
      try {
        result = original(...args)
      } catch (error) {
        this.#count(control, -1)
        throw error
      }
      if (result instanceof Promise) return result.finally(() => this.#count(control, -1))
      this.#count(control, -1)
      return result
    }
    return counted as F
  }

  #count(control: Int32Array | undefined, change: number): void {
    if (control === undefined) return
    this.#atomics.add(control, userCallsIndex(this.#worker), change)
    this.#atomics.add(control, pulseIndex(this.#worker), 1)
  }
}
