// Schemas of the values that JSON-RPC writes in hex, and how a whole parameter is checked.
// The authority on what a malformed value is called in an error of the tracing methods.
// Must not know what a value is used for.
import { Address, hexToBytes, type PrefixedHexString } from '@ethereumjs/util'
import { type ZodType, type ZodTypeDef, z } from 'zod'

import { invalidParams } from '../rpc-error.ts'

const hexDigits = /^0x[0-9a-fA-F]*$/

function hexString(what: string) {
  return z.string({ invalid_type_error: `must be ${what} in hex` }).regex(hexDigits, {
    message: `must be ${what} in hex with the prefix 0x`,
  })
}

/** A number of at most `bits` bits. Leading zeros are let through: clients send them. */
export function quantityOf(bits: number) {
  return hexString('a quantity')
    .refine((text) => text.length > 2, { message: 'must be a quantity in hex: it has no digits' })
    .transform((text) => BigInt(text))
    .refine((value) => value < 1n << BigInt(bits), {
      message: `must be a quantity of at most ${bits} bits`,
    })
}

export const quantity = quantityOf(256)
export const smallQuantity = quantityOf(64)

export const data = hexString('data')
  .refine((text) => text.length % 2 === 0, {
    message: 'must be data in hex: its last byte is half',
  })
  .transform((text) => hexToBytes(text as PrefixedHexString))

function bytesOf(length: number) {
  return hexString(`${length} bytes`)
    .refine((text) => text.length === 2 + 2 * length, {
      message: `must be ${length} bytes in hex, 0x and ${2 * length} digits`,
    })
    .transform((text) => hexToBytes(text as PrefixedHexString))
}

export const address = bytesOf(20).transform((bytes) => new Address(bytes))
export const hash = bytesOf(32)

/** A slot or its value: 32 bytes, or fewer, which are taken as a number. */
export const word = hexString('up to 32 bytes')
  .refine((text) => text.length > 2 && text.length <= 66, {
    message: 'must be up to 32 bytes in hex',
  })
  .transform((text) => hexToBytes(`0x${text.slice(2).padStart(64, '0')}`))

/** Most complaints that one error names: a long list of bad values is not all repeated. */
const mostComplaints = 3

/**
 * The parameter as its schema has it. `undefined` and `null` both mean that it was not given.
 * @throws RpcError -32602 that names each bad field
 */
export function parseParam<Output>(
  schema: ZodType<Output, ZodTypeDef, unknown>,
  name: string,
  value: unknown,
): Output {
  const parsed = schema.safeParse(value ?? undefined)
  if (parsed.success) return parsed.data
  const complaints = parsed.error.issues
    .slice(0, mostComplaints)
    .map(({ path, message }) => `${[name, ...path].join('.')}: ${message}`)
  throw invalidParams(`Invalid params: ${complaints.join('; ')}`)
}
