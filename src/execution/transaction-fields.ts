// A transaction's fields as bytes, and a transaction of ethereumjs' class made of them: what decoding its
// RLP and checking it once more would give, at a tenth of the cost.
// Authority on which transactions may cross so: those of classes whose objects have just the fields that
// are known here. All others cross as RLP (chain-data.ts). It must not check: the transaction was made, and
// checked, on the calling thread.

import type { Common } from '@ethereumjs/common'
import { RLP } from '@ethereumjs/rlp'
import {
  AccessList2930Tx,
  Capability,
  FeeMarket1559Tx,
  LegacyTx,
  TransactionType,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { Address } from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { internalError } from '../errors.ts'

const SHARED = ['type', 'cache', 'activeCapabilities', 'common', 'txOptions', 'to', 'nonce']
const SIGNED = ['gasLimit', 'value', 'data', 'v', 'r', 's']

/** A class, the fields that its objects must have, and the numbers among them that differ by class. */
interface Kind {
  readonly prototype: object
  readonly fields: ReadonlySet<string>
  readonly fees: readonly string[]
  readonly capabilities: readonly number[]
  readonly isTyped: boolean
}

function kind(
  prototype: object,
  fees: readonly string[],
  capabilities: readonly number[],
  own: readonly string[],
): Kind {
  const fields = new Set([...SHARED, ...SIGNED, ...fees, ...own])
  return { prototype, fields, fees, capabilities, isTyped: capabilities.length > 0 }
}

const KINDS: ReadonlyMap<number, Kind> = new Map([
  [TransactionType.Legacy, kind(LegacyTx.prototype, ['gasPrice'], [], ['keccakFunction'])],
  [
    TransactionType.AccessListEIP2930,
    kind(AccessList2930Tx.prototype, ['gasPrice'], [2718, 2930], ['chainId', 'accessList']),
  ],
  [
    TransactionType.FeeMarketEIP1559,
    kind(
      FeeMarket1559Tx.prototype,
      ['maxFeePerGas', 'maxPriorityFeePerGas'],
      [1559, 2718, 2930],
      ['chainId', 'accessList'],
    ),
  ],
])

type Fields = Record<string, unknown>

const FLAG = { TO: 1, REPLAY_PROTECTED: 2, ACCESS_LIST: 4 } as const
const LIMB_BITS = 64n
const LARGEST_V = 2n ** 256n
const FIRST_ROOM = 1 << 12

let room = new Uint8Array(FIRST_ROOM)
let view = new DataView(room.buffer)

/** The fields of `tx`; `undefined` where it has to cross as RLP. Good until the next call. */
export function encodeFields(tx: TypedTransaction): Uint8Array | undefined {
  const known = KINDS.get(tx.type)
  if (known === undefined || !hasKnownFields(tx, known)) return undefined
  const { v, r, s } = tx
  if (v === undefined || r === undefined || s === undefined) return undefined
  // Without bounds in legacy transactions of before EIP-155.
  if (v >= LARGEST_V) return undefined
  const list = known.isTyped ? (tx as FeeMarket1559Tx).accessList : []
  const encodedList = list.length === 0 ? undefined : RLP.encode(list)
  reserve(tx.data.length + (encodedList?.length ?? 0) + 512)
  const isProtected = !known.isTyped && tx.supports(Capability.EIP155ReplayProtection)
  room[0] = tx.type
  room[1] =
    (tx.to === undefined ? 0 : FLAG.TO) |
    (isProtected ? FLAG.REPLAY_PROTECTED : 0) |
    (encodedList === undefined ? 0 : FLAG.ACCESS_LIST)
  let at = 2
  if (tx.to !== undefined) {
    room.set(tx.to.bytes, at)
    at += 20
  }
  for (const value of [tx.nonce, tx.gasLimit, tx.value, v, r, s]) at = writeNumber(at, value)
  for (const fee of known.fees) at = writeNumber(at, (tx as unknown as Fields)[fee] as bigint)
  if (encodedList !== undefined) {
    view.setUint32(at, encodedList.length)
    room.set(encodedList, at + 4)
    at += 4 + encodedList.length
  }
  room.set(tx.data, at)
  return room.subarray(0, at + tx.data.length)
}

/** A transaction of what {@link encodeFields} returned, with copies of the bytes. */
export function decodeFields(bytes: Uint8Array, common: Common): TypedTransaction {
  const known = KINDS.get(bytes[0])
  if (known === undefined) throw internalError(`transactions of type ${bytes[0]} have no fields`)
  const flags = bytes[1]
  const reader = new FieldReader(bytes, 2)
  const fields = Object.create(known.prototype) as Fields
  fields.type = bytes[0]
  fields.cache = {}
  fields.activeCapabilities =
    (flags & FLAG.REPLAY_PROTECTED) === 0
      ? [...known.capabilities]
      : [Capability.EIP155ReplayProtection]
  fields.common = common
  fields.txOptions = { common, freeze: false }
  fields.to = (flags & FLAG.TO) === 0 ? undefined : new Address(reader.bytes(20))
  fields.nonce = reader.number()
  fields.gasLimit = reader.number()
  fields.value = reader.number()
  fields.v = reader.number()
  fields.r = reader.number()
  fields.s = reader.number()
  for (const fee of known.fees) fields[fee] = reader.number()
  if (known.isTyped) {
    fields.chainId = common.chainId()
    fields.accessList =
      (flags & FLAG.ACCESS_LIST) === 0 ? [] : RLP.decode(reader.bytes(reader.length()))
  } else {
    fields.keccakFunction = common.customCrypto.keccak256 ?? keccak_256
  }
  fields.data = reader.rest()
  return fields as unknown as TypedTransaction
}

function hasKnownFields(tx: TypedTransaction, { fields, capabilities, isTyped }: Kind): boolean {
  const { activeCapabilities } = tx as unknown as { activeCapabilities: readonly number[] }
  const expected =
    isTyped || activeCapabilities.length === 0 ? capabilities : [Capability.EIP155ReplayProtection]
  if (activeCapabilities.length !== expected.length) return false
  if (!expected.every((capability, i) => activeCapabilities[i] === capability)) return false
  if (isTyped && (tx as FeeMarket1559Tx).chainId !== tx.common.chainId()) return false
  let count = 0
  for (const name in tx) {
    if (!Object.hasOwn(tx, name)) continue
    if (!fields.has(name)) return false
    count++
  }
  return count === fields.size
}

/** A number from 0 on: how many limbs, then these, the lowest first. */
function writeNumber(at: number, value: bigint): number {
  let end = at + 1
  for (let rest = value; rest > 0n; rest >>= LIMB_BITS) {
    view.setBigUint64(end, rest)
    end += 8
  }
  room[at] = (end - at) >> 3
  return end
}

function reserve(bytes: number): void {
  if (room.length >= bytes) return
  room = new Uint8Array(2 * bytes)
  view = new DataView(room.buffer)
}

class FieldReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  bytes(length: number): Uint8Array {
    this.#at += length
    return this.#bytes.slice(this.#at - length, this.#at)
  }

  length(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  number(): bigint {
    const limbs = this.#bytes[this.#at]
    const start = this.#at + 1
    this.#at = start + limbs * 8
    let value = 0n
    for (let at = this.#at - 8; at >= start; at -= 8) {
      value = (value << LIMB_BITS) | this.#view.getBigUint64(at)
    }
    return value
  }

  rest(): Uint8Array {
    return this.#bytes.slice(this.#at)
  }
}
