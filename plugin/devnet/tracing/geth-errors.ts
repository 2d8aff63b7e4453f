// What geth calls the errors of the EVM: tracers and eth_simulateV1 give its texts.
// The authority on those texts.
// Must not be used for errors that Hardhat words: see failure/.
import type { Frame, FrameEnd, FrameError } from './observe-execution.ts'

const texts = new Map<FrameError, string>([
  ['revert', 'execution reverted'],
  ['out of gas', 'out of gas'],
  ['code store out of gas', 'contract creation code storage out of gas'],
  ['code size to deposit exceeds maximum code size', 'max code size exceeded'],
  ['invalid JUMP', 'invalid jump destination'],
  ['static state change', 'write protection'],
  ['create collision', 'contract address collision'],
  ['insufficient balance', 'insufficient balance for transfer'],
  ['invalid bytecode deployed', 'invalid code: must not begin with 0xef'],
  ['initcode exceeds max initcode size', 'max initcode size exceeded'],
  ['value out of range', 'gas uint64 overflow'],
])

/** Of a frame that failed. */
export function gethError(frame: Frame, { error = 'revert', result }: FrameEnd): string {
  const step = frame.lastStep
  if (step !== undefined) {
    const { opcode, stack } = step
    if (error === 'invalid opcode') return invalidOpcode(result?.runState?.opCode ?? opcode.code)
    if (error === 'stack underflow') {
      return `stack underflow (${stack.length} <=> ${stackNeeds(opcode.code)})`
    }
    if (error === 'stack overflow') return `stack limit reached ${stack.length} (1023)`
    // Nothing is left to run out of gas where the code was returned but for the cost of keeping it.
    if (error === 'out of gas' && (opcode.code === 0xf3 || opcode.code === 0x00)) {
      return texts.get('code store out of gas')!
    }
    if (error === 'out of gas' && opcode.code === 0x55 && step.gasLeft <= 2_300n) {
      return 'out of gas: not enough gas for reentrancy sentry'
    }
    if (error === 'value out of range' && opcode.code === 0x3e) return 'return data out of bounds'
  }
  return texts.get(error) ?? error
}

/** A step calls every unknown instruction INVALID; what was in the code is known afterwards only. */
function invalidOpcode(opcode: number): string {
  if (opcode === 0xfe) return 'invalid opcode: INVALID'
  return `invalid opcode: ${undefinedOpcode(opcode)}`
}

export function undefinedOpcode(opcode: number): string {
  return `opcode 0x${opcode.toString(16)} not defined`
}

/** How many items an instruction takes from the stack, or looks at. */
function stackNeeds(opcode: number): number {
  if (opcode >= 0x80 && opcode <= 0x8f) return opcode - 0x7f
  if (opcode >= 0x90 && opcode <= 0x9f) return opcode - 0x8e
  if (opcode >= 0xa0 && opcode <= 0xa4) return opcode - 0x9e
  return needs.findIndex((opcodes) => opcodes.includes(opcode))
}

/** By how many items they take; the rest take none. */
const needs: readonly (readonly number[])[] = [
  [],
  [0x15, 0x19, 0x1e, 0x31, 0x35, 0x3b, 0x3f, 0x40, 0x49, 0x50, 0x51, 0x54, 0x56, 0x5c, 0xff],
  [
    ...[1, 2, 3, 4, 5, 6, 7, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a],
    ...[0x1b, 0x1c, 0x1d, 0x20, 0x52, 0x53, 0x55, 0x57, 0x5d, 0xf3, 0xfd],
  ],
  [0x08, 0x09, 0x37, 0x39, 0x3e, 0x5e, 0xf0],
  [0x3c, 0xf5],
  [],
  [0xf4, 0xfa],
  [0xf1, 0xf2],
]
