// Contracts of a few opcodes that hand-made blocks of many suites call: counters, and one that looks.
// Authority on nothing but their code; a suite whose point is a contract's code writes it itself.
// It must not know at which address one lies, nor of random blocks, which have programs of their own.
import { assembleHex, type Instruction } from './assembler.ts'
import type { AccountRecord } from './state-template.ts'

/** Adds one to slot 0. */
export const addOne: Instruction[] = [0, 'SLOAD', 1, 'ADD', 0, 'SSTORE']
/** The same, and leaves the sum in the first word of memory. */
const addOneToMemory: Instruction[] = [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE']

export const counterCode = assembleHex(addOne)
export const returningCounterCode = assembleHex(addOneToMemory, [32, 0, 'RETURN'])
/** Logs the sum under the caller's name before it returns it. */
export const loggingCounterCode = assembleHex(addOneToMemory, [
  ...(['CALLER', 32, 0, 'LOG1', 32, 0, 'RETURN'] as const),
])

/**
 * Keeps what it sees of the account that calldata names: balance, code hash and code size in slots 1 to
 * 3, whether a call succeeds in slot 4, and the first word of the answer in slot 5.
 */
export const witnessCode = assembleHex(
  [0, 'CALLDATALOAD', 'BALANCE', 1, 'SSTORE', 0, 'CALLDATALOAD', 'EXTCODEHASH', 2, 'SSTORE'],
  [0, 'CALLDATALOAD', 'EXTCODESIZE', 3, 'SSTORE'],
  [32, 0, 0, 0, 0, 0, 'CALLDATALOAD', 50_000, 'CALL', 4, 'SSTORE', 0, 'MLOAD', 5, 'SSTORE'],
)

/** The record of a contract with this program; `rest` may give it storage, say. */
export function contractOf(
  program: readonly (Instruction | readonly Instruction[])[],
  rest: Omit<AccountRecord, 'code'> = {},
): AccountRecord {
  return { nonce: 1n, code: assembleHex(...program), ...rest }
}
