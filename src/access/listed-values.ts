// The values that an EIP-7928 block access list gives, account by account, each with its transaction.
// Authority on what of a list can be used at all: it comes from whoever made the block, so anything can
// stand in it. Whether a value is right is not asked here, and nothing may depend on it.

import {
  BLOCK_ACCESS_LIST_ITEM_COST,
  type BlockLevelAccessList,
  hexToBytes,
  type PrefixedHexString,
} from '@ethereumjs/util'

import { padded } from './word.ts'

/** What an account or slot has after a transaction, by that transaction's position in the block. */
export interface ListedValue<T> {
  readonly transaction: number
  readonly value: T
}

/** What a list says of one account. */
export interface ListedValues {
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly nonces: readonly ListedValue<bigint>[]
  /** In wei. */
  readonly balances: readonly ListedValue<bigint>[]
  readonly codes: readonly ListedValue<Uint8Array>[]
  /** Slots that are changed, and those that are only read, which have no values. */
  readonly slots: readonly ListedSlotValues[]
}

export interface ListedSlotValues {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** At most 32 bytes each. */
  readonly values: readonly ListedValue<Uint8Array>[]
}

/** More wei than there can be. Sums of less, over a block, stay far from what 256 bits hold. */
const UNBELIEVABLE_BALANCE = 1n << 128n
const NONCE_END = 1n << 64n
const ADDRESS = /^0x[0-9a-f]{40}$/i
/** At most 32 bytes. */
const WORD = /^0x(?:[0-9a-f]{2}){0,32}$/i

type List = Pick<BlockLevelAccessList, 'accesses'>

/** Whether the list has more accounts and slots than a block with this gas limit may list. */
export function isTooLong({ accesses }: List, gasLimit: bigint): boolean {
  let items = 0
  for (const { storageChanges, storageReads } of Object.values(accesses)) {
    items += 1 + storageReads.size + Object.keys(storageChanges).length
  }
  return BigInt(items) > gasLimit / BigInt(BLOCK_ACCESS_LIST_ITEM_COST)
}

/**
 * What the list says of each account, for a block of so many `transactions`. Index 0 of a list is what
 * happens before them, and the index behind the last what happens after them: both are left out, and so
 * is whatever has no valid form.
 */
export function* listedValues({ accesses }: List, transactions: number): Iterable<ListedValues> {
  for (const [text, access] of Object.entries(accesses)) {
    if (!ADDRESS.test(text)) continue
    const select = <Listed, T>(
      changes: Iterable<readonly [number, Listed]>,
      read: (listed: Listed) => T | undefined,
    ): ListedValue<T>[] => valuesOf(changes, transactions, read)
    const slots: ListedSlotValues[] = []
    for (const [slot, changes] of Object.entries(access.storageChanges)) {
      const key = keyOf(slot)
      if (key !== undefined) slots.push({ key, values: select(changes, word) })
    }
    for (const slot of access.storageReads) {
      const key = keyOf(slot)
      if (key !== undefined) slots.push({ key, values: [] })
    }
    yield {
      address: hexToBytes(text as PrefixedHexString),
      nonces: select(access.nonceChanges, (hex) => numberBelow(NONCE_END, hex)),
      balances: select(access.balanceChanges, (hex) => numberBelow(UNBELIEVABLE_BALANCE, hex)),
      codes: select(access.codeChanges, bytes),
      slots,
    }
  }
}

function valuesOf<Listed, T>(
  changes: Iterable<readonly [number, Listed]>,
  transactions: number,
  read: (listed: Listed) => T | undefined,
): ListedValue<T>[] {
  const values: ListedValue<T>[] = []
  for (const [index, listed] of changes) {
    if (!Number.isInteger(index) || index < 1 || index > transactions) continue
    const value = read(listed)
    if (value !== undefined) values.push({ transaction: index - 1, value })
  }
  return values
}

/** RLP can hold a list where a list of accesses should hold bytes, and stock lets it pass. */
function bytes(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}

function word(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length <= 32 ? value : undefined
}

function numberBelow(end: bigint, hex: string): bigint | undefined {
  if (!WORD.test(hex)) return undefined
  const value = hex === '0x' ? 0n : BigInt(hex)
  return value < end ? value : undefined
}

function keyOf(slot: string): Uint8Array | undefined {
  if (!WORD.test(slot)) return undefined
  return padded(slot === '0x' ? new Uint8Array(0) : hexToBytes(slot as PrefixedHexString))
}
