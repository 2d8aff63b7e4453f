// Publishes what an incarnation changed as versions, field by field, and only what differs from what it
// started from. Authority on which changes become versions; takes them from the overlay's final state,
// so that reverted changes never show.

import { equalsBytes, KECCAK256_NULL, MAX_INTEGER } from '@ethereumjs/util'
import { ParallelError } from '../errors.ts'
import type { BlockOffset, Incarnation, LocationId, TxIndex } from '../ids.ts'
import {
  ACCOUNT,
  LOCATION,
  type LocationKind,
  NODE,
  PAYLOAD,
  SLOT,
  VERSION_KIND,
} from '../memory/layout.ts'
import type { RegionAllocator } from '../memory/shared-region.ts'
import { WORDS_256 } from '../memory/word-codec.ts'
import { copyRecorded } from '../mvcc/recorded-set.ts'
import {
  balancePayload,
  codePayload,
  existencePayload,
  noncePayload,
  resetPayload,
  slotPayload,
} from '../mvcc/version-payloads.ts'
import type { VersionStore } from '../mvcc/version-store.ts'
import { forEachWrite, type WriteSetRecorder } from '../mvcc/write-set.ts'
import type { AccountEntry, SlotEntry } from './account-entry.ts'
import type { OverlayStateManager } from './overlay-state-manager.ts'

/** With less on both sides, no sum of additions over a block reaches 2^256. */
const UNSUMMABLE_BALANCE = 1n << 255n
const UNSUMMABLE_ADDITION = 1n << 192n
const NO_BYTES = new Uint8Array(0)

export class WritePublisher {
  readonly #store: VersionStore
  readonly #allocator: RegionAllocator
  readonly #writes: WriteSetRecorder
  #transaction = 0 as TxIndex
  #incarnation = 0 as Incarnation

  constructor(store: VersionStore, allocator: RegionAllocator, writes: WriteSetRecorder) {
    this.#store = store
    this.#allocator = allocator
    this.#writes = writes
  }

  /**
   * Publishes the overlay's changes (none for an invalid transaction), withdraws what only the
   * previous incarnation wrote, and returns the block offset of the new write set.
   */
  publish(
    transaction: TxIndex,
    incarnation: Incarnation,
    overlay: OverlayStateManager | undefined,
    previousWriteSet: number,
  ): { writeSet: number; wroteElsewhere: boolean } {
    this.#transaction = transaction
    this.#incarnation = incarnation
    this.#writes.clear()
    if (overlay !== undefined) {
      for (const entry of overlay.accounts) this.#account(entry)
      for (const slot of overlay.slots) this.#slot(slot)
    }
    const repeated = this.#withdrawStale(previousWriteSet)
    const writeSet = copyRecorded(this.#writes, this.#allocator)
    return { writeSet, wroteElsewhere: this.#writes.count > repeated }
  }

  #account(entry: AccountEntry): void {
    // Not looked at beyond its record: an original value was asked for and nothing else.
    if (entry.startExists === undefined) return
    if (!entry.exists) {
      if (entry.startExists) this.#destruction(entry)
      return
    }
    if (!entry.startExists || entry.existsBlindly) this.#exists(entry, true)
    if (entry.clears > 0) this.#reset(entry)
    if (entry.nonce !== undefined && entry.nonce !== entry.startNonce)
      this.#nonce(entry, entry.nonce)
    if (entry.balance !== undefined) {
      if (entry.balance !== entry.startBalance) {
        this.#balance(entry, VERSION_KIND.SET, entry.balance)
      }
    } else if (entry.added !== 0n) {
      this.#balance(entry, VERSION_KIND.ADD, entry.added)
    }
    if (
      entry.codeHash !== undefined &&
      (entry.startCodeHash === undefined || !equalsBytes(entry.codeHash, entry.startCodeHash))
    ) {
      this.#code(entry, entry.codeHash, entry.code ?? NO_BYTES)
    }
  }

  /** Every field is written, so that additions below do not shine through and readers find zeros. */
  #destruction(entry: AccountEntry): void {
    this.#exists(entry, false)
    this.#reset(entry)
    this.#nonce(entry, 0n)
    this.#balance(entry, VERSION_KIND.SET, 0n)
    this.#code(entry, KECCAK256_NULL, NO_BYTES)
  }

