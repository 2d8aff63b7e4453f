// Gathers the versions of committed transactions, in canonical order, into the state that they leave.
// Authority on how versions of one location add up over a block; neither reads nor writes a state manager.

import type { BlockOffset, LocationId, RecordId } from '../ids.ts'
import {
  ACCOUNT,
  LOCATION,
  type LocationKind,
  NODE,
  PAYLOAD,
  SLOT,
  VERSION_KIND,
} from '../memory/layout.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'
import {
  readBytes,
  readStripped32,
  readUint64,
  readUint256,
  WORDS_256,
} from '../memory/word-codec.ts'
import { forEachWrite } from '../mvcc/write-set.ts'
import type { BlockMemory } from './block-memory.ts'

/** What the committed transactions changed of one account; undefined = not changed. */
export interface AccountChange {
  exists: boolean | undefined
  nonce: bigint | undefined
  /** The balance was replaced by this. */
  balance: bigint | undefined
  /** Then this was added. */
  added: bigint
  codeHash: Uint8Array | undefined
  code: Uint8Array | undefined
  /** The account was destroyed at some point, so that nothing of it survives but what follows. */
  destroyed: boolean
  /** Storage was cleared at some point. */
  reset: boolean
  /** Slot records with their last values, without leading zeros. */
  readonly slots: Map<RecordId, Uint8Array>
}

export class CommittedWrites {
  readonly accounts = new Map<RecordId, AccountChange>()
  readonly #memory: BlockMemory

  constructor(memory: BlockMemory) {
    this.#memory = memory
  }

  get isEmpty(): boolean {
    return this.accounts.size === 0
  }

  clear(): void {
    this.accounts.clear()
  }

  /** Adds the write set at block offset `writeSet`. Resets come before slots in a write set. */
  add(writeSet: number): void {
    forEachWrite(this.#memory.block, writeSet, (kind, location, node) =>
      this.#add(kind, location, node),
    )
  }

  #add(kind: LocationKind, location: LocationId, node: BlockOffset): void {
    const { block, state } = this.#memory
    const at = block.reach(node + NODE.WORDS)[node + NODE.PAYLOAD] >>> 1
    const words = block.reach(at + PAYLOAD.VALUE + WORDS_256 + 1)
    const value = at + PAYLOAD.VALUE
    switch (kind) {
      case LOCATION.EXISTS: {
        const change = this.#account(location - ACCOUNT.EXISTS_HEAD)
        change.exists = words[value] === 1
        if (!change.exists) change.destroyed = true
        return
      }
      case LOCATION.BALANCE: {
        const change = this.#account(location - ACCOUNT.BALANCE_HEAD)
        const amount = readUint256(words, value)
        if (words[at + PAYLOAD.KIND] === VERSION_KIND.SET) {
          change.balance = amount
          change.added = 0n
        } else if (change.balance !== undefined) {
          change.balance += amount
        } else {
          change.added += amount
        }
        return
      }
      case LOCATION.NONCE:
        this.#account(location - ACCOUNT.NONCE_HEAD).nonce = readUint64(words, value)
        return
      case LOCATION.CODE: {
        const change = this.#account(location - ACCOUNT.CODE_HEAD)
        change.codeHash = readBytes(block.bytes, value, 32)
        change.code = readSizedBytes(block, words[value + WORDS_256])
        return
      }
      case LOCATION.RESET: {
        const change = this.#account(location - ACCOUNT.RESET_HEAD)
        change.reset = true
        change.slots.clear()
        return
      }
      case LOCATION.SLOT: {
        const record = (location - SLOT.HEAD) as RecordId
        // The worker that wrote it may have interned it where this thread has not looked yet.
        const account = state.reach(record + SLOT.WORDS)[record + SLOT.ACCOUNT]
        this.#account(account).slots.set(record, readStripped32(block.bytes, value))
        return
      }
    }
  }

  #account(record: number): AccountChange {
    const id = record as RecordId
    let change = this.accounts.get(id)
    if (change === undefined) {
      change = {
        exists: undefined,
        nonce: undefined,
        balance: undefined,
        added: 0n,
        codeHash: undefined,
        code: undefined,
        destroyed: false,
        reset: false,
        slots: new Map(),
      }
      this.accounts.set(id, change)
    }
    return change
  }
}
