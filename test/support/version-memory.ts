// A table, a version store and their memory, on one thread, for tests of what lies in them.
// Authority on nothing; publishes and records as the code that executes transactions does.

import type { BlockMemory } from '../../src/block/block-memory.ts'
import type { Incarnation, LocationId, RecordId, TxIndex } from '../../src/ids.ts'
import { type AtomicOperations, nativeAtomics } from '../../src/memory/atomics.ts'
import {
  ACCOUNT,
  BASE,
  CONTROL,
  controlWords,
  LOCATION,
  type LocationKind,
  PAYLOAD,
  SLOT,
  TRANSACTION,
  transactionIndex,
  VERSION_KIND,
} from '../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../src/memory/shared-region.ts'
import { WORDS_256, writeUint64, writeUint256 } from '../../src/memory/word-codec.ts'
import { LocationTable } from '../../src/mvcc/location-table.ts'
import { ReadSetRecorder, type Validity, validateReadSet } from '../../src/mvcc/read-set.ts'
import { copyRecorded } from '../../src/mvcc/recorded-set.ts'
import { VersionStore } from '../../src/mvcc/version-store.ts'
import { WriteSetRecorder } from '../../src/mvcc/write-set.ts'

type Node = ReturnType<VersionStore['publish']>

export class VersionMemory {
  readonly control: Int32Array
  readonly state: SharedRegion
  readonly block: SharedRegion
  readonly allocator: RegionAllocator
  readonly table: LocationTable
  readonly store: VersionStore

  /** Memory of its own; with `shared`, a worker's views of the main thread's. */
  constructor(
    transactions = 16,
    atomics: AtomicOperations = nativeAtomics,
    shared: BlockMemory | undefined = undefined,
  ) {
    this.control =
      shared?.control ?? new Int32Array(new SharedArrayBuffer(controlWords(transactions) * 4))
    this.state = viewOf(shared?.state)
    this.block = viewOf(shared?.block)
    this.allocator = new RegionAllocator(this.block, 64)
    this.control[CONTROL.TRANSACTION_COUNT] = transactions
    this.table =
      shared === undefined ? this.tableOf(4, 7) : this.#tableOver(shared.buckets, shared.seed)
    this.store = new VersionStore(this.control, this.state, this.block, this.allocator, atomics)
  }

  /** What a worker sees of `memory`: views of its own, made now. */
  static besideMain(memory: BlockMemory, transactions: number): VersionMemory {
    return new VersionMemory(transactions, nativeAtomics, memory)
  }

  /** A table of its own over the same records' region. */
  tableOf(buckets: number, seed: number): LocationTable {
    return this.#tableOver(new Int32Array(new SharedArrayBuffer(buckets * 4)), seed)
  }

