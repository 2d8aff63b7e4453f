// What Solidity puts into the data of a revert: a reason, the code of a panic, or an error of the user's.
// The authority on what such data decodes to.
// Must not throw on data that is cut off or none of Solidity's.
import { bytesToBigInt, bytesToHex } from '@ethereumjs/util'

/** Selectors of `Error(string)` and `Panic(uint256)`. */
const ERROR_SELECTOR = '0x08c379a0'
const PANIC_SELECTOR = '0x4e487b71'

export type RevertData =
  | { readonly kind: 'empty' }
  | { readonly kind: 'reason'; readonly reason: string }
  | { readonly kind: 'panic'; readonly code: bigint }
  | { readonly kind: 'other' }

export function decodeRevert(output: Uint8Array): RevertData {
  if (output.length === 0) return { kind: 'empty' }
  const selector = bytesToHex(output.subarray(0, 4))
  const body = output.subarray(4)
  if (selector === ERROR_SELECTOR) {
    const reason = stringAt(body, 0)
    if (reason !== undefined) return { kind: 'reason', reason }
  }
  if (selector === PANIC_SELECTOR && body.length >= 32) {
    return { kind: 'panic', code: bytesToBigInt(body.subarray(0, 32)) }
  }
  return { kind: 'other' }
}

/** The string whose place the word at `at` says; undefined where the bytes do not hold one. */
function stringAt(body: Uint8Array, at: number): string | undefined {
  const place = numberAt(body, at)
  const length = place === undefined ? undefined : numberAt(body, place)
  if (place === undefined || length === undefined) return undefined
  const start = place + 32
  if (start + length > body.length) return undefined
  return new TextDecoder().decode(body.subarray(start, start + length))
}

function numberAt(body: Uint8Array, at: number): number | undefined {
  if (at + 32 > body.length) return undefined
  const value = bytesToBigInt(body.subarray(at, at + 32))
  return value > BigInt(body.length) ? undefined : Number(value)
}

/** What geth names a panic, in `revertReason` and behind `execution reverted: `. */
export function gethRevertReason(output: Uint8Array): string | undefined {
  const decoded = decodeRevert(output)
  if (decoded.kind === 'reason') return decoded.reason
  if (decoded.kind !== 'panic') return undefined
  return gethPanics.get(decoded.code) ?? `unknown panic code: 0x${decoded.code.toString(16)}`
}

const gethPanics = new Map([
  [0x00n, 'generic panic'],
  [0x01n, 'assert(false)'],
  [0x11n, 'arithmetic underflow or overflow'],
  [0x12n, 'division or modulo by zero'],
  [0x21n, 'enum overflow'],
  [0x22n, 'invalid encoded storage byte array accessed'],
  [0x31n, 'out-of-bounds array access; popping on an empty array'],
  [0x32n, 'out-of-bounds access of an array or bytesN'],
  [0x41n, 'out of memory'],
  [0x51n, 'uninitialized function'],
])
