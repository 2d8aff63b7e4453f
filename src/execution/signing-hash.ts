// The hash that a transaction's signature is over, as stock's `getMessageToVerifySignature` gives it.
// Authority on which transactions it is computed for here (legacy ones, EIP-155, EIP-2930, EIP-1559);
// for all others stock's method is the one to ask.

import {
  type AccessList2930Tx,
  Capability,
  type FeeMarket1559Tx,
  type LegacyTx,
  TransactionType,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { RlpWriter } from '../memory/rlp-writer.ts'

const writer = new RlpWriter()
const LARGEST_CHAIN_ID = 2n ** 256n
const NOTHING = new Uint8Array(0)

/** 32 bytes; `undefined` where stock's method has to be asked. `keccak` is keccak-256. */
export function signingHash(
  tx: TypedTransaction,
  keccak: (bytes: Uint8Array) => Uint8Array,
): Uint8Array | undefined {
  // Longer than what is written here; nothing bounds it.
  if (tx.common.chainId() >= LARGEST_CHAIN_ID) return undefined
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

function writeLegacy(tx: LegacyTx): void {
  if (tx.supports(Capability.EIP155ReplayProtection)) {
    writer.string(NOTHING)
    writer.string(NOTHING)
    writer.number(tx.common.chainId())
  }
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
