// Reads ABI-encoded arguments of errors and functions, and writes them as Hardhat does in messages.
// The authority on which data is too short or points outside of itself.
// Must not be used to encode; it allocates no more than the data could hold.
import { bytesToBigInt, bytesToHex, toChecksumAddress } from '@ethereumjs/util'

import type { AbiParameter } from './contract-resolver.ts'

/** The arguments as they stand in a message; undefined if the data does not hold them. */
export function formatArguments(
  parameters: readonly AbiParameter[],
  data: Uint8Array,
): string[] | undefined {
  try {
    return readTuple(parameters, data, 0)
  } catch (error) {
    if (error instanceof NotEncodedError) return undefined
    throw error
  }
}

/** `uint256,(address,bytes)[]`, as it is hashed for a selector. */
export function canonicalTypes(parameters: readonly AbiParameter[]): string {
  return parameters.map(canonicalType).join(',')
}

function canonicalType({ type, components }: AbiParameter): string {
  if (!type.startsWith('tuple')) return type
  return `(${canonicalTypes(components ?? [])})${type.slice('tuple'.length)}`
}

class NotEncodedError extends Error {}

function readTuple(parameters: readonly AbiParameter[], data: Uint8Array, at: number): string[] {
  let head = at
  return parameters.map((parameter) => {
    const place = isDynamic(parameter) ? at + readLength(data, head) : head
    head += headSize(parameter)
    return readValue(parameter, data, place)
  })
}

function readValue(parameter: AbiParameter, data: Uint8Array, at: number): string {
  const array = /^(.*)\[(\d*)\]$/.exec(parameter.type)
  if (array !== null) {
    const item = { ...parameter, type: array[1]! }
    const isFixed = array[2] !== ''
    const length = isFixed ? Number(array[2]) : readLength(data, at)
    const start = isFixed ? at : at + 32
    // Empty items would let a length of any size pass.
    if (length * Math.max(headSize(item), 1) > data.length - start) throw new NotEncodedError()
    return `[${readTuple(Array(length).fill(item), data, start).join(', ')}]`
  }
  if (parameter.type === 'tuple') {
    return `[${readTuple(parameter.components ?? [], data, at).join(', ')}]`
  }
  if (parameter.type === 'bytes' || parameter.type === 'string') {
    const length = readLength(data, at)
    if (at + 32 + length > data.length) throw new NotEncodedError()
    const bytes = data.subarray(at + 32, at + 32 + length)
    return parameter.type === 'bytes'
      ? `"${bytesToHex(bytes)}"`
      : `"${new TextDecoder().decode(bytes)}"`
  }
  return formatWord(parameter.type, readWord(data, at))
}

function formatWord(type: string, word: Uint8Array): string {
  if (type === 'address') return `"${toChecksumAddress(bytesToHex(word.subarray(12)))}"`
  if (type === 'bool') return String(word[31] !== 0)
  if (type === 'function') return '<function>'
  const value = bytesToBigInt(word)
  if (type.startsWith('uint')) return BigInt.asUintN(bitsOf(type), value).toString()
  if (type.startsWith('int')) return BigInt.asIntN(bitsOf(type), value).toString()
  const fixed = /^bytes(\d+)$/.exec(type)
  if (fixed === null) throw new NotEncodedError()
  return `"${bytesToHex(word.subarray(0, Number(fixed[1])))}"`
}

function bitsOf(type: string): number {
  return Number(/\d+$/.exec(type)?.[0] ?? 256)
}

function isDynamic({ type, components }: AbiParameter): boolean {
  const array = /^(.*)\[(\d*)\]$/.exec(type)
  if (array !== null) {
    return array[2] === '' || isDynamic({ type: array[1]!, components })
  }
  if (type === 'tuple') return (components ?? []).some(isDynamic)
  return type === 'bytes' || type === 'string'
}

/** Bytes that a parameter takes where it is listed. */
function headSize(parameter: AbiParameter): number {
  if (isDynamic(parameter)) return 32
  const { type, components } = parameter
  const array = /^(.*)\[(\d+)\]$/.exec(type)
  if (array !== null) return Number(array[2]) * headSize({ type: array[1]!, components })
  if (type !== 'tuple') return 32
  return (components ?? []).reduce((sum, each) => sum + headSize(each), 0)
}

function readWord(data: Uint8Array, at: number): Uint8Array {
  if (at + 32 > data.length) throw new NotEncodedError()
  return data.subarray(at, at + 32)
}

function readLength(data: Uint8Array, at: number): number {
  const value = bytesToBigInt(readWord(data, at))
  if (value > BigInt(data.length)) throw new NotEncodedError()
  return Number(value)
}
