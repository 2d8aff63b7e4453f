// One transaction's part of an EIP-7928 block access list, as data.
// Authority on what the part must tell so that it can be added to a list without knowing, when it was
// recorded, what the transactions before it listed, and on how a list writes addresses.

import type { Address, PrefixedHexString } from '@ethereumjs/util'

/** An address as stock's list has it: hex of 20 bytes, lower case. */
export function listedAddress(address: Address): PrefixedHexString {
  return address.toString() as PrefixedHexString
}

/** A balance that was not read: the one before the transaction, whatever it is, and this much more. */
export interface UnreadBalance {
  readonly added: bigint
}

/** A balance as it is listed, in wei. */
export type ListedBalance = bigint | UnreadBalance

/** A slot's key as the list writes it: hex without leading zero bytes, `0x` for slot 0. */
export type ListedSlot = PrefixedHexString

/** What a transaction lists of one account. */
export interface ListedAccount {
  /** 20 bytes, lower case. */
  readonly address: PrefixedHexString
  /** Values after the transaction; undefined = not changed. */
  readonly nonce: bigint | undefined
  readonly balance: ListedBalance | undefined
  readonly code: Uint8Array | undefined
  /** Slots with another value after the transaction, without leading zero bytes. */
  readonly changes: readonly (readonly [ListedSlot, Uint8Array])[]
  /** Slots that were looked at, or written and then left as they were. */
  readonly reads: readonly ListedSlot[]
  /**
   * Those of `reads` that were written to, and not by a call that failed. A list that has such a slot
   * among both reads and changes of earlier transactions, which stock's can, loses the read.
   */
  readonly rewritten: readonly ListedSlot[]
  /**
   * It was destroyed in the transaction that created it: what earlier transactions listed of it is void
   * too, of balances where `voidsBalances`.
   */
  readonly destroyed: boolean
  readonly voidsBalances: boolean
}

export interface ListedAccesses {
  /** In the order in which they were first met. */
  readonly accounts: readonly ListedAccount[]
  /** Code before the transaction of accounts that signed a delegation (EIP-7702). */
  readonly codesBefore: readonly (readonly [PrefixedHexString, Uint8Array])[]
}
