// What an instruction is about to do, read off the stack and memory before it runs.
// The authority on which operand lies where on the stack.
// Must not fail on a step that will: where operands are missing there is nothing to read.
import type { InterpreterStep } from '@ethereumjs/evm'
import { Address, bigIntToAddressBytes, bigIntToBytes, setLengthLeft } from '@ethereumjs/util'

import type { ExecutionLog } from './observe-execution.ts'

export function isCall(opcode: number): boolean {
  return opcode === 0xf1 || opcode === 0xf2 || opcode === 0xf4 || opcode === 0xfa
}

export function isCreation(opcode: number): boolean {
  return opcode === 0xf0 || opcode === 0xf5
}

const addressMask = (1n << 160n) - 1n

export function addressFromWord(word: bigint): Address {
  return new Address(bigIntToAddressBytes(word & addressMask))
}

export function wordBytes(word: bigint): Uint8Array {
  return setLengthLeft(bigIntToBytes(word), 32)
}

/** Memory beyond its end reads as zeros. Lengths that no frame can pay for give nothing. */
export function memoryRange(memory: Uint8Array, at: bigint, length: bigint): Uint8Array {
  if (length === 0n || length > mostBytes || at > mostBytes) return new Uint8Array(0)
  const range = new Uint8Array(Number(length))
  range.set(memory.subarray(Number(at), Number(at + length)))
  return range
}

/** 16 MiB cost more than any transaction's gas. */
const mostBytes = 1n << 24n

interface CallArguments {
  /** Undefined for creations. */
  readonly to: Address | undefined
  readonly value: bigint | undefined
  readonly inputAt: bigint
  readonly inputLength: bigint
}

export function callArguments({ opcode, stack }: InterpreterStep): CallArguments | undefined {
  const top = (index: number) => stack.at(-1 - index) ?? 0n
  const hasValue = opcode.code === 0xf1 || opcode.code === 0xf2
  if (isCreation(opcode.code)) {
    if (stack.length < (opcode.code === 0xf5 ? 4 : 3)) return undefined
    return { to: undefined, value: top(0), inputAt: top(1), inputLength: top(2) }
  }
  if (stack.length < (hasValue ? 7 : 6)) return undefined
  const next = hasValue ? 3 : 2
  return {
    to: addressFromWord(top(1)),
    value: hasValue ? top(2) : undefined,
    inputAt: top(next),
    inputLength: top(next + 1),
  }
}

/** Gas that a call takes along beside its own cost: what it asks for, or all but a 64th (EIP-150). */
export function forwardedGas({ opcode, stack, gasLeft }: InterpreterStep): bigint {
  const left = gasLeft - (opcode.dynamicFee ?? 0n)
  if (left < 0n) return 0n
  const most = left - left / 64n
  const asked = stack.at(-1) ?? 0n
  return isCreation(opcode.code) || asked > most ? most : asked
}

export function logFromStep(step: InterpreterStep): ExecutionLog | undefined {
  const { stack, memory, address } = step
  const topics = step.opcode.code - 0xa0
  if (stack.length < topics + 2) return undefined
  const top = (index: number) => stack.at(-1 - index)!
  return {
    address,
    topics: Array.from({ length: topics }, (_, index) => wordBytes(top(2 + index))),
    data: memoryRange(memory, top(0), top(1)),
  }
}