  #slot(slot: SlotEntry): void {
    const account = slot.account
    if (!account.exists || slot.clears !== account.clears) return
    if (account.clears > 0) {
      // The reset hides what was there: only values that are not zero need a version.
      if (slot.value.length === 0) return
    } else if (slot.startValue !== undefined && equalsBytes(slot.value, slot.startValue)) {
      return
    }
    const payload = slotPayload(this.#store, this.#incarnation, slot.value)
    this.#publish(LOCATION.SLOT, slot.record + SLOT.HEAD, payload)
  }

  #exists(entry: AccountEntry, exists: boolean): void {
    const payload = existencePayload(this.#store, this.#incarnation, exists)
    this.#publish(LOCATION.EXISTS, entry.record + ACCOUNT.EXISTS_HEAD, payload)
  }

  #reset(entry: AccountEntry): void {
    const payload = resetPayload(this.#store, this.#incarnation)
    this.#publish(LOCATION.RESET, entry.record + ACCOUNT.RESET_HEAD, payload)
  }

  #nonce(entry: AccountEntry, nonce: bigint): void {
    const payload = noncePayload(this.#store, this.#incarnation, nonce)
    this.#publish(LOCATION.NONCE, entry.record + ACCOUNT.NONCE_HEAD, payload)
  }

  #balance(entry: AccountEntry, kind: number, balance: bigint): void {
    // Stock lets fees and the balances of destroyed contracts go past what 32 bytes hold.
    if (balance > MAX_INTEGER) {
      throw new ParallelError('UNSUPPORTED_BALANCE', 'A balance rose to 2^256 wei or more')
    }
    if (balance >= (kind === VERSION_KIND.SET ? UNSUMMABLE_BALANCE : UNSUMMABLE_ADDITION)) {
      const words = this.#store.state.words
      // An account that had as much before the block is never added to unread.
      if (words[entry.record + ACCOUNT.BALANCE + WORDS_256 - 1] >= 0) {
        throw new ParallelError(
          'UNSUPPORTED_BALANCE',
          'A balance rose to 2^255 wei or more within the block, which sums of additions cannot hold',
        )
      }
    }
    const payload = balancePayload(this.#store, this.#incarnation, kind, balance)
    this.#publish(LOCATION.BALANCE, entry.record + ACCOUNT.BALANCE_HEAD, payload)
  }

  #code(entry: AccountEntry, codeHash: Uint8Array, code: Uint8Array): void {
    const payload = codePayload(this.#store, this.#allocator, this.#incarnation, codeHash, code)
    this.#publish(LOCATION.CODE, entry.record + ACCOUNT.CODE_HEAD, payload)
  }

  #publish(kind: LocationKind, location: number, payload: BlockOffset): void {
    const node = this.#store.publish(location as LocationId, kind, this.#transaction, payload)
    this.#writes.record(kind, location as LocationId, node)
  }

  /** Returns how many locations of the previous incarnation were written again. */
  #withdrawStale(previousWriteSet: number): number {
    let repeated = 0
    const block = this.#store.block
    forEachWrite(block, previousWriteSet, (_kind, _location, node) => {
      const payload = block.reach(node + NODE.WORDS)[node + NODE.PAYLOAD] >>> 1
      if (
        payload !== 0 &&
        block.reach(payload + 1)[payload + PAYLOAD.INCARNATION] === this.#incarnation
      ) {
        repeated++
      } else {
        this.#store.withdraw(node)
      }
    })
    return repeated
  }
}
