// Writes JavaScript values as bytes: what a worker's results are made of.
// Authority on which kinds of values can cross threads; anything else is refused, never sent as something
// like it. Which fields of a result cross is result-codec.ts's matter.

import { EVMError } from '@ethereumjs/evm'
import { Address } from '@ethereumjs/util'
import { Bloom } from '@ethereumjs/vm'
import { internalError } from '../errors.ts'
import { KEY_NUMBERS, MOST_FIELDS, OTHER_KEY, TAG } from './value-format.ts'

const textEncoder = new TextEncoder()
const NONE: ReadonlySet<string> = new Set()

/** Writes values one after the other into a buffer of its own, reused after {@link clear}. */
export class ValueWriter {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  clear(): void {
    this.#length = 0
  }

  /** What was written since {@link clear}; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Writes an object's own fields but those named in `without`; without a tag. */
  object(value: object, without: ReadonlySet<string> = NONE): void {
    const countAt = this.#reserve(1)
    let count = 0
    for (const [key, field] of Object.entries(value)) {
      if (without.has(key)) continue
      this.#key(key)
      this.value(field)
      count++
    }
    if (count > MOST_FIELDS) throw internalError(`a result holds an object with ${count} fields`)
    this.#bytes[countAt] = count
  }

  /** Writes a value with its tag. */
  value(value: unknown): void {
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

  #key(key: string): void {
    const number = KEY_NUMBERS.get(key)
    this.#tag(number ?? OTHER_KEY)
    if (number === undefined) this.#string(key)
  }

  #reference(value: object): void {
    if (value instanceof Uint8Array) {
      this.#tag(TAG.BYTES)
      this.#raw(value)
    } else if (Array.isArray(value)) {
      this.#tag(TAG.ARRAY)
      this.#uint32(value.length)
      for (const item of value) this.value(item)
    } else if (value instanceof Map) {
      this.#tag(TAG.MAP)
      this.#uint32(value.size)
      for (const [key, item] of value) {
        this.value(key)
        this.value(item)
      }
    } else if (value instanceof Set) {
      this.#tag(TAG.SET)
      this.#uint32(value.size)
      for (const item of value) this.value(item)
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
      this.object(value)
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