  #tableOver(buckets: Int32Array, seed: number): LocationTable {
    const allocator = new RegionAllocator(this.state)
    return new LocationTable(buckets, seed, this.state, allocator, nativeAtomics)
  }

  /** An account with base values. */
  account(
    name: number,
    base: { balance?: bigint; nonce?: bigint; exists?: boolean } = {},
  ): RecordId {
    const record = this.table.account(new Uint8Array(20).fill(name))
    const words = this.state.reach(record + ACCOUNT.WORDS)
    words[record + ACCOUNT.EXISTS] = (base.exists ?? true) ? 1 : 0
    writeUint256(words, record + ACCOUNT.BALANCE, base.balance ?? 0n)
    writeUint64(words, record + ACCOUNT.NONCE, base.nonce ?? 0n)
    words[record + ACCOUNT.STATUS] = BASE.PRESENT
    return record
  }

  /** A slot with a base value in its last byte; undefined = nobody has asked for it. */
  slot(account: RecordId, key: number, base?: number): RecordId {
    const record = this.table.slot(account, new Uint8Array(32).fill(key))
    if (base === undefined) return record
    this.state.reach(record + SLOT.WORDS)
    this.state.bytes[(record + SLOT.VALUE) * 4 + 31] = base
    this.state.words[record + SLOT.STATUS] = BASE.PRESENT
    return record
  }

  publishBalance(
    account: RecordId,
    transaction: number,
    kind: keyof typeof VERSION_KIND,
    value: bigint,
    incarnation = 0,
  ): Node {
    const at = this.#payload(incarnation, VERSION_KIND[kind], WORDS_256)
    writeUint256(this.block.words, at + PAYLOAD.VALUE, value)
    return this.#publish(LOCATION.BALANCE, account + ACCOUNT.BALANCE_HEAD, transaction, at)
  }

  publishExists(account: RecordId, transaction: number, exists: boolean, incarnation = 0): Node {
    const at = this.#payload(incarnation, VERSION_KIND.SET, 1)
    this.block.words[at + PAYLOAD.VALUE] = exists ? 1 : 0
    return this.#publish(LOCATION.EXISTS, account + ACCOUNT.EXISTS_HEAD, transaction, at)
  }

  publishNonce(account: RecordId, transaction: number, nonce: bigint, incarnation = 0): Node {
    const at = this.#payload(incarnation, VERSION_KIND.SET, 2)
    writeUint64(this.block.words, at + PAYLOAD.VALUE, nonce)
    return this.#publish(LOCATION.NONCE, account + ACCOUNT.NONCE_HEAD, transaction, at)
  }

  publishReset(account: RecordId, transaction: number, incarnation = 0): Node {
    const at = this.#payload(incarnation, VERSION_KIND.SET, 0)
    return this.#publish(LOCATION.RESET, account + ACCOUNT.RESET_HEAD, transaction, at)
  }

  /** `hash` stands for the code's hash. */
  publishCode(account: RecordId, transaction: number, incarnation = 0, hash = 0): Node {
    const at = this.#payload(incarnation, VERSION_KIND.SET, WORDS_256 + 1)
    this.block.words.fill(hash, at + PAYLOAD.VALUE, at + PAYLOAD.VALUE + WORDS_256)
    return this.#publish(LOCATION.CODE, account + ACCOUNT.CODE_HEAD, transaction, at)
  }

  publishSlot(slot: RecordId, transaction: number, value: number, incarnation = 0): Node {
    const at = this.#payload(incarnation, VERSION_KIND.SET, WORDS_256)
    this.block.words.fill(0, at + PAYLOAD.VALUE, at + PAYLOAD.VALUE + WORDS_256)
    this.block.bytes[(at + PAYLOAD.VALUE) * 4 + 31] = value
    return this.#publish(LOCATION.SLOT, slot + SLOT.HEAD, transaction, at)
  }

  /** Writes a read set to the block region; returns where. */
  readSet(record: (reads: ReadSetRecorder) => void): number {
    const reads = new ReadSetRecorder()
    record(reads)
    return copyRecorded(reads, this.allocator)
  }

  /** Writes a write set to the block region; returns where. */
  writeSet(writes: readonly [kind: LocationKind, location: number, node: Node][]): number {
    const recorder = new WriteSetRecorder()
    for (const [kind, location, node] of writes) recorder.record(kind, location as LocationId, node)
    return copyRecorded(recorder, this.allocator)
  }

  validate(readSet: number, reader: number): Validity {
    return validateReadSet(this.store, readSet, reader as TxIndex)
  }

  field(transaction: number, field: keyof typeof TRANSACTION): number {
    return this.control[transactionIndex(transaction, TRANSACTION[field])]
  }

  setField(transaction: number, field: keyof typeof TRANSACTION, value: number): void {
    this.control[transactionIndex(transaction, TRANSACTION[field])] = value
  }

  #payload(
    incarnation: number,
    kind: number,
    words: number,
  ): ReturnType<VersionStore['allocatePayload']> {
    return this.store.allocatePayload(incarnation as Incarnation, kind, words)
  }

  #publish(
    kind: LocationKind,
    location: number,
    transaction: number,
    payload: ReturnType<VersionStore['allocatePayload']>,
  ): Node {
    return this.store.publish(location as LocationId, kind, transaction as TxIndex, payload)
  }
}

function viewOf(region: SharedRegion | undefined): SharedRegion {
  return region === undefined ? SharedRegion.create(1 << 20) : new SharedRegion(region.buffer)
}
