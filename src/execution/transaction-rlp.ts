// Transactions in RLP, written in one go: what a signature is over, hashed as stock's
// `getMessageToVerifySignature` hashes it, and all of a transaction, as stock's `serialize` gives it.
// Authority on which transactions that is done for here (legacy ones, EIP-155, EIP-2930, EIP-1559); for all
// others stock's methods are the ones to ask.

import {
  AccessList2930Tx,
  Capability,
  FeeMarket1559Tx,
  LegacyTx,
  TransactionType,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { RlpWriter } from '../memory/rlp-writer.ts'

const writer = new RlpWriter()
/** Longer numbers are not written here. */
const TOO_LARGE = 2n ** 256n
const NOTHING = new Uint8Array(0)

/** 32 bytes; `undefined` where stock's method has to be asked. `keccak` is keccak-256. */
export function signingHash(
  tx: TypedTransaction,
  keccak: (bytes: Uint8Array) => Uint8Array,
): Uint8Array | undefined {
  // Nothing bounds it.
  if (tx.common.chainId() >= TOO_LARGE) return undefined
  writer.begin()
  switch (tx.type) {
    case TransactionType.Legacy:
      writeLegacy(tx as LegacyTx)
      break
    case TransactionType.AccessListEIP2930:
    case TransactionType.FeeMarketEIP1559:
      writeTyped(tx as AccessList2930Tx | FeeMarket1559Tx)
      break
    default:
      return undefined
  }
  return keccak(writer.written)
}

/** As `serialize` of `tx` gives it: a new array each time. @throws what stock throws */
export function transactionBytes(tx: TypedTransaction): Uint8Array {
  const { v, r, s } = tx
  const isSigned = v !== undefined && r !== undefined && s !== undefined
  if (!isSigned || !isStock(tx) || v >= TOO_LARGE) return tx.serialize()
  writer.begin()
  writer.number(s)
  writer.number(r)
  writer.number(v)
  if (tx.type === TransactionType.Legacy) writeLegacyFields(tx as LegacyTx)
  else writeTyped(tx as AccessList2930Tx | FeeMarket1559Tx)
  return writer.written.slice()
}

const CLASSES: readonly { readonly prototype: { serialize: unknown; raw: unknown } }[] = [
  LegacyTx,
  AccessList2930Tx,
  FeeMarket1559Tx,
]

/** Whether stock's own methods would write it, and in a form that is known here. */
function isStock(tx: TypedTransaction): boolean {
  return CLASSES.some(
    ({ prototype }) =>
      Object.getPrototypeOf(tx) === prototype &&
      tx.serialize === prototype.serialize &&
      tx.raw === prototype.raw,
  )
}

function writeLegacy(tx: LegacyTx): void {
  if (tx.supports(Capability.EIP155ReplayProtection)) {
    writer.string(NOTHING)
    writer.string(NOTHING)
    writer.number(tx.common.chainId())
  }
  writeLegacyFields(tx)
}

function writeLegacyFields(tx: LegacyTx): void {
  writeCall(tx)
  writer.number(tx.gasLimit)
  writer.number(tx.gasPrice)
  writer.number(tx.nonce)
  writer.list(0)
}

function writeTyped(tx: AccessList2930Tx | FeeMarket1559Tx): void {
  writeAccessList(tx.accessList)
  writeCall(tx)
  writer.number(tx.gasLimit)
  if (tx.type === TransactionType.FeeMarketEIP1559) {
    const { maxFeePerGas, maxPriorityFeePerGas } = tx as FeeMarket1559Tx
    writer.number(maxFeePerGas)
    writer.number(maxPriorityFeePerGas)
  } else {
    writer.number((tx as AccessList2930Tx).gasPrice)
  }
  writer.number(tx.nonce)
  writer.number(tx.chainId)
  writer.list(0)
  writer.raw(Uint8Array.of(tx.type))
}

/** Recipient, value and data, which every transaction has next to each other. */
function writeCall({ to, value, data }: LegacyTx | AccessList2930Tx | FeeMarket1559Tx): void {
  writer.string(data)
  writer.number(value)
  writer.string(to?.bytes ?? NOTHING)
}

function writeAccessList(list: FeeMarket1559Tx['accessList']): void {
  const end = writer.mark
  for (let i = list.length - 1; i >= 0; i--) {
    const [address, keys] = list[i]
    const item = writer.mark
    for (let k = keys.length - 1; k >= 0; k--) writer.string(keys[k])
    writer.list(item)
    writer.string(address)
    writer.list(item)
  }
  writer.list(end)
}
