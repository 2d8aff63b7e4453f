// Holds slots and the resets that hide them: reader and validator resolve both together.
// The authority is what the transaction could see; must not test how that is compared.
import { describe, expect, it } from 'vitest'

import type { BlockOffset, RecordId, TxIndex } from '../../../src/ids.ts'
import { findSlot, VALIDITY, type Validity } from '../../../src/mvcc/read-set.ts'
import { FOUND } from '../../../src/mvcc/version-store.ts'
import { VersionMemory } from '../../support/version-memory.ts'
import { READER, slotRead } from './support/reads.ts'

const { VALID, INVALID } = VALIDITY

/** What happens after the slot was read; `node` is the version that was read, if one was. */
type Change = (memory: VersionMemory, slot: RecordId, node: BlockOffset) => void

const withdrawn: Change = (memory, _slot, node) => memory.store.withdraw(node)
const estimated: Change = (memory, _slot, node) => memory.store.markEstimate(node)
const written =
  (transaction: number, value: number, incarnation = 0): Change =>
  (memory, slot) =>
    void memory.publishSlot(slot, transaction, value, incarnation)

/** Base value, value that transaction 1 has written when the slot is read, change, verdict after it. */
type Case = readonly [number | undefined, number | undefined, Change, Validity]

const cases: Record<string, Case> = {
  'and found at its base value holds until a lower transaction writes another': [
    7,
    undefined,
    written(3, 8),
    INVALID,
  ],
  'and found zero is held to it like any other value': [0, undefined, written(3, 8), INVALID],
  'is refuted by a version between the writer that it saw and the reader': [
    0,
    8,
    written(3, 9),
    INVALID,
  ],
  'is refuted by another value of the same transaction': [0, 8, written(1, 9, 1), INVALID],
  'holds when a repetition writes the same value again': [0, 8, written(1, 8, 1), VALID],
  'is refuted when its version is withdrawn': [0, 8, withdrawn, INVALID],
  'holds when its version is withdrawn and the base holds the same': [8, 8, withdrawn, VALID],
  'is refuted when its version is withdrawn and nobody has asked for the base value': [
    undefined,
    0,
    withdrawn,
    INVALID,
  ],
  'is refuted while its version is an estimate': [0, 8, estimated, INVALID],
}

describe('a slot that was read', () => {
  it.each(Object.entries(cases))('%s', (_what, [base, seen, change, verdict]) => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, base)
    const node = seen === undefined ? 0 : memory.publishSlot(slot, 1, seen)
    const at = slotRead(memory, slot)
    expect(memory.validate(at, READER)).toBe(VALID)
    change(memory, slot, node as BlockOffset)
    expect(memory.validate(at, READER)).toBe(verdict)
  })
})

/** A slot whose base value is 7. */
function oneSlot(): { memory: VersionMemory; account: RecordId; slot: RecordId } {
  const memory = new VersionMemory()
  const account = memory.account(1)
  return { memory, account, slot: memory.slot(account, 1, 7) }
}

/** Two: the other's base value is 0. */
function twoSlots(): { memory: VersionMemory; account: RecordId; slots: RecordId[] } {
  const { memory, account, slot } = oneSlot()
  return { memory, account, slots: [slot, memory.slot(account, 2, 0)] }
}

describe('a slot of an account whose storage was reset', () => {
  it('is zero above the reset, and what it was below', () => {
    const { memory, account, slot } = oneSlot()
    memory.publishReset(account, 3)
    expect(findSlot(memory.store, slot, 3 as TxIndex)).toEqual({
      found: FOUND.BASE,
      resetWins: false,
    })
    expect(findSlot(memory.store, slot, 4 as TxIndex)).toEqual({
      found: FOUND.VERSION,
      resetWins: true,
    })
    expect(memory.store.writer).toBe(3)
  })

  it('hides values written before the reset and shows those written after', () => {
    const { memory, account, slot } = oneSlot()
    memory.publishSlot(slot, 1, 8)
    memory.publishReset(account, 2)
    expect(findSlot(memory.store, slot, 4 as TxIndex).resetWins).toBe(true)
    memory.publishSlot(slot, 3, 9)
    expect(findSlot(memory.store, slot, 4 as TxIndex).resetWins).toBe(false)
    expect(memory.store.writer).toBe(3)
  })

  it('shows what the transaction that reset it has written, which is the later of the two', () => {
    const { memory, account, slot } = oneSlot()
    memory.publishReset(account, 2)
    memory.publishSlot(slot, 2, 9)
    expect(findSlot(memory.store, slot, 4 as TxIndex)).toEqual({
      found: FOUND.VERSION,
      resetWins: false,
    })
  })

  it('is an estimate while the reset is, and while the version above the reset is', () => {
    const { memory, account, slot } = oneSlot()
    const reset = memory.publishReset(account, 2)
    const write = memory.publishSlot(slot, 3, 9)
    memory.store.markEstimate(write)
    expect(findSlot(memory.store, slot, 5 as TxIndex).found).toBe(FOUND.ESTIMATE)
    expect(memory.store.writer).toBe(3)
    memory.publishSlot(slot, 3, 9, 1)
    memory.store.markEstimate(reset)
    expect(findSlot(memory.store, slot, 3 as TxIndex).found).toBe(FOUND.ESTIMATE)
    expect(memory.store.writer).toBe(2)
  })

  it('refutes who saw a value that the reset hides', () => {
    const { memory, account, slots } = twoSlots()
    memory.publishSlot(slots[1], 1, 8)
    const reads = slots.map((slot) => slotRead(memory, slot))
    memory.publishReset(account, 3)
    expect(reads.map((at) => memory.validate(at, READER))).toEqual([INVALID, INVALID])
  })

  it('refutes who saw zero because of it when it is withdrawn, unless the slot is zero without', () => {
    const { memory, account, slots } = twoSlots()
    const reset = memory.publishReset(account, 3)
    const reads = slots.map((slot) => slotRead(memory, slot))
    memory.store.withdraw(reset)
    expect(reads.map((at) => memory.validate(at, READER))).toEqual([INVALID, VALID])
  })

  it('refutes who looked between the reset and the write of one and the same incarnation', () => {
    const { memory, account, slot } = oneSlot()
    memory.publishReset(account, 3)
    const at = slotRead(memory, slot)
    memory.publishSlot(slot, 3, 9)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('destroyed, recreated and written in between: only who saw the last value holds', () => {
    const { memory, account, slot } = oneSlot()
    memory.publishReset(account, 1)
    const sawZero = slotRead(memory, slot)
    memory.publishReset(account, 2)
    memory.publishSlot(slot, 3, 9)
    const sawNine = slotRead(memory, slot)
    expect([sawZero, sawNine].map((at) => memory.validate(at, READER))).toEqual([INVALID, VALID])
  })
})
