// Reads of one incarnation as read sets in shared memory, recorded as an execution records them.
// Authority on nothing; what such a read set is worth is the tests' matter.

import { BASE_WRITER, type LocationId, type RecordId, type TxIndex } from '../../../../src/ids.ts'
import { ACCOUNT, PAYLOAD, SLOT } from '../../../../src/memory/layout.ts'
import { findSlot, type ReadSetRecorder } from '../../../../src/mvcc/read-set.ts'
import { FOUND } from '../../../../src/mvcc/version-store.ts'
import type { VersionMemory } from '../../../support/version-memory.ts'

/** Who reads. */
export const READER = 5

/** The location of a field of a record. */
export function head(record: RecordId, offset: number): LocationId {
  return (record + offset) as LocationId
}

/** Reads a slot as an execution does, and records it. */
export function readSlot(memory: VersionMemory, slot: RecordId, reads: ReadSetRecorder): void {
  const { found, resetWins } = findSlot(memory.store, slot, READER as TxIndex)
  const { writer, incarnation, payload } = memory.store
  const [source, at] =
    found === FOUND.BASE
      ? [memory.state.words, slot + SLOT.VALUE]
      : [memory.block.words, payload + PAYLOAD.VALUE]
  reads.recordSlot(head(slot, SLOT.HEAD), writer, incarnation, resetWins ? undefined : source, at)
}

/** A read set with one slot in it. */
export function slotRead(memory: VersionMemory, slot: RecordId): number {
  return memory.readSet((reads) => readSlot(memory, slot, reads))
}

export function codeRead(memory: VersionMemory, account: RecordId): number {
  return memory.readSet((reads) => {
    memory.store.find(head(account, ACCOUNT.CODE_HEAD), READER as TxIndex)
    const { writer, payload } = memory.store
    const [source, at] =
      writer === BASE_WRITER
        ? [memory.state.words, account + ACCOUNT.CODE_HASH]
        : [memory.block.words, payload + PAYLOAD.VALUE]
    reads.recordCode(head(account, ACCOUNT.CODE_HEAD), writer, source, at)
  })
}

export function nonceRead(memory: VersionMemory, account: RecordId, nonce: bigint): number {
  return memory.readSet((reads) => {
    memory.store.find(head(account, ACCOUNT.NONCE_HEAD), READER as TxIndex)
    const { writer, incarnation } = memory.store
    reads.recordNonce(head(account, ACCOUNT.NONCE_HEAD), writer, incarnation, nonce)
  })
}

export function balanceRead(memory: VersionMemory, account: RecordId, balance: bigint): number {
  return memory.readSet((reads) => {
    memory.store.sumBalance(head(account, ACCOUNT.BALANCE_HEAD), READER as TxIndex)
    reads.recordBalance(head(account, ACCOUNT.BALANCE_HEAD), memory.store.writer, balance)
  })
}

export function existsRead(memory: VersionMemory, account: RecordId, exists: boolean): number {
  return memory.readSet((reads) => {
    memory.store.find(head(account, ACCOUNT.EXISTS_HEAD), READER as TxIndex)
    reads.recordExists(head(account, ACCOUNT.EXISTS_HEAD), memory.store.writer, exists)
  })
}
