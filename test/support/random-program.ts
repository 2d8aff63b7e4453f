// Turns a plan's numbers into contract programs: every statement leaves the stack as it found it.
// Authority on what random contracts can do; meeting other transactions is their whole purpose.
// It must use only opcodes the fork has, or in old forks every program would just fail.
import type { Common } from '@ethereumjs/common'
import { type Address, bytesToHex, setLengthLeft } from '@ethereumjs/util'

import { assemble, bytesToMemory, deployer, type Instruction } from './assembler.ts'
import { addressAt, childInit, childRuntime } from './random-world.ts'

/** What to do, three operands, and whether it hangs on a condition. */
export interface Statement {
  readonly operation: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** The operations that a plan can ask for by name; the numbers are positions in `compile`'s list. */
export const OPERATION = { COUNT: 0, CALL: 5, AROUND_BALANCE: 22 } as const

export interface ProgramContext {
  readonly common: Common
  readonly coinbase: Address
}

const slots = 4
/** EIP-8037 charges new slots and accounts several times as much. */
function callGas(common: Common): number {
  return common.isActivatedEIP(8037) ? 600_000 : 60_000
}

/** Init codes for creates inside programs and for creating transactions. */
export const initCodes: readonly Uint8Array[] = [
  childInit,
  new Uint8Array(0),
  deployer(assemble([1, 0, 'SSTORE', 'STOP'])),
  assemble([7, 1, 'SSTORE', 'CALLER', 'SELFDESTRUCT']),
  assemble([5, 2, 'SSTORE', 0, 0, 'REVERT']),
  assemble(['INVALID']),
  // Deployed code that begins with 0xef is refused from London on.
  assemble([0xef, 0, 'MSTORE8', 1, 0, 'RETURN']),
  // Calls whoever creates it, before it exists itself.
  assemble([0, 0, 0, 0, 0, 'CALLER', 40000, 'CALL', 0, 'SSTORE', 'STOP']),
  deployer(childRuntime, ['ADDRESS', 'BALANCE', 3, 'SSTORE']),
]

/** A signature, points and blake2 rounds that the precompiles accept, and some they do not. */
const precompileInputs: readonly (readonly [number, Uint8Array])[] = [
  [2, Uint8Array.of(1, 2, 3)],
  [3, Uint8Array.of(4, 5, 6)],
  [4, new Uint8Array(70).fill(9)],
  [1, ecrecoverInput()],
  [5, words(1, 1, 1, (3n << 248n) | (2n << 240n) | (5n << 232n))],
  [6, words(1, 2, 1, 2)],
  [7, words(1, 2, 9)],
  [9, blakeInput()],
  [6, words(1, 1, 1, 2)],
  [9, new Uint8Array(5)],
]

export function compileProgram(
  statements: readonly Statement[],
  context: ProgramContext,
): Uint8Array {
  return assemble(
    ...statements.map((statement, index) => compile(statement, context, `skip ${index}`)),
    ['STOP'],
  )
}

function compile(statement: Statement, context: ProgramContext, skip: string): Instruction[] {
  const { a, b, c } = statement
  const { common } = context
  const to = (index: number): Instruction =>
    bytesToHex(addressAt(index, context.coinbase).bytes) as `0x${string}`
  const value = (index: number): Instruction[] => expression(index, context)
  const amount = [0, 0, 1, 77][c % 4]!
  const onlyIf = (body: Instruction[]): Instruction[] => [
    ...condition(c, context),
    'ISZERO',
    { to: skip },
    'JUMPI',
    ...body,
    { label: skip },
  ]
  const storeResult: Instruction[] = [(a + b) % slots, 'SSTORE']
  // Calldata of a nested call is one word; what comes back is left in memory.
  const callMemory: Instruction[] = [...value(b), 0, 'MSTORE', 32, 0, b % 2 === 0 ? 32 : 0, 0]
  const gas = callGas(common)
  const hasCreate2 = common.gteHardfork('constantinople')
  const operations: readonly (() => Instruction[])[] = [
    () => [a % slots, 'SLOAD', 1, 'ADD', a % slots, 'SSTORE'],
    () => [...value(b), a % slots, 'SSTORE'],
    () => [b % slots, 'SLOAD', a % slots, 'SSTORE'],
    () => onlyIf([0, a % slots, 'SSTORE']),
    () => [...value(b), 'CALLER', 'SSTORE'],
    () => [...callMemory, amount, to(a), gas, 'CALL', ...storeResult],
    () => [...callMemory, to(a), gas, 'DELEGATECALL', ...storeResult],
    () => [...callMemory, to(a), gas, 'STATICCALL', ...storeResult],
    () => [...callMemory, amount, to(a), gas, 'CALLCODE', ...storeResult],
    () => log(a, value(b)),
    () => create(initCodes[a % initCodes.length]!, amount, undefined, storeResult),
    () =>
      create(initCodes[a % initCodes.length]!, amount, hasCreate2 ? b % 2 : undefined, storeResult),
    () => onlyIf([to(a), 'SELFDESTRUCT']),
    () => onlyIf([...value(b), 0, 'MSTORE', 32, 0, 'REVERT']),
    () => onlyIf(['INVALID']),
    () => onlyIf([1, 0x7fffff, 'MSTORE']),
    () => onlyIf([...value(b), 0, 'MSTORE', 32, 0, 'RETURN']),
    () => callPrecompile(a, storeResult),
    () =>
      common.isActivatedEIP(1153)
        ? [...value(b), a % slots, 'TSTORE']
        : [...value(b), a % slots, 'SSTORE'],
    () => ['RETURNDATASIZE', 0, 0, 'RETURNDATACOPY', 'RETURNDATASIZE', 0, 'LOG0'],
    () => [...value(a), ...value(b), 'ADD', c % slots, 'SSTORE'],
    () => [0, 'MLOAD', a % slots, 'SSTORE'],
    () => aroundBalance(a, to(b), c, common),
  ]
  return operations[statement.operation % operations.length]!()
}

/**
 * Counts in transient storage before and after a look at a balance: where the look meets an estimate
 * the program is abandoned in between, and what it then runs on must count from zero.
 */
function aroundBalance(
  key: number,
  place: Instruction,
  seen: number,
  common: Common,
): Instruction[] {
  if (!common.isActivatedEIP(1153)) return [place, 'BALANCE', seen % slots, 'SSTORE']
  const transient = key % slots
  const count: Instruction[] = [transient, 'TLOAD', 1, 'ADD', transient, 'TSTORE']
  return [...count, place, 'BALANCE', 'POP', ...count, transient, 'TLOAD', seen % slots, 'SSTORE']
}

/** One value on the stack: mostly something another transaction of the block may have changed. */
function expression(index: number, { common, coinbase }: ProgramContext): Instruction[] {
  const parameter = index >> 5
  const place = bytesToHex(addressAt(parameter, coinbase).bytes) as `0x${string}`
  const istanbul = common.gteHardfork('istanbul')
  const choices: readonly Instruction[][] = [
    [parameter],
    [parameter % slots, 'SLOAD'],
    [place, 'BALANCE'],
    [place, common.gteHardfork('constantinople') ? 'EXTCODEHASH' : 'EXTCODESIZE'],
    [place, 'EXTCODESIZE'],
    ['CALLER'],
    ['ORIGIN'],
    ['CALLVALUE'],
    istanbul ? ['SELFBALANCE'] : ['ADDRESS', 'BALANCE'],
    ['COINBASE', 'BALANCE'],
    ['COINBASE'],
    ['GASPRICE'],
    [1 + (parameter % 3), 'NUMBER', 'SUB', 'BLOCKHASH'],
    ['TIMESTAMP', 'NUMBER', 'ADD'],
    istanbul ? ['CHAINID'] : ['DIFFICULTY'],
    common.isActivatedEIP(3198) ? ['BASEFEE'] : ['GASLIMIT'],
    common.isActivatedEIP(1153) ? [parameter % slots, 'TLOAD'] : ['CODESIZE'],
    [0, 'CALLDATALOAD'],
    ['RETURNDATASIZE'],
    ['GAS'],
    ['CALLER', 'SLOAD'],
    ['DIFFICULTY'],
    ['CALLER', 'BALANCE'],
    [place, 'EXTCODESIZE', 0, 0, place, 'EXTCODECOPY', 0, 'MLOAD'],
  ]
  return choices[(index & 31) % choices.length]!
}

function condition(index: number, context: ProgramContext): Instruction[] {
  const choices: readonly Instruction[][] = [
    [0, 'CALLDATALOAD', 1, 'AND'],
    [index % slots, 'SLOAD', 1, 'AND'],
    ['CALLVALUE'],
    [...expression(index, context), 3, 'AND'],
    [1],
    [1, 'CALLER', 'AND'],
  ]
  return choices[index % choices.length]!
}

function log(topics: number, data: Instruction[]): Instruction[] {
  const count = topics % 5
  const names = ['LOG0', 'LOG1', 'LOG2', 'LOG3', 'LOG4'] as const
  const topic: Instruction[] = Array.from({ length: count }, (_, index) => index + 1)
  return [...data, 0, 'MSTORE', ...topic, 32, 0, names[count]!]
}

function create(
  init: Uint8Array,
  amount: number,
  salt: number | undefined,
  storeResult: Instruction[],
): Instruction[] {
  return [
    ...bytesToMemory(init),
    ...(salt === undefined ? [] : [salt]),
    init.length,
    0,
    amount,
    salt === undefined ? 'CREATE' : 'CREATE2',
    ...storeResult,
  ]
}

function callPrecompile(index: number, storeResult: Instruction[]): Instruction[] {
  const [number, input] = precompileInputs[index % precompileInputs.length]!
  return [
    ...bytesToMemory(input),
    ...[64, 0, input.length, 0, 0, number, 100000],
    ...(['CALL', 'POP', 0, 'MLOAD'] as const),
    ...storeResult,
  ]
}

function words(...values: (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 32)
  values.forEach((value, index) => {
    const digits = BigInt(value).toString(16)
    const word = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
    bytes.set(setLengthLeft(word, 32), index * 32)
  })
  return bytes
}

function ecrecoverInput(): Uint8Array {
  // The well-known example of go-ethereum's precompile tests.
  return new Uint8Array(
    Buffer.from(
      '38d18acb67d25c8bb9942764b62f18e17054f66a817bd4295423adf9ed98873e' +
        '000000000000000000000000000000000000000000000000000000000000001b' +
        '38d18acb67d25c8bb9942764b62f18e17054f66a817bd4295423adf9ed98873e' +
        '789d1dd423d25f0772d2748d60f7e4b81bb14d086eba8e8e8efb6dcff8a4ae02',
      'hex',
    ),
  )
}

/** One round over an all-zero state: EIP-152's layout is rounds, h, m, t, final flag. */
function blakeInput(): Uint8Array {
  const input = new Uint8Array(213)
  input[3] = 1
  input[212] = 1
  return input
}
