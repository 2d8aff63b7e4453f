// Adds transactions' parts to an EIP-7928 block access list of stock's class.
// Authority on what the transactions before mean for a part: afterwards the list is the one that stock
// would have made by running the transaction on it, to the order in which its members were added.

import type { BALAccountAccess, BlockLevelAccessList, PrefixedHexString } from '@ethereumjs/util'
import type { ListedAccesses, ListedAccount } from './listed-accesses.ts'

/** Stock keeps it to see whether a second delegation brings the first code back. */
interface ListInternals {
  originalCodesAtIndex: Map<string, Uint8Array>
}

/**
 * Adds `part` as what happens at `index` (transaction i has index i + 1). Must be called in canonical
 * order. `balanceBefore` tells an account's balance before the transaction, for what was not read.
 */
export function mergeAccesses(
  list: BlockLevelAccessList,
  index: number,
  part: ListedAccesses,
  balanceBefore: (address: PrefixedHexString) => bigint,
): void {
  list.blockAccessIndex = index
  for (const account of part.accounts) {
    const { address, nonce, balance, code } = account
    list.addAddress(address)
    const access = list.accesses[address]
    mergeSlots(access, index, account)
    if (account.destroyed) clear(access, account.voidsBalances)
    if (nonce !== undefined) list.addNonceChange(address, nonce, index)
    if (code !== undefined) access.codeChanges.push([index, code])
    if (balance !== undefined) {
      const amount = typeof balance === 'bigint' ? balance : balanceBefore(address) + balance.added
      list.addBalanceChange(address, amount, index)
    }
  }
  const { originalCodesAtIndex } = list as unknown as ListInternals
  for (const [address, code] of part.codesBefore) {
    originalCodesAtIndex.set(`${address}-${index}`, code)
  }
}

/**
 * A slot is listed as read only where no transaction changed it. Stock's list can have one under both,
 * after a call that put the old value back and then failed; the next write takes the read away.
 */
function mergeSlots(access: BALAccountAccess, index: number, account: ListedAccount): void {
  const { storageReads, storageChanges } = access
  const written = new Set(account.rewritten)
  for (const slot of account.reads) {
    if (written.has(slot)) storageReads.delete(slot)
    if (storageChanges[slot] === undefined) storageReads.add(slot)
  }
  for (const [slot, value] of account.changes) {
    const changes = storageChanges[slot]
    if (changes !== undefined) {
      storageReads.delete(slot)
      changes.push([index, value])
    } else {
      if (!written.has(slot)) storageReads.delete(slot)
      storageChanges[slot] = [[index, value]]
    }
  }
}

/** Also what earlier transactions changed is void then: stock's list does not tell them apart. */
function clear(access: BALAccountAccess, voidsBalances: boolean): void {
  for (const slot of Object.keys(access.storageChanges)) {
    access.storageReads.add(slot as PrefixedHexString)
  }
  access.storageChanges = {}
  access.nonceChanges.clear()
  access.codeChanges = []
  if (voidsBalances) access.balanceChanges.clear()
}
