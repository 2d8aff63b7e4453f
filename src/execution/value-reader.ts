// Reads values from the bytes that value-writer.ts made of them.
// Authority on what a reader gets: every array of bytes is a copy of its own. What the
// values make together is result-codec.ts's matter.

import { EVMError } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import { Bloom } from '@ethereumjs/vm'
import { internalError } from '../errors.ts'
import { KNOWN_KEYS, OTHER_KEY, TAG } from './value-format.ts'

const textDecoder = new TextDecoder()

/** Reads values in the order in which they were written. */
export class ValueReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Reads an object that was written without a tag. */
  object(): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    for (let count = this.#byte(); count > 0; count--) {
      const number = this.#byte()
      const key = number === OTHER_KEY ? this.#string() : KNOWN_KEYS[number]
      out[key] = this.value()
    }
    return out
  }

  /** Reads a value with its tag. */
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
