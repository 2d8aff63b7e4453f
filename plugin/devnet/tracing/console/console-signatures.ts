// The signatures of Hardhat's console library, by selector.
// The authority on which types a console.log may have; made of what the library combines.
// Must not list selectors: they follow from the types.
import { bytesToHex } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'

/** Up to four of these in any order. */
const combined = ['uint256', 'string', 'bool', 'address'] as const
const mostCombined = 4

/** These alone only. */
const single = [
  'int256',
  'bytes',
  ...Array.from({ length: 32 }, (_, index) => `bytes${index + 1}`),
] as const

let signatures: ReadonlyMap<string, readonly string[]> | undefined

/** The types of the arguments, by the selector in hex with 0x. Made when first asked for. */
export function consoleSignatures(): ReadonlyMap<string, readonly string[]> {
  signatures ??= new Map(allTypes().map((types) => [selectorOf(types), types]))
  return signatures
}

function allTypes(): (readonly string[])[] {
  const all: (readonly string[])[] = [[], ...single.map((type) => [type])]
  let longest: (readonly string[])[] = [[]]
  for (let length = 1; length <= mostCombined; length += 1) {
    longest = longest.flatMap((types) => combined.map((type) => [...types, type]))
    all.push(...longest)
  }
  return all
}

function selectorOf(types: readonly string[]): string {
  const signature = new TextEncoder().encode(`log(${types.join(',')})`)
  return bytesToHex(keccak_256(signature).subarray(0, 4))
}
