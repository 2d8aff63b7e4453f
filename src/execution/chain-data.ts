// Chain rules and blocks as data: what crosses to the workers, and how they make objects of it again.
// Authority on which parts of a Common, header and transaction travel; functions never do.

import { Block, createBlockHeaderFromRLP } from '@ethereumjs/block'
import {
  type ChainConfig,
  Common,
  type CustomCrypto,
  type ParamsConfig,
  type ParamsDict,
} from '@ethereumjs/common'
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx'
import { Address } from '@ethereumjs/util'
import { decodeFields, encodeFields } from './transaction-fields.ts'
import { signingHash } from './transaction-rlp.ts'

/** A Common without its functions. */
export interface CommonData {
  chain: ChainConfig
  hardfork: string
  eips: number[]
  params: ParamsDict
  /**
   * The values in force. Copies of a Common share `params` and can change them for each other, while
   * each keeps the values that were in force when it last looked.
   */
  inForce: ParamsConfig
}

/** The protected fields of Common that a copy needs; ethereumjs offers no other way to them. */
interface CommonInternals {
  _chainParams: ChainConfig
  _params: ParamsDict
  _paramsCache: ParamsConfig
}

/** Keyed by the parameter cache, which Common makes anew whenever anything about it changes. */
const encodings = new WeakMap<object, string>()

/** The Common as JSON, remembered until the Common changes. */
export function encodeCommon(common: Common): string {
  const internals = common as unknown as CommonInternals
  const known = encodings.get(internals._paramsCache)
  if (known !== undefined) return known
  const data: CommonData = {
    chain: internals._chainParams,
    hardfork: common.hardfork(),
    eips: common.eips(),
    params: internals._params,
    inForce: internals._paramsCache,
  }
  const encoded = JSON.stringify(data)
  encodings.set(internals._paramsCache, encoded)
  return encoded
}

/**
 * A Common whose parameters are complete and final. Stock copies a Common for every transaction and
 * merges default parameters into it each time; here both do nothing, since the data came from a
 * Common in which all of it was done.
 */
class FinalCommon extends Common {
  #final = false

