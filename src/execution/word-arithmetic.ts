// Opcodes that make one word of two: the frequent ones of stock's table, without its array of operands.
// Authority on which opcodes these are; each gives the word that stock's handler pushes.

const ZERO = 0n
const ONE = 1n
const WORD_BITS = 256n

/** Opcodes that {@link combine} knows. */
export const COMBINING: readonly number[] = [
  0x01, 0x02, 0x03, 0x04, 0x06, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1b, 0x1c,
]

/** The word for the two on top of the stack, `a` above `b`. */
export function combine(opcode: number, a: bigint, b: bigint): bigint {
  switch (opcode) {
    case 0x01: // ADD
      return BigInt.asUintN(256, a + b)
    case 0x02: // MUL
      return BigInt.asUintN(256, a * b)
    case 0x03: // SUB
      return BigInt.asUintN(256, a - b)
    case 0x04: // DIV
      return b === ZERO ? ZERO : a / b
    case 0x06: // MOD
      return b === ZERO ? ZERO : a % b
    case 0x10: // LT
      return a < b ? ONE : ZERO
    case 0x11: // GT
      return a > b ? ONE : ZERO
    case 0x12: // SLT
      return BigInt.asIntN(256, a) < BigInt.asIntN(256, b) ? ONE : ZERO
    case 0x13: // SGT
      return BigInt.asIntN(256, a) > BigInt.asIntN(256, b) ? ONE : ZERO
    case 0x14: // EQ
      return a === b ? ONE : ZERO
    case 0x16: // AND
      return a & b
    case 0x17: // OR
      return a | b
    case 0x18: // XOR
      return a ^ b
    case 0x1b: // SHL
      return a < WORD_BITS ? BigInt.asUintN(256, b << a) : ZERO
    default: // 0x1c, SHR
      return a < WORD_BITS ? b >> a : ZERO
  }
}
