// What a code of Solidity's panics means, in Hardhat's words.
// The authority on those words; geth's are in revert-reason.ts.
// Must not decode anything.

const reasons = new Map<bigint, string>([
  [0x01n, 'Assertion error'],
  [0x11n, 'Arithmetic operation overflowed outside of an unchecked block'],
  [0x12n, 'Division or modulo division by zero'],
  [0x21n, 'Tried to convert a value into an enum, but the value was too big or negative'],
  [0x22n, 'Incorrectly encoded storage byte array'],
  [0x31n, '.pop() was called on an empty array'],
  [0x32n, 'Array accessed at an out-of-bounds or negative index'],
  [0x41n, 'Too much memory was allocated, or an array was created that is too large'],
  [0x51n, 'Called a zero-initialized variable of internal function type'],
])

export function panicText(code: bigint): string {
  const hex = `0x${code.toString(16)}`
  const reason = reasons.get(code)
  if (reason === undefined) return `reverted with unknown panic code ${hex}`
  return `reverted with panic code ${hex} (${reason})`
}
