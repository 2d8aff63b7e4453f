// The dynamic gas of opcodes that wait for nothing, as plain functions: stock's are all asynchronous.
// Authority on these amounts and their order of checks, which are stock's to the letter; everything that
// depends on state stays with stock's own handlers.

import { EVMError } from '@ethereumjs/evm'
import type { StepRules } from './step-rules.ts'
import type { RunStateLike } from './stock-interpreter.ts'

const ZERO = 0n
const WORD = 32n
const WORD_BYTES = 32
/** Memory ends up to here are computed in numbers; the squares of their words are exact. */
export const NEAR = 0x8000_0000n

/** Gas beyond the base fee; may throw an EVMError. Reads the stack and leaves it. */
export type DynamicGas = (runState: RunStateLike, rules: StepRules) => number

/** By opcode. */
export const DYNAMIC_GAS: ReadonlyMap<number, DynamicGas> = new Map<number, DynamicGas>([
  [0x0a, exponentGas],
  [0x20, hashGas],
  [0x37, copyGas],
  [0x39, copyGas],
  [0x3e, returnDataCopyGas],
  [0x51, (state, rules) => touch(state, rules, peek(state, 1), WORD)],
  [0x52, (state, rules) => touch(state, rules, peek(state, 1), WORD)],
  [0x53, (state, rules) => touch(state, rules, peek(state, 1), 1n)],
  [0x5e, memoryCopyGas],
  [0xa0, logGas],
  [0xa1, logGas],
  [0xa2, logGas],
  [0xa3, logGas],
  [0xa4, logGas],
  [0xf3, rangeGas],
  [0xfd, rangeGas],
])

/**
 * Gas for memory up to byte `end`, which is at most {@link NEAR}; counts its words as paid for.
 */
export function touchUpTo(runState: RunStateLike, rules: StepRules, end: number): number {
  const words = Math.ceil(end / WORD_BYTES)
  if (words <= Number(runState.memoryWordCount)) return 0
  let cost = memoryGasFor(words, rules)
  const highest = Number(runState.highestMemCost)
  if (cost > highest) {
    runState.highestMemCost = BigInt(cost)
    cost -= highest
  }
  runState.memoryWordCount = BigInt(words)
  return cost
}

/** Gas for memory of `words` words in all, up to 2^26; exact. */
export function memoryGasFor(
  words: number,
  { memoryGas, memoryDivisor }: Pick<StepRules, 'memoryGas' | 'memoryDivisor'>,
): number {
  const square = words * words
  return words * memoryGas + (square - (square % memoryDivisor)) / memoryDivisor
}

/** Gas for memory from `offset` on, `length` bytes; infinite where no frame could pay it. */
export function touch(
  runState: RunStateLike,
  rules: StepRules,
  offset: bigint,
  length: bigint,
): number {
  if (length === ZERO) return 0
  const end = offset + length
  if (end <= NEAR) return touchUpTo(runState, rules, Number(end))
  const words = (end + WORD - 1n) / WORD
  if (words <= runState.memoryWordCount) return 0
  let cost = words * BigInt(rules.memoryGas) + (words * words) / BigInt(rules.memoryDivisor)
  if (cost > runState.highestMemCost) {
    const highest = runState.highestMemCost
    runState.highestMemCost = cost
    cost -= highest
  }
  runState.memoryWordCount = words
  return Number(cost)
}

function exponentGas(runState: RunStateLike, rules: StepRules): number {
  const exponent = peek(runState, 2)
  if (exponent === ZERO) return 0
  return Math.ceil(exponent.toString(16).length / 2) * rules.exponentByteGas
}

function hashGas(runState: RunStateLike, rules: StepRules): number {
  const length = peek(runState, 2)
  return touch(runState, rules, peek(runState, 1), length) + rules.hashWordGas * wordsOf(length)
}

function copyGas(runState: RunStateLike, rules: StepRules): number {
  const length = peek(runState, 3)
  return touch(runState, rules, peek(runState, 1), length) + rules.copyGas * wordsOf(length)
}

function returnDataCopyGas(runState: RunStateLike, rules: StepRules): number {
  const length = peek(runState, 3)
  // Not a charge: the gas that is left stays what it was.
  if (peek(runState, 2) + length > BigInt(runState.returnBytes.length)) {
    throw new EVMError(EVMError.errorMessages.OUT_OF_GAS)
  }
  return copyGas(runState, rules)
}

function memoryCopyGas(runState: RunStateLike, rules: StepRules): number {
  const length = peek(runState, 3)
  return (
    3 * wordsOf(length) +
    touch(runState, rules, peek(runState, 2), length) +
    touch(runState, rules, peek(runState, 1), length)
  )
}

function logGas(runState: RunStateLike, rules: StepRules): number {
  if (runState.env.isStatic) throw new EVMError(EVMError.errorMessages.STATIC_STATE_CHANGE)
  const length = peek(runState, 2)
  return (
    touch(runState, rules, peek(runState, 1), length) +
    rules.logTopicGas * (runState.opCode - 0xa0) +
    rules.logDataGas * Number(length)
  )
}

function rangeGas(runState: RunStateLike, rules: StepRules): number {
  const length = peek(runState, 2)
  return touch(runState, rules, peek(runState, 1), length)
}

function wordsOf(length: bigint): number {
  return length <= NEAR ? Math.ceil(Number(length) / WORD_BYTES) : Number((length + 31n) / WORD)
}

/** The word at `position` from the top, which is 1. The deepest comes first: it is checked. */
function peek({ stack }: RunStateLike, position: number): bigint {
  if (stack._len < position) throw new EVMError(EVMError.errorMessages.STACK_UNDERFLOW)
  return stack._store[stack._len - position]
}
