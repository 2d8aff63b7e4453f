// Publishes the values of a block's access list (EIP-7928) before anything is executed, each as a version
// of the transaction that the list gives it to: as if an incarnation before its first had written them.
// Authority on what a list's values mean as versions. They are advice, as a plan is: a first incarnation
// publishes over them, and validation judges who read them.

import type { BlockLevelAccessList } from '@ethereumjs/util'
import { type ListedValues, listedValues } from '../access/listed-values.ts'
import {
  type BlockOffset,
  LISTED_INCARNATION,
  type LocationId,
  type RecordId,
  type TxIndex,
} from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import {
  ACCOUNT,
  BASE,
  LOCATION,
  type LocationKind,
  SLOT,
  TRANSACTION,
  transactionIndex,
  VERSION_KIND,
} from '../memory/layout.ts'
import type { SharedRegion } from '../memory/shared-region.ts'
import { wordsForBytes } from '../memory/word-codec.ts'
import { copyRecorded } from '../mvcc/recorded-set.ts'
import {
  balancePayload,
  codePayload,
  existencePayload,
  noncePayload,
  slotPayload,
} from '../mvcc/version-payloads.ts'
import { WriteSetRecorder } from '../mvcc/write-set.ts'
import type { Keccak } from '../state/keccak.ts'
import type { BlockMemory } from './block-memory.ts'

/** A list may fill each region up to this share, so that what the block itself needs still fits in. */
const SHARE = 0.75
/** Words that interning or publishing one thing takes at most, code aside. */
const MOST_WORDS = 128

/** Where a list's values go. */
export type ListMemory = Pick<
  BlockMemory,
  'control' | 'state' | 'block' | 'table' | 'store' | 'blockAllocator'
>

/** What became of a list. */
export interface Listed {
  /** All that it names, to be loaded ahead. */
  readonly accounts: RecordId[]
  readonly slots: RecordId[]
  /** Whether all of it was taken up; the rest of a list that is too large for the memory is left. */
  readonly isWhole: boolean
}

/** Main thread, before the plan is published. @throws ParallelError `STORE_FULL` */
export function publishListed(
  memory: ListMemory,
  list: Pick<BlockLevelAccessList, 'accesses'>,
  transactions: number,
  keccak: Keccak,
): Listed {
  const versions = new ListedVersions(memory, keccak)
  let isWhole = true
  for (const values of listedValues(list, transactions)) {
    if (versions.add(values)) continue
    isWhole = false
    break
  }
  versions.leaveWriteSets()
  return { accounts: versions.accounts, slots: versions.slots, isWhole }
}

class ListedVersions {
  readonly accounts: RecordId[] = []
  readonly slots: RecordId[] = []
  readonly #memory: ListMemory
  readonly #keccak: Keccak
  /** Published so far; a list that says a thing twice is right at most once, and must count once. */
  readonly #nodes = new Set<BlockOffset>()
  /** By transaction. */
  readonly #writes = new Map<number, WriteSetRecorder>()

  constructor(memory: ListMemory, keccak: Keccak) {
    this.#memory = memory
    this.#keccak = keccak
  }

  /** Returns false where there is no room. */
  add(values: ListedValues): boolean {
    const { table, store, blockAllocator } = this.#memory
    if (!this.#hasRoom()) return false
    const account = table.account(values.address)
    this.accounts.push(account)
    for (const { transaction, value } of values.nonces) {
      if (!this.#hasRoom()) return false
      const payload = noncePayload(store, LISTED_INCARNATION, value)
      this.#publish(LOCATION.NONCE, account + ACCOUNT.NONCE_HEAD, transaction, payload)
    }
    for (const { transaction, value } of values.balances) {
      if (!this.#hasRoom()) return false
      const payload = balancePayload(store, LISTED_INCARNATION, VERSION_KIND.SET, value)
      this.#publish(LOCATION.BALANCE, account + ACCOUNT.BALANCE_HEAD, transaction, payload)
    }
    for (const { transaction, value } of values.codes) {
      if (!this.#hasRoom(wordsForBytes(value.length))) return false
      const hash = this.#keccak(value)
      const payload = codePayload(store, blockAllocator, LISTED_INCARNATION, hash, value)
      this.#publish(LOCATION.CODE, account + ACCOUNT.CODE_HEAD, transaction, payload)
    }
    this.#addExistence(account, values)
    for (const slot of values.slots) {
      if (!this.#hasRoom()) return false
      const record = table.slot(account, slot.key)
      this.slots.push(record)
      for (const { transaction, value } of slot.values) {
        if (!this.#hasRoom()) return false
        const payload = slotPayload(store, LISTED_INCARNATION, value)
        this.#publish(LOCATION.SLOT, record + SLOT.HEAD, transaction, payload)
      }
    }
    return true
  }

  /** Leaves them where the first incarnations look for what they publish over. */
  leaveWriteSets(): void {
    const { control, blockAllocator } = this.#memory
    for (const [transaction, writes] of this.#writes) {
      const index = transactionIndex(transaction, TRANSACTION.WRITE_SET)
      nativeAtomics.store(control, index, copyRecorded(writes, blockAllocator))
    }
  }

  /**
   * A list does not name existence. Who has a nonce, a balance or code exists, and the first transaction
   * after which it does is a good guess for who makes it exist. That an account is gone is not guessed:
   * a list does not say what of it an earlier block had left.
   */
  #addExistence(account: RecordId, { nonces, balances, codes }: ListedValues): void {
    const words = this.#memory.state.reach(account + ACCOUNT.WORDS)
    const isKnown = words[account + ACCOUNT.STATUS] === BASE.PRESENT
    if (isKnown && words[account + ACCOUNT.EXISTS] === 1) return
    let first = Number.POSITIVE_INFINITY
    for (const { transaction, value } of [...nonces, ...balances]) {
      if (value !== 0n) first = Math.min(first, transaction)
    }
    for (const { transaction, value } of codes) {
      if (value.length > 0) first = Math.min(first, transaction)
    }
    if (first === Number.POSITIVE_INFINITY) return
    const payload = existencePayload(this.#memory.store, LISTED_INCARNATION, true)
    this.#publish(LOCATION.EXISTS, account + ACCOUNT.EXISTS_HEAD, first, payload)
  }

  #publish(kind: LocationKind, location: number, transaction: number, payload: BlockOffset): void {
    const id = location as LocationId
    const node = this.#memory.store.publish(id, kind, transaction as TxIndex, payload)
    if (this.#nodes.has(node)) return
    this.#nodes.add(node)
    let writes = this.#writes.get(transaction)
    if (writes === undefined) {
      writes = new WriteSetRecorder()
      this.#writes.set(transaction, writes)
    }
    writes.record(kind, id, node)
  }

  #hasRoom(words = 0): boolean {
    const { block, state } = this.#memory
    return hasRoom(block, words) && hasRoom(state, 0)
  }
}

function hasRoom(region: SharedRegion, words: number): boolean {
  return (region.used() + words + MOST_WORDS) * 4 <= region.buffer.maxByteLength * SHARE
}
