// The predicted accesses of a block's transactions as locations in shared memory, and what of them the
// main thread should load ahead. Authority on which predictions count as dependencies.

import { ACCESS } from '../access/access-flags.ts'
import { AccessLists } from '../access/access-lists.ts'
import type { AccessKind, AccessSink, Confidence } from '../access/access-sink.ts'
import type { RecordId } from '../ids.ts'
import { ACCOUNT, SLOT } from '../memory/layout.ts'
import type { LocationTable } from '../mvcc/location-table.ts'

/** What is believed less than this, in per cent, is loaded ahead, and nobody waits for it. */
const LEAST_CONFIDENCE = 50

/** Who writes a location looks at it as well, be it for the gas of SSTORE; only additions do not. */
const FLAGS: Readonly<Record<AccessKind, number>> = {
  read: ACCESS.READ,
  write: ACCESS.READ | ACCESS.WRITE,
  delta: ACCESS.DELTA,
}

export class PredictedAccesses implements AccessSink {
  /** One row per transaction; locations are the heads of their version lists. */
  readonly rows: AccessLists
  /** Records that were named since the last {@link takeNamed}, some several times. */
  #accounts: RecordId[] = []
  #slots: RecordId[] = []
  readonly #table: LocationTable

  constructor(table: LocationTable, transactions: number) {
    this.#table = table
    this.rows = new AccessLists(transactions, transactions * 8)
  }

  balance(address: Uint8Array, kind: AccessKind, confidence: Confidence): void {
    this.#field(address, ACCOUNT.BALANCE_HEAD, kind, confidence)
  }
  nonce(address: Uint8Array, kind: AccessKind, confidence: Confidence): void {
    this.#field(address, ACCOUNT.NONCE_HEAD, kind, confidence)
  }
  code(address: Uint8Array, kind: AccessKind, confidence: Confidence): void {
    this.#field(address, ACCOUNT.CODE_HEAD, kind, confidence)
  }
  /** Loaded only: nobody waits for it, and it does not count as touched. */
  existence(address: Uint8Array): void {
    this.#accounts.push(this.#table.account(address))
  }

  slot(address: Uint8Array, key: Uint8Array, kind: AccessKind, confidence: Confidence): void {
    const slot = this.#table.slot(this.#table.account(address), key)
    this.#slots.push(slot)
    if (confidence >= LEAST_CONFIDENCE) this.rows.add(slot + SLOT.HEAD, FLAGS[kind])
  }

  /** A slot that a prediction needs the value of. */
  nameSlot(slot: RecordId): void {
    this.#slots.push(slot)
  }

  /** The records to load ahead. */
  takeNamed(): { accounts: RecordId[]; slots: RecordId[] } {
    const named = { accounts: this.#accounts, slots: this.#slots }
    this.#accounts = []
    this.#slots = []
    return named
  }

  #field(address: Uint8Array, head: number, kind: AccessKind, confidence: Confidence): void {
    const account = this.#table.account(address)
    this.#accounts.push(account)
    if (confidence >= LEAST_CONFIDENCE) this.rows.add(account + head, FLAGS[kind])
  }
}
