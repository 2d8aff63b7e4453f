// What is known of a transaction before it runs, as plain bytes.
// Authority on what predictions may be made from. Must not recover signatures: that is dear, and
// whoever has done it hands the result in.
import {
  isAccessList2930Tx,
  isBlob4844Tx,
  isEOACode7702Tx,
  isFeeMarket1559Tx,
  type TypedTransaction,
} from '@ethereumjs/tx'

/** An address and the storage keys listed for it (EIP-2930). */
export type ListedAccess = readonly [address: Uint8Array, keys: readonly Uint8Array[]]

export interface TransactionFacts {
  /** 20 bytes; absent while nobody has recovered it, and then nothing that needs it is predicted. */
  readonly sender?: Uint8Array
  /** 20 bytes; absent for a creation. */
  readonly to?: Uint8Array
  /** In wei. */
  readonly value: bigint
  readonly data: Uint8Array
  readonly nonce: bigint
  /** EIP-2930. Default: none. */
  readonly accessList?: readonly ListedAccess[]
  /** The recovered signers of EIP-7702 authorizations, 20 bytes each. Default: none known. */
  readonly authorities?: readonly Uint8Array[]
  /** The block's, 20 bytes. */
  readonly coinbase: Uint8Array
  /**
   * For a call that was itself predicted. Bit k: argument k is not zero, and not known; the bit
   * {@link UNKNOWN_VALUE}: so is the value. Default: all is known.
   */
  readonly unknown?: number
}

/** Arguments that {@link TransactionFacts.unknown} has bits for. */
export const MOST_UNKNOWN = 30
export const UNKNOWN_VALUE = 1 << MOST_UNKNOWN

/** What the caller knows beyond the transaction itself. */
export interface KnownAround {
  readonly coinbase: Uint8Array
  readonly sender?: Uint8Array
  readonly authorities?: readonly Uint8Array[]
}

/** The facts of an ethereumjs transaction. Its bytes are shared, not copied. */
export function factsOf(tx: TypedTransaction, around: KnownAround): TransactionFacts {
  const hasList =
    isAccessList2930Tx(tx) || isFeeMarket1559Tx(tx) || isBlob4844Tx(tx) || isEOACode7702Tx(tx)
  return {
    sender: around.sender,
    to: tx.to?.bytes,
    value: tx.value,
    data: tx.data,
    nonce: tx.nonce,
    accessList: hasList ? tx.accessList : undefined,
    authorities: around.authorities,
    coinbase: around.coinbase,
  }
}
