// Transaction results as bytes: written by the worker that executed, read by the main thread.
// Authority on what of a RunTxResult crosses threads: everything but `execResult.runState`, whose live
// interpreter objects cannot. A tagged encoding, so that fields which a later ethereumjs adds cross too.

import { EVMError } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import { Bloom, type RunTxResult, type TxReceipt } from '@ethereumjs/vm'
import { internalError } from '../errors.ts'

const TAG = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  UINT32: 4,
  NUMBER: 5,
  BIGINT: 6,
  NEGATIVE_BIGINT: 7,
  STRING: 8,
  BYTES: 9,
  ARRAY: 10,
  MAP: 11,
  SET: 12,
  OBJECT: 13,
  EVM_ERROR: 14,
  ERROR: 15,
  ADDRESS: 16,
  BLOOM: 17,
  EMPTY_BLOOM: 18,
} as const

/** Field names that are sent as one byte. Both sides run the same version, so the order is free. */
const KNOWN_KEYS = [
  'accessList',
  'amountSpent',
  'blobGasPrice',
  'blobGasUsed',
  'blockGasSpent',
  'bloom',
  'createdAddress',
  'createdAddresses',
  'cumulativeBlockGasUsed',
  'exceptionError',
  'executionGasUsed',
  'gas',
  'gasRefund',
  'logs',
  'minerValue',
  'preimages',
  'returnValue',
  'selfdestruct',
  'stateGasSpilled',
  'status',
  'totalGasSpent',
  'txRegularGas',
  'txStateGas',
] as const
const KEY_NUMBERS = new Map<string, number>(KNOWN_KEYS.map((key, index) => [key, index]))
/** The number of fields is one byte. */
const MOST_FIELDS = 255
/** In place of a number: the name follows. */
const OTHER_KEY = 255

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder()

/** Fields rebuilt from others by reference, as they are in stock's result. */
const DERIVED_RECEIPT_FIELDS: ReadonlySet<string> = new Set(['bitvector', 'logs'])
const UNSENT_EXECUTION_FIELDS: ReadonlySet<string> = new Set(['runState'])
const NONE: ReadonlySet<string> = new Set()

/** Encodes results into a buffer of its own, reused from result to result. */
export class ResultEncoder {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** The encoded bytes; valid until the next call. */
  encode(result: RunTxResult): Uint8Array {
    this.#length = 0
    const { receipt, execResult, ...rest } = result
    this.#object(rest, NONE)
    this.#object(execResult, UNSENT_EXECUTION_FIELDS)
    this.#object(receipt, DERIVED_RECEIPT_FIELDS)
    return this.#bytes.subarray(0, this.#length)
  }

  /** Encodes why a transaction could not run; for messages only. */
  encodeError(error: unknown): Uint8Array {
    this.#length = 0
    this.#value(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    return this.#bytes.subarray(0, this.#length)
  }

  #object(value: object, without: ReadonlySet<string>): void {
    const countAt = this.#reserve(1)
    let count = 0
    for (const [key, field] of Object.entries(value)) {
      if (without.has(key)) continue
      this.#key(key)
      this.#value(field)
      count++
    }
    if (count > MOST_FIELDS) throw internalError(`a result holds an object with ${count} fields`)
    this.#bytes[countAt] = count
  }

  #key(key: string): void {
    const number = KEY_NUMBERS.get(key)
    this.#tag(number ?? OTHER_KEY)
    if (number === undefined) this.#string(key)
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'undefined':
        this.#tag(TAG.UNDEFINED)
        return
      case 'boolean':
        this.#tag(value ? TAG.TRUE : TAG.FALSE)
        return
      case 'bigint':
        this.#bigint(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'string':
        this.#tag(TAG.STRING)
        this.#string(value)
        return
      case 'object':
        if (value === null) this.#tag(TAG.NULL)
        else this.#reference(value)
        return
      default:
        throw internalError(`a result holds a ${typeof value}`)
    }
  }

  #reference(value: object): void {
    if (value instanceof Uint8Array) {
      this.#tag(TAG.BYTES)
      this.#raw(value)
    } else if (Array.isArray(value)) {
      this.#tag(TAG.ARRAY)
      this.#uint32(value.length)
      for (const item of value) this.#value(item)
    } else if (value instanceof Map) {
      this.#tag(TAG.MAP)
      this.#uint32(value.size)
      for (const [key, item] of value) {
        this.#value(key)
        this.#value(item)
      }
    } else if (value instanceof Set) {
      this.#tag(TAG.SET)
      this.#uint32(value.size)
      for (const item of value) this.#value(item)
    } else if (value instanceof Bloom) {
      this.#bloom(value)
    } else if (value instanceof Address) {
      this.#tag(TAG.ADDRESS)
      this.#raw(value.bytes)
    } else if (value instanceof EVMError) {
      this.#tag(TAG.EVM_ERROR)
      this.#string(value.error)
    } else if (value instanceof Error) {
      this.#tag(TAG.ERROR)
      this.#string(value.name)
      this.#string(value.message)
    } else {
      this.#tag(TAG.OBJECT)
      this.#object(value, NONE)
    }
  }

  #bloom(bloom: Bloom): void {
    const bytes = bloom.bitvector
    let any = 0
    for (let i = 0; i < bytes.length; i++) any |= bytes[i]
    if (any === 0) {
      this.#tag(TAG.EMPTY_BLOOM)
      return
    }
    this.#tag(TAG.BLOOM)
    this.#raw(bytes)
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff && !Object.is(value, -0)) {
      this.#tag(TAG.UINT32)
      this.#uint32(value)
      return
    }
    this.#tag(TAG.NUMBER)
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }

  #bigint(value: bigint): void {
    this.#tag(value < 0n ? TAG.NEGATIVE_BIGINT : TAG.BIGINT)
    let rest = value < 0n ? -value : value
    const countAt = this.#reserve(1)
    let count = 0
    while (rest > 0n) {
      const at = this.#reserve(8)
      this.#view.setBigUint64(at, rest & 0xffff_ffff_ffff_ffffn)
      rest >>= 64n
      count++
    }
    this.#bytes[countAt] = count
  }

  #string(value: string): void {
    const upperBound = value.length * 3
    const lengthAt = this.#reserve(4)
    const at = this.#reserve(upperBound)
    const { written } = textEncoder.encodeInto(value, this.#bytes.subarray(at, at + upperBound))
    this.#view.setUint32(lengthAt, written)
    this.#length = at + written
  }

  #raw(bytes: Uint8Array): void {
    this.#uint32(bytes.length)
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  #tag(tag: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = tag
  }

  #uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  /** May replace buffer and view: call it before naming either in an expression. */
  #reserve(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }
}

