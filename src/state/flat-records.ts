// How accounts and slots lie in the records of a flat state.
// Authority on what such a record can hold. Must not notice changes: whoever writes does that before.

import { ParallelError } from '../errors.ts'
import { FLAT_ACCOUNT, FLAT_BITS, FLAT_SLOT } from '../memory/flat-layout.ts'
import { readUint64, readUint256, writeUint64, writeUint256 } from '../memory/word-codec.ts'
import type { AccountFields } from './state-data.ts'

const { EXISTS } = FLAT_BITS
const LARGEST_NONCE = 2n ** 64n
const LARGEST_BALANCE = 2n ** 256n

/** Whether an account's record holds one. */
export function accountExists(words: Int32Array, record: number): boolean {
  return (words[record] & EXISTS) !== 0
}

/** @throws ParallelError `UNSUPPORTED_BALANCE`, `INVALID_ARGUMENT` for what no record can hold */
export function checkAccount({ nonce, balance }: AccountFields): void {
  if (balance >= LARGEST_BALANCE) {
    throw new ParallelError('UNSUPPORTED_BALANCE', 'A flat state holds balances below 2^256 wei')
  }
  if (nonce >= LARGEST_NONCE) {
    throw new ParallelError('INVALID_ARGUMENT', 'A flat state holds nonces below 2^64')
  }
}

/** Nonce and balance of an account's record. */
export function readAccount(
  words: Int32Array,
  record: number,
): Pick<AccountFields, 'nonce' | 'balance'> {
  return {
    nonce: readUint64(words, record + FLAT_ACCOUNT.NONCE),
    balance: readUint256(words, record + FLAT_ACCOUNT.BALANCE),
  }
}

/** Makes a record an account with the code entry `code`. */
export function writeAccount(
  words: Int32Array,
  record: number,
  { nonce, balance }: AccountFields,
  code: number,
): void {
  words[record] |= EXISTS
  writeUint64(words, record + FLAT_ACCOUNT.NONCE, nonce)
  writeUint256(words, record + FLAT_ACCOUNT.BALANCE, balance)
  words[record + FLAT_ACCOUNT.CODE] = code
}

/** Makes a record one of no account. */
export function removeAccount(words: Int32Array, record: number): void {
  words[record] &= ~EXISTS
  words.fill(0, record + FLAT_ACCOUNT.NONCE, record + FLAT_ACCOUNT.STORAGE)
}

/** Whether a slot's record holds zero, which is none. */
export function isZeroSlot(words: Int32Array, slot: number): boolean {
  for (let i = 0; i < 8; i++) if (words[slot + FLAT_SLOT.VALUE + i] !== 0) return false
  return true
}
