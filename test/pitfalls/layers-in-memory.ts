// The store, the table and the scheduler on private memory of one thread, for laws that a single
// layer must keep. Authority on how tests publish versions and leave sets, in the format of src/.
// It must not decide anything that src/ decides: it only calls it.

import { setLengthLeft } from '@ethereumjs/util'
import type { BlockOffset, LocationId, RecordId, TxIndex } from '../../src/ids.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import {
  ACCOUNT,
  CONTROL,
  controlWords,
  LOCATION,
  type LocationKind,
  PAYLOAD,
  TRANSACTION,
  transactionIndex,
  VERSION_KIND,
} from '../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../src/memory/shared-region.ts'
import { WORDS_256, writePadded32, writeUint64, writeUint256 } from '../../src/memory/word-codec.ts'
import { LocationTable } from '../../src/mvcc/location-table.ts'
import { ReadSetRecorder } from '../../src/mvcc/read-set.ts'
import { copyRecorded } from '../../src/mvcc/recorded-set.ts'
import { VersionStore } from '../../src/mvcc/version-store.ts'
import { WriteSetRecorder } from '../../src/mvcc/write-set.ts'
import { BlockStmScheduler, type VersionJudge } from '../../src/scheduling/block-stm-scheduler.ts'
import { judgeVersions } from '../../src/scheduling/judge-versions.ts'

export interface Write {
  readonly kind: LocationKind
  readonly location: LocationId
  readonly node: BlockOffset
}

export function transactionAt(index: number): TxIndex {
  return index as TxIndex
}

export class LayersInMemory {
  readonly control: Int32Array
  readonly state = SharedRegion.create(1 << 20)
  readonly block = SharedRegion.create(1 << 20)
  readonly allocator = new RegionAllocator(this.block)
  readonly table: LocationTable
  readonly store: VersionStore
  readonly scheduler: BlockStmScheduler

  constructor(transactions: number, judge?: VersionJudge) {
    this.control = new Int32Array(new SharedArrayBuffer(controlWords(transactions) * 4))
    this.control[CONTROL.TRANSACTION_COUNT] = transactions
    this.table = new LocationTable(
      new Int32Array(new SharedArrayBuffer(64)),
      1,
      this.state,
      new RegionAllocator(this.state),
      nativeAtomics,
    )
    this.store = new VersionStore(
      this.control,
      this.state,
      this.block,
      this.allocator,
      nativeAtomics,
    )
    this.scheduler = new BlockStmScheduler(
      this.control,
      nativeAtomics,
      judge ?? judgeVersions(this.control, this.store, nativeAtomics),
    )
  }

  /** The record of an account whose address is `name`, 20 times. */
  account(name: number): RecordId {
    return this.table.account(new Uint8Array(20).fill(name))
  }

  slot(account: RecordId, key: number): RecordId {
    return this.table.slot(account, setLengthLeft(Uint8Array.of(key), 32))
  }

  baseBalance(account: RecordId, balance: bigint): void {
    writeUint256(this.state.words, account + ACCOUNT.BALANCE, balance)
  }

  /** Publishes a version; `value` is what the kind of location holds, a hash for code. */
  publish(
    transaction: number,
    incarnation: number,
    kind: LocationKind,
    location: number,
    value = 0n,
    versionKind: number = VERSION_KIND.SET,
  ): Write {
    const words = wordsOf[kind]!
    const payload = this.store.allocatePayload(incarnation as never, versionKind, words)
    const at = payload + PAYLOAD.VALUE
    if (kind === LOCATION.EXISTS) this.block.words[at] = Number(value)
    else if (kind === LOCATION.NONCE) writeUint64(this.block.words, at, value)
    else if (kind === LOCATION.BALANCE) writeUint256(this.block.words, at, value)
    else if (kind !== LOCATION.RESET) {
      const bytes = Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
      writePadded32(this.block.bytes, at, bytes)
    }
    const place = location as LocationId
    const node = this.store.publish(place, kind, transactionAt(transaction), payload)
    return { kind, location: place, node }
  }

  /** Leaves the sets of an incarnation where the scheduler's judge looks for them. */
  leave(transaction: number, reads: ReadSetRecorder, writes: readonly Write[] = []): void {
    const readSet = copyRecorded(reads, this.allocator)
    const recorder = new WriteSetRecorder()
    for (const { kind, location, node } of writes) recorder.record(kind, location, node)
    const writeSet = copyRecorded(recorder, this.allocator)
    this.control[transactionIndex(transaction, TRANSACTION.READ_SET)] = readSet
    this.control[transactionIndex(transaction, TRANSACTION.WRITE_SET)] = writeSet
  }

  /** The place of a read set that `record` fills, for the validator. */
  readSet(record: (reads: ReadSetRecorder) => void): number {
    const reads = new ReadSetRecorder()
    record(reads)
    return copyRecorded(reads, this.allocator)
  }
}

const wordsOf: Readonly<Record<number, number>> = {
  [LOCATION.EXISTS]: 1,
  [LOCATION.BALANCE]: WORDS_256,
  [LOCATION.NONCE]: 2,
  [LOCATION.CODE]: WORDS_256 + 1,
  [LOCATION.RESET]: 0,
  [LOCATION.SLOT]: WORDS_256,
}