/**
 * Decodes what {@link ResultEncoder.encode} wrote. `bytes` must be private to the caller; every byte
 * array of the result is a copy of its own, as in stock. The receipt's cumulative gas counts this
 * transaction alone: the ordered commit adds what came before.
 */
export function decodeResult(bytes: Uint8Array): RunTxResult {
  const decoder = new Decoder(bytes)
  const result = decoder.object()
  const execResult = decoder.object()
  const receipt = decoder.object()
  result.execResult = execResult
  const bloom = result.bloom as Bloom
  receipt.bitvector = bloom.bitvector
  receipt.logs = (execResult.logs as TxReceipt['logs'] | undefined) ?? []
  result.receipt = receipt
  return result as unknown as RunTxResult
}

/** Decodes what {@link ResultEncoder.encodeError} wrote. */
export function decodeError(bytes: Uint8Array): string {
  return String(new Decoder(bytes).value())
}

class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  object(): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    for (let count = this.#byte(); count > 0; count--) {
      const number = this.#byte()
      const key = number === OTHER_KEY ? this.#string() : KNOWN_KEYS[number]
      out[key] = this.value()
    }
    return out
  }

  value(): unknown {
    const tag = this.#byte()
    switch (tag) {
      case TAG.UNDEFINED:
        return undefined
      case TAG.NULL:
        return null
      case TAG.FALSE:
        return false
      case TAG.TRUE:
        return true
      case TAG.UINT32:
        return this.#uint32()
      case TAG.NUMBER: {
        this.#at += 8
        return this.#view.getFloat64(this.#at - 8)
      }
      case TAG.BIGINT:
        return this.#magnitude()
      case TAG.NEGATIVE_BIGINT:
        return -this.#magnitude()
      case TAG.STRING:
        return this.#string()
      case TAG.BYTES:
        return this.#raw()
      case TAG.ARRAY: {
        const length = this.#uint32()
        const out: unknown[] = new Array(length)
        for (let i = 0; i < length; i++) out[i] = this.value()
        return out
      }
      case TAG.MAP: {
        const out = new Map<unknown, unknown>()
        for (let size = this.#uint32(); size > 0; size--) {
          const key = this.value()
          out.set(key, this.value())
        }
        return out
      }
      case TAG.SET: {
        const out = new Set<unknown>()
        for (let size = this.#uint32(); size > 0; size--) out.add(this.value())
        return out
      }
      case TAG.OBJECT:
        return this.object()
      case TAG.EVM_ERROR:
        return new EVMError(this.#string() as EVMError['error'])
      case TAG.ERROR: {
        const name = this.#string()
        const error = new Error(this.#string())
        error.name = name
        return error
      }
      case TAG.ADDRESS:
        return new Address(this.#raw())
      case TAG.BLOOM:
        return new Bloom(this.#raw())
      case TAG.EMPTY_BLOOM:
        return new Bloom()
      default:
        throw internalError(`unknown tag ${tag} in a result`)
    }
  }

  #magnitude(): bigint {
    const count = this.#byte()
    let value = 0n
    for (let i = 0; i < count; i++) {
      value |= this.#view.getBigUint64(this.#at) << BigInt(64 * i)
      this.#at += 8
    }
    return value
  }

  #string(): string {
    const length = this.#uint32()
    this.#at += length
    return textDecoder.decode(this.#bytes.subarray(this.#at - length, this.#at))
  }

  #raw(): Uint8Array {
    const length = this.#uint32()
    this.#at += length
    return this.#bytes.slice(this.#at - length, this.#at)
  }

  #byte(): number {
    return this.#bytes[this.#at++]
  }

  #uint32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }
}
