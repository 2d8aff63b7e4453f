// The hash of structured data that an account signs (EIP-712).
// The authority on encodeType, encodeData and hashStruct. Input comes from outside: it throws where the
// data is not of the types that it names.

import { concatBytes, utf8ToBytes } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { z } from 'zod'
import { bytesOf, word } from '../hex.ts'

const fields = z.array(z.object({ name: z.string(), type: z.string() }))
const typedData = z.object({
  types: z.record(fields),
  primaryType: z.string(),
  domain: z.record(z.unknown()),
  message: z.record(z.unknown()),
})
type Types = z.output<typeof typedData>['types']

/** How deep structures may lie in each other: beyond it somebody is trying. */
const MOST_DEPTH = 64
/** Types and their fields in all: each type's hash is of all types that it leads to. */
const MOST_FIELDS = 1_000
/** Values in all: a structure that is left out has none in the text, and still as many as it has fields. */
const MOST_VALUES = 100_000

/** What is known of the types, and how much may still be hashed. */
interface Hashing {
  readonly types: Types
  readonly typeHashes: Map<string, Uint8Array>
  left: number
}

/** @throws Error for what is no typed data */
export function hashTypedData(input: unknown): Uint8Array {
  const parsed = typedData.safeParse(input)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const { types, primaryType, domain, message } = parsed.data
  const known: Types = { ...types }
  known.EIP712Domain ??= []
  const all = Object.values(known)
  if (all.reduce((sum, { length }) => sum + length, all.length) > MOST_FIELDS) {
    throw new Error(`there are more than ${MOST_FIELDS} types and fields`)
  }
  const hashing: Hashing = { types: known, typeHashes: new Map(), left: MOST_VALUES }
  const parts = [Uint8Array.of(0x19, 0x01), hashStruct(hashing, 'EIP712Domain', domain, 0)]
  if (primaryType !== 'EIP712Domain') parts.push(hashStruct(hashing, primaryType, message, 0))
  return keccak_256(concatBytes(...parts))
}

function hashStruct(hashing: Hashing, name: string, value: unknown, depth: number): Uint8Array {
  if (depth > MOST_DEPTH) throw new Error('structures lie too deep in each other')
  if (typeof value !== 'object' || value === null) throw new Error(`${name} must be an object`)
  const values = value as Record<string, unknown>
  const encoded = fieldsOf(hashing.types, name).map((field) =>
    encodeValue(hashing, field.type, values[field.name], depth),
  )
  return keccak_256(concatBytes(hashType(hashing, name), ...encoded))
}

function hashType({ types, typeHashes }: Hashing, name: string): Uint8Array {
  let hash = typeHashes.get(name)
  if (hash === undefined) {
    hash = keccak_256(utf8ToBytes(encodeType(types, name)))
    typeHashes.set(name, hash)
  }
  return hash
}

function fieldsOf(types: Types, name: string): z.output<typeof fields> {
  const found = Object.hasOwn(types, name) ? types[name] : undefined
  if (found === undefined) throw new Error(`there is no type ${name}`)
  return found
}

function encodeType(types: Types, name: string): string {
  const others = [...referenced(types, name, new Set())].filter((it) => it !== name).sort()
  return [name, ...others]
    .map((it) => {
      const list = fieldsOf(types, it).map((field) => `${field.type} ${field.name}`)
      return `${it}(${list.join(',')})`
    })
    .join('')
}

function referenced(types: Types, name: string, found: Set<string>): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const { type } of fieldsOf(types, name)) {
    const base = type.replace(/(\[\d*\])+$/, '')
    if (Object.hasOwn(types, base)) referenced(types, base, found)
  }
  return found
}

function encodeValue(hashing: Hashing, type: string, value: unknown, depth: number): Uint8Array {
  if (--hashing.left < 0) throw new Error(`there are more than ${MOST_VALUES} values`)
  const array = /^(.*)\[(\d*)\]$/.exec(type)
  if (array !== null) {
    const [, element = '', length = ''] = array
    if (!Array.isArray(value)) throw new Error(`a ${type} must be an array`)
    if (length !== '' && Number(length) !== value.length) {
      throw new Error(`a ${type} must have ${length} elements`)
    }
    const encoded = value.map((it) => encodeValue(hashing, element, it, depth + 1))
    return keccak_256(concatBytes(...encoded))
  }
  if (Object.hasOwn(hashing.types, type)) {
    // A structure that is not there is zero, as wallets have it.
    return value == null ? new Uint8Array(32) : hashStruct(hashing, type, value, depth + 1)
  }
  return encodeAtom(type, value)
}

function encodeAtom(type: string, value: unknown): Uint8Array {
  if (type === 'string') {
    if (typeof value !== 'string') throw new Error('a string must be a string')
    return keccak_256(utf8ToBytes(value))
  }
  if (type === 'bytes') return keccak_256(bytesIn(value))
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw new Error('a bool must be true or false')
    return bytesOf(word(value ? 1n : 0n))
  }
  const fixed = /^bytes(\d{1,2})$/.exec(type)
  if (fixed !== null) {
    const bytes = bytesIn(value)
    const size = Number(fixed[1])
    if (size < 1 || size > 32 || bytes.length !== size) {
      throw new Error(`a ${type} must be ${size} bytes`)
    }
    const padded = new Uint8Array(32)
    padded.set(bytes)
    return padded
  }
  if (type === 'address') return bytesOf(word(integer(value, 160, false)))
  const number = /^(u?)int(\d{0,3})$/.exec(type)
  if (number === null) throw new Error(`there is no type ${type}`)
  const bits = number[2] === '' ? 256 : Number(number[2])
  if (bits < 8 || bits > 256 || bits % 8 !== 0) throw new Error(`there is no type ${type}`)
  return bytesOf(word(BigInt.asUintN(256, integer(value, bits, number[1] === ''))))
}

function bytesIn(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) {
    throw new Error('bytes must be in hex with 0x')
  }
  return bytesOf(value)
}

function integer(value: unknown, bits: number, isSigned: boolean): bigint {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') {
    throw new Error('a number must be a number, or one as a string')
  }
  if (typeof value === 'string' && !/^(-?\d{1,80}|0x[0-9a-fA-F]{1,64})$/.test(value)) {
    throw new Error('a number must be in decimals, or in hex with 0x')
  }
  const number = BigInt(value)
  const fits = isSigned
    ? BigInt.asIntN(bits, number) === number
    : BigInt.asUintN(bits, number) === number
  if (!fits) throw new Error(`a number must fit into ${bits} bits`)
  return number
}