  finalize(params: ParamsDict, inForce: ParamsConfig): void {
    this.resetParams(params)
    this._paramsCache = inForce
    this.#final = true
  }
  override updateParams(params: ParamsDict): void {
    if (!this.#final) super.updateParams(params)
  }
  override copy(): Common {
    return this
  }
}

/** Makes a Common of what {@link encodeCommon} returned; shared by all that is made with it. */
export function decodeCommon(encoded: string, customCrypto: CustomCrypto | undefined): Common {
  const data = JSON.parse(encoded) as CommonData
  const common = new FinalCommon({
    chain: data.chain,
    hardfork: data.hardfork,
    eips: data.eips,
    params: data.params,
    ...(customCrypto === undefined ? {} : { customCrypto }),
  })
  common.finalize(data.params, data.inForce)
  return common
}

/** A block without transactions, for the header that the EVM and `runTx` look at. */
export function decodeBlock(headerRlp: Uint8Array, common: Common): Block {
  const options = { common, skipConsensusFormatValidation: true, freeze: false }
  const header = createBlockHeaderFromRLP(headerRlp, options)
  return new Block(header, [], [], undefined, options)
}

/** How the worker learns a transaction's sender. */
export const SENDER = {
  /** It recovers it from the signature. */
  RECOVER: 0,
  /** Main knows the public key (64 bytes). */
  PUBLIC_KEY: 1,
  /** Main knows the address (20 bytes): the transaction has a `getSenderAddress` of its own. */
  ADDRESS: 2,
} as const

/** In the first byte: the transaction is there as its fields, not as RLP. */
const AS_FIELDS = 0x10
/** The same: what its data costs follows the sender. */
const WITH_DATA_FEE = 0x20
const DATA_FEE_BYTES = 8

/**
 * A transaction as bytes: sender kind and form, sender bytes, what its data costs if the transaction notes that,
 * its fields or the transaction serialized.
 */
export function encodeTransaction(tx: TypedTransaction): Uint8Array {
  const { kind, sender } = senderOf(tx)
  const fields = encodeFields(tx)
  const content = fields ?? tx.serialize()
  const fee = notedDataFee(tx)
  const start = 1 + sender.length + (fee === undefined ? 0 : DATA_FEE_BYTES)
  const bytes = new Uint8Array(start + content.length)
  bytes[0] = kind | (fields === undefined ? 0 : AS_FIELDS) | (fee === undefined ? 0 : WITH_DATA_FEE)
  bytes.set(sender, 1)
  if (fee !== undefined) new DataView(bytes.buffer).setBigUint64(1 + sender.length, fee)
  bytes.set(content, start)
  return bytes
}

/** What stock takes for the cost of the data, whoever noted it and whatever the data is. */
export function notedDataFee({ cache, common }: TypedTransaction): bigint | undefined {
  const { dataFee } = cache
  return dataFee && dataFee.hardfork === common.hardfork() ? dataFee.value : undefined
}

/** Whether what a transaction notes about itself can cross to workers. */
export function canCross(tx: TypedTransaction): boolean {
  const fee = notedDataFee(tx)
  const isFee = fee === undefined || (typeof fee === 'bigint' && BigInt.asUintN(64, fee) === fee)
  const key = tx.cache.senderPubKey
  return isFee && (key === undefined || key.length === 64)
}

/**
 * Makes a transaction of what {@link encodeTransaction} returned. `addressOf` gives the address of a
 * public key; ethereumjs' own function for that cannot be given another hash function. `recovered` is
 * asked, before the signature is, for the sender's address (20 bytes): another worker may have found it.
 * `found` is told the public key (64 bytes) that the signature gives. `keccak`, where given, hashes what was
 * signed.
 * @throws what stock's factory throws, of a transaction that is not there as its fields
 */
export function decodeTransaction(
  bytes: Uint8Array,
  common: Common,
  addressOf: (publicKey: Uint8Array) => Uint8Array,
  recovered: () => Uint8Array | undefined,
  found: (publicKey: Uint8Array) => void = () => {},
  keccak?: (bytes: Uint8Array) => Uint8Array,
): TypedTransaction {
  const kind = bytes[0] & ~(AS_FIELDS | WITH_DATA_FEE)
  const senderLength = kind === SENDER.PUBLIC_KEY ? 64 : kind === SENDER.ADDRESS ? 20 : 0
  const hasFee = (bytes[0] & WITH_DATA_FEE) !== 0
  const content = bytes.subarray(1 + senderLength + (hasFee ? DATA_FEE_BYTES : 0))
  const tx =
    (bytes[0] & AS_FIELDS) !== 0
      ? decodeFields(content, common)
      : createTxFromRLP(content, { common, allowUnlimitedInitCodeSize: true, freeze: false })
  if (hasFee) {
    const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1 + senderLength)
    tx.cache.dataFee = { value, hardfork: common.hardfork() }
  }
  if (keccak !== undefined) {
    const stockMessage = tx.getMessageToVerifySignature
    tx.getMessageToVerifySignature = () => signingHash(tx, keccak) ?? stockMessage.call(tx)
  }
  let sender: Address | undefined
  if (kind === SENDER.PUBLIC_KEY) {
    sender = new Address(addressOf(bytes.subarray(1, 65)))
  } else if (kind === SENDER.ADDRESS) {
    sender = new Address(bytes.slice(1, 21))
  }
  // Not frozen, so stock would recover again at every call and every incarnation.
  const recover = (): Address => {
    const publicKey = tx.getSenderPublicKey()
    found(publicKey)
    return new Address(addressOf(publicKey))
  }
  tx.getSenderAddress = () => {
    if (sender === undefined) {
      const address = recovered()
      sender = address === undefined ? recover() : new Address(address)
    }
    return sender
  }
  return tx
}

function senderOf(tx: TypedTransaction): { kind: number; sender: Uint8Array } {
  const own = Object.hasOwn(tx, 'getSenderAddress') || Object.hasOwn(tx, 'getSenderPublicKey')
  if (own || !tx.isSigned()) {
    return { kind: SENDER.ADDRESS, sender: tx.getSenderAddress().bytes }
  }
  const known = tx.cache.senderPubKey
  if (known !== undefined && known.length === 64) return { kind: SENDER.PUBLIC_KEY, sender: known }
  return { kind: SENDER.RECOVER, sender: new Uint8Array(0) }
}
