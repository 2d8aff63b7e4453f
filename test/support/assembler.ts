// A tiny EVM assembler: mnemonics, pushes and labels to bytecode, for hand-made test contracts.
// Authority on nothing but encoding: which opcodes a fork knows is the EVM's business, so programs
// for later forks assemble too and fail where they run.
import { bytesToHex, concatBytes, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'

const opcodes = {
  STOP: 0x00,
  ADD: 0x01,
  MUL: 0x02,
  SUB: 0x03,
  DIV: 0x04,
  MOD: 0x06,
  EXP: 0x0a,
  LT: 0x10,
  GT: 0x11,
  EQ: 0x14,
  ISZERO: 0x15,
  AND: 0x16,
  OR: 0x17,
  XOR: 0x18,
  SHR: 0x1c,
  KECCAK256: 0x20,
  ADDRESS: 0x30,
  BALANCE: 0x31,
  ORIGIN: 0x32,
  CALLER: 0x33,
  CALLVALUE: 0x34,
  CALLDATALOAD: 0x35,
  CALLDATASIZE: 0x36,
  CALLDATACOPY: 0x37,
  CODESIZE: 0x38,
  CODECOPY: 0x39,
  GASPRICE: 0x3a,
  EXTCODESIZE: 0x3b,
  EXTCODECOPY: 0x3c,
  RETURNDATASIZE: 0x3d,
  RETURNDATACOPY: 0x3e,
  EXTCODEHASH: 0x3f,
  BLOCKHASH: 0x40,
  COINBASE: 0x41,
  TIMESTAMP: 0x42,
  NUMBER: 0x43,
  DIFFICULTY: 0x44,
  GASLIMIT: 0x45,
  CHAINID: 0x46,
  SELFBALANCE: 0x47,
  BASEFEE: 0x48,
  BLOBBASEFEE: 0x4a,
  POP: 0x50,
  MLOAD: 0x51,
  MSTORE: 0x52,
  MSTORE8: 0x53,
  SLOAD: 0x54,
  SSTORE: 0x55,
  JUMP: 0x56,
  JUMPI: 0x57,
  PC: 0x58,
  MSIZE: 0x59,
  GAS: 0x5a,
  JUMPDEST: 0x5b,
  TLOAD: 0x5c,
  TSTORE: 0x5d,
  MCOPY: 0x5e,
  DUP1: 0x80,
  DUP2: 0x81,
  DUP3: 0x82,
  SWAP1: 0x90,
  SWAP2: 0x91,
  LOG0: 0xa0,
  LOG1: 0xa1,
  LOG2: 0xa2,
  LOG3: 0xa3,
  LOG4: 0xa4,
  CREATE: 0xf0,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  RETURN: 0xf3,
  DELEGATECALL: 0xf4,
  CREATE2: 0xf5,
  STATICCALL: 0xfa,
  REVERT: 0xfd,
  INVALID: 0xfe,
  SELFDESTRUCT: 0xff,
} as const

export type Mnemonic = keyof typeof opcodes

/**
 * A mnemonic; a number, bigint or 0x-string to push; `{ label }` for a jump destination, `{ mark }`
 * for a position without one, `{ to }` for pushing either's position; bytes to splice in as they are.
 */
export type Instruction =
  | Mnemonic
  | number
  | bigint
  | `0x${string}`
  | { label: string }
  | { mark: string }
  | { to: string }
  | Uint8Array

/** Positions are always pushed as two bytes, so that one pass knows every offset. */
export function assemble(...program: (Instruction | readonly Instruction[])[]): Uint8Array {
  const parts: (Uint8Array | { to: string })[] = []
  const positions = new Map<string, number>()
  let size = 0
  for (const instruction of program.flat() as Instruction[]) {
    const part = encode(instruction)
    const name = nameOf(instruction)
    if (name !== undefined) positions.set(name, size)
    parts.push(part)
    size += part instanceof Uint8Array ? part.length : 3
  }
  return concatBytes(
    ...parts.map((part) => {
      if (part instanceof Uint8Array) return part
      const position = positions.get(part.to)
      if (position === undefined) throw new Error(`no such label: ${part.to}`)
      return Uint8Array.of(0x61, position >> 8, position & 0xff)
    }),
  )
}

export function assembleHex(
  ...program: (Instruction | readonly Instruction[])[]
): PrefixedHexString {
  return bytesToHex(assemble(...program))
}

/** Init code that deploys the runtime code given. */
export function deployer(runtime: Uint8Array, before: readonly Instruction[] = []): Uint8Array {
  return assemble(
    before,
    [runtime.length, { to: 'runtime' }, 0, 'CODECOPY', runtime.length, 0, 'RETURN'],
    [{ mark: 'runtime' }, runtime],
  )
}

/** Writes bytes to memory from offset 0 on, one word at a time. */
export function bytesToMemory(bytes: Uint8Array): Instruction[] {
  const instructions: Instruction[] = []
  for (let offset = 0; offset < bytes.length; offset += 32) {
    const word = new Uint8Array(32)
    word.set(bytes.subarray(offset, offset + 32))
    instructions.push(bytesToHex(word), offset, 'MSTORE')
  }
  return instructions
}

function encode(instruction: Instruction): Uint8Array | { to: string } {
  if (instruction instanceof Uint8Array) return instruction
  if (typeof instruction === 'number' || typeof instruction === 'bigint') {
    return encodePush(BigInt(instruction).toString(16))
  }
  if (typeof instruction === 'object') {
    if ('to' in instruction) return instruction
    return 'label' in instruction ? Uint8Array.of(opcodes.JUMPDEST) : new Uint8Array(0)
  }
  if (instruction.startsWith('0x')) return encodePush(instruction.slice(2))
  return Uint8Array.of(opcodes[instruction as Mnemonic])
}

function encodePush(digits: string): Uint8Array {
  const bytes = hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`)
  if (bytes.length < 1 || bytes.length > 32) throw new Error(`cannot push ${bytes.length} bytes`)
  return concatBytes(Uint8Array.of(0x5f + bytes.length), bytes)
}

function nameOf(instruction: Instruction): string | undefined {
  if (typeof instruction !== 'object' || instruction instanceof Uint8Array) return undefined
  if ('label' in instruction) return instruction.label
  return 'mark' in instruction ? instruction.mark : undefined
}
