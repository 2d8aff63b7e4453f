// What a contract prints: the line that its call of the console library's address stands for.
// The authority on how arguments are written, as Hardhat and util.format do.
// Must not throw: contracts may call that address with anything.
import { format } from 'node:util'
import { bytesToBigInt, bytesToHex } from '@ethereumjs/util'

import { consoleSignatures } from './console-signatures.ts'

/** `console.log` in ASCII, as the last bytes of an address. */
export const CONSOLE_ADDRESS = '0x000000000000000000636f6e736f6c652e6c6f67'

/** Undefined for calldata that is none of the library's. */
export function consoleLine(calldata: Uint8Array): string | undefined {
  if (calldata.length < 4) return undefined
  const types = consoleSignatures().get(bytesToHex(calldata.subarray(0, 4)))
  if (types === undefined) return undefined
  const body = calldata.subarray(4)
  const [first, ...rest] = types.map((type, index) => textOf(type, body, 32 * index))
  if (first === undefined) return ''
  // Numbers may be too large for %d, so they are inserted as the text that they are by now.
  return format(first.replace(/((?<!%)(?:%%)*)%[di]/g, '$1%s'), ...rest)
}

function textOf(type: string, body: Uint8Array, at: number): string {
  const word = padded(body.subarray(at, at + 32), 32)
  switch (type) {
    case 'uint256':
      return bytesToBigInt(word).toString()
    case 'int256':
      return BigInt.asIntN(256, bytesToBigInt(word)).toString()
    case 'bool':
      return word[31] === 0 ? 'false' : 'true'
    case 'address':
      return bytesToHex(word.subarray(12))
    case 'string':
      return new TextDecoder().decode(dynamicBytes(body, word))
    case 'bytes':
      return bytesToHex(dynamicBytes(body, word))
    default:
      return bytesToHex(word.subarray(0, Number(type.slice('bytes'.length))))
  }
}

/** As much of them as there is. */
function dynamicBytes(body: Uint8Array, place: Uint8Array): Uint8Array {
  const start = bytesToBigInt(place)
  if (start > BigInt(body.length)) return new Uint8Array(0)
  const at = Number(start)
  const length = bytesToBigInt(padded(body.subarray(at, at + 32), 32))
  const end = length > BigInt(body.length) ? body.length : at + 32 + Number(length)
  return body.subarray(at + 32, end)
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes
  const whole = new Uint8Array(length)
  whole.set(bytes)
  return whole
}
