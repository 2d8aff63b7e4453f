// A transaction's part of a block access list as bytes: written by the worker, read by the main thread.
// Authority on their form; what the part means is access/listed-accesses.ts's matter.

import type { PrefixedHexString } from '@ethereumjs/util'
import type { ListedAccesses, ListedAccount, ListedSlot } from '../access/listed-accesses.ts'
import { ValueReader } from './value-reader.ts'
import { ValueWriter } from './value-writer.ts'

/** What of an account is there: most that are listed have little. */
const HAS = {
  NONCE: 1,
  BALANCE: 2,
  UNREAD_BALANCE: 4,
  CODE: 8,
  SLOTS: 16,
  DESTROYED: 32,
  VOIDS_BALANCES: 64,
} as const

export class AccessListEncoder {
  readonly #writer = new ValueWriter()

  /** The encoded bytes; valid until the next call. */
  encode({ accounts, codesBefore }: ListedAccesses): Uint8Array {
    const writer = this.#writer
    writer.clear()
    writer.value(accounts.length)
    for (const account of accounts) this.#account(account)
    writer.value(codesBefore.length)
    for (const [address, code] of codesBefore) {
      writer.value(address)
      writer.value(code)
    }
    return writer.written
  }

  #account(account: ListedAccount): void {
    const writer = this.#writer
    const { nonce, balance, code, changes, reads, rewritten } = account
    const hasSlots = changes.length > 0 || reads.length > 0
    writer.value(account.address)
    writer.value(
      (nonce === undefined ? 0 : HAS.NONCE) |
        (balance === undefined ? 0 : HAS.BALANCE) |
        (typeof balance === 'object' ? HAS.UNREAD_BALANCE : 0) |
        (code === undefined ? 0 : HAS.CODE) |
        (hasSlots ? HAS.SLOTS : 0) |
        (account.destroyed ? HAS.DESTROYED : 0) |
        (account.voidsBalances ? HAS.VOIDS_BALANCES : 0),
    )
    if (nonce !== undefined) writer.value(nonce)
    if (balance !== undefined) writer.value(typeof balance === 'bigint' ? balance : balance.added)
    if (code !== undefined) writer.value(code)
    if (!hasSlots) return
    writer.value(changes.length)
    for (const [slot, value] of changes) {
      writer.value(slot)
      writer.value(value)
    }
    writer.value(reads)
    writer.value(rewritten)
  }
}

/** Decodes what {@link AccessListEncoder.encode} wrote. */
export function decodeAccesses(bytes: Uint8Array): ListedAccesses {
  const reader = new ValueReader(bytes)
  const accounts = listOf(reader, () => decodeAccount(reader))
  const codesBefore = listOf(
    reader,
    () => [reader.value() as PrefixedHexString, reader.value() as Uint8Array] as const,
  )
  return { accounts, codesBefore }
}

function decodeAccount(reader: ValueReader): ListedAccount {
  const address = reader.value() as PrefixedHexString
  const has = reader.value() as number
  const nonce = (has & HAS.NONCE) === 0 ? undefined : (reader.value() as bigint)
  const balance = (has & HAS.BALANCE) === 0 ? undefined : (reader.value() as bigint)
  const code = (has & HAS.CODE) === 0 ? undefined : (reader.value() as Uint8Array)
  const hasSlots = (has & HAS.SLOTS) !== 0
  return {
    address,
    nonce,
    balance:
      balance !== undefined && (has & HAS.UNREAD_BALANCE) !== 0 ? { added: balance } : balance,
    code,
    changes: hasSlots
      ? listOf(reader, () => [reader.value() as ListedSlot, reader.value() as Uint8Array] as const)
      : [],
    reads: hasSlots ? (reader.value() as ListedSlot[]) : [],
    rewritten: hasSlots ? (reader.value() as ListedSlot[]) : [],
    destroyed: (has & HAS.DESTROYED) !== 0,
    voidsBalances: (has & HAS.VOIDS_BALANCES) !== 0,
  }
}

function listOf<T>(reader: ValueReader, next: () => T): T[] {
  return Array.from({ length: reader.value() as number }, next)
}
