// What is known of a piece of code however often it runs: its jump destinations and pushed values.
// Authority on both. Keyed by the code's array, which the worker's code cache gives to every execution
// of that code and nobody changes; what is kept is bounded, and forgotten with the array itself.

import { bytesToWord, smallWord } from './word-bytes.ts'

const JUMPDEST = 0x5b
const PUSH1 = 0x60
const PUSH32 = 0x7f

export class CodeAnalysis {
  readonly #code: Uint8Array
  readonly #values = new Map<number, bigint>()
  #jumps: Uint8Array | undefined

  constructor(code: Uint8Array) {
    this.#code = code
  }

  /** One byte per byte of code: 1 where a jump may go. */
  get jumps(): Uint8Array {
    this.#jumps ??= findJumps(this.#code)
    return this.#jumps
  }

  /** The value of the `length` (1..32) bytes at `at`; bytes past the end are zero. */
  push(at: number, length: number): bigint {
    const code = this.#code
    // Most are this short. What is missing at the end of the code counts as 0 in these operations.
    if (length === 1) return smallWord(code[at] | 0)
    if (length === 2) return smallWord((code[at] << 8) | code[at + 1])
    let value = this.#values.get(at)
    if (value === undefined) {
      value = bytesToWord(code.subarray(at, at + length))
      const missing = at + length - code.length
      if (missing > 0) value <<= BigInt(8 * Math.min(missing, length))
      this.#values.set(at, value)
    }
    return value
  }
}

function findJumps(code: Uint8Array): Uint8Array {
  const jumps = new Uint8Array(code.length)
  for (let i = 0; i < code.length; i++) {
    const opcode = code[i]
    if (opcode === JUMPDEST) jumps[i] = 1
    else if (opcode >= PUSH1 && opcode <= PUSH32) i += opcode - PUSH1 + 1
  }
  return jumps
}

/** Bytes of analysis per byte of code, at most: one for jumps, the rest for values and their map. */
const BYTES_PER_CODE_BYTE = 8

/**
 * Keeps analyses by the array of the code. Two generations: what was not asked for while one filled up
 * is forgotten, so that at most `limit` bytes are kept however much code comes by.
 */
export class CodeAnalysisCache {
  readonly #limit: number
  #young = new WeakMap<Uint8Array, CodeAnalysis>()
  #old = new WeakMap<Uint8Array, CodeAnalysis>()
  #bytes = 0

  /** @param limit bytes kept at most. */
  constructor(limit: number) {
    this.#limit = limit
  }

  of(code: Uint8Array): CodeAnalysis {
    let analysis = this.#young.get(code)
    if (analysis !== undefined) return analysis
    analysis = this.#old.get(code) ?? new CodeAnalysis(code)
    const bytes = code.length * BYTES_PER_CODE_BYTE
    if (this.#bytes + bytes > this.#limit / 2) {
      this.#old = this.#young
      this.#young = new WeakMap()
      this.#bytes = 0
    }
    this.#bytes += bytes
    this.#young.set(code, analysis)
    return analysis
  }
}
