// What there was too little gas for, in Hardhat's words: part of the data of that error.
// The authority on which of those words are told apart; all the rest is `Basic`.
// Must not run anything: the instruction and its operands tell.
import type { ExecResult } from '@ethereumjs/evm'

export type OutOfGasKind = 'Basic' | 'ReentrancySentry' | 'MemoryLimit' | 'InvalidOperand'

/** EIP-2200: with so little gas left nothing is stored, whatever it would cost. */
const SSTORE_SENTRY = 2_300n
/** Hardhat's network addresses memory with 64 bits, and has no more of it than 32 bits can count. */
const LARGEST_OPERAND = 2n ** 64n - 1n
const MOST_MEMORY = 2n ** 32n - 1n

/** At the instruction that a frame stopped at. */
export function outOfGasKind(state: ExecResult['runState']): OutOfGasKind {
  if (state === undefined) return 'Basic'
  const { opCode, gasLeft, stack } = state
  // A cost that is not covered takes what is left.
  if (opCode === 0x55) {
    return gasLeft > 0n && gasLeft <= SSTORE_SENTRY ? 'ReentrancySentry' : 'Basic'
  }
  return memoryKind(opCode, stack.getStack())
}

/** @param stack - its top is last */
export function memoryKind(opcode: number, stack: readonly bigint[]): OutOfGasKind {
  for (const [at, length] of memoryRanges.get(opcode) ?? []) {
    const start = stack.at(-1 - at) ?? 0n
    const size = typeof length === 'bigint' ? length : (stack.at(-1 - length) ?? 0n)
    if (size === 0n) continue
    if (start > LARGEST_OPERAND || size > LARGEST_OPERAND) return 'InvalidOperand'
    if (start + size > MOST_MEMORY) return 'MemoryLimit'
  }
  return 'Basic'
}

/** Places of offset and length on the stack, from its top; a length in bytes where it is always the same. */
type MemoryOperands = readonly (readonly [at: number, length: number | bigint])[]

const memoryRanges = new Map<number, MemoryOperands>([
  [0x20, [[0, 1]]],
  [0x37, [[0, 2]]],
  [0x39, [[0, 2]]],
  [0x3c, [[1, 3]]],
  [0x3e, [[0, 2]]],
  [0x51, [[0, 32n]]],
  [0x52, [[0, 32n]]],
  [0x53, [[0, 1n]]],
  ...[0, 1, 2, 3, 4].map((topics): [number, MemoryOperands] => [0xa0 + topics, [[0, 1]]]),
  [0xf0, [[1, 2]]],
  [
    0xf1,
    [
      [3, 4],
      [5, 6],
    ],
  ],
  [
    0xf2,
    [
      [3, 4],
      [5, 6],
    ],
  ],
  [0xf3, [[0, 1]]],
  [
    0xf4,
    [
      [2, 3],
      [4, 5],
    ],
  ],
  [0xf5, [[1, 2]]],
  [
    0xfa,
    [
      [2, 3],
      [4, 5],
    ],
  ],
  [0xfd, [[0, 1]]],
])
