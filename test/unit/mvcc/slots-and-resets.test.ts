// Holds slots and the resets that hide them: reader and validator resolve both together.
// The authority is what the transaction could see; must not test how that is compared.
import { describe, expect, it } from 'vitest'

import type { TxIndex } from '../../../src/ids.ts'
import { findSlot, VALIDITY } from '../../../src/mvcc/read-set.ts'
import { FOUND } from '../../../src/mvcc/version-store.ts'
import { VersionMemory } from '../../support/version-memory.ts'
import { READER, slotRead } from './support/reads.ts'

const { VALID, INVALID } = VALIDITY

describe('a slot that was read', () => {
  it('and found at its base value holds until a lower transaction writes another', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, 7)
    const at = slotRead(memory, slot)
    expect(memory.validate(at, READER)).toBe(VALID)
    memory.publishSlot(slot, 3, 8)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('and found zero is held to it like any other value', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, 0)
    const at = slotRead(memory, slot)
    memory.publishSlot(slot, 3, 8)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is refuted by a version between the writer that it saw and the reader', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, 0)
    memory.publishSlot(slot, 1, 8)
    const at = slotRead(memory, slot)
    memory.publishSlot(slot, 3, 9)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is refuted by another value of the same transaction', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, 0)
    memory.publishSlot(slot, 1, 8)
    const at = slotRead(memory, slot)
    memory.publishSlot(slot, 1, 9, 1)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('holds when a repetition writes the same value again', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, 0)
    memory.publishSlot(slot, 1, 8)
    const at = slotRead(memory, slot)
    memory.publishSlot(slot, 1, 8, 1)
    expect(memory.validate(at, READER)).toBe(VALID)
  })

  it('is refuted when its version is withdrawn, unless the base holds the same', () => {
    for (const [base, verdict] of [
      [0, INVALID],
      [8, VALID],
    ] as const) {
      const memory = new VersionMemory()
      const slot = memory.slot(memory.account(1), 1, base)
      const node = memory.publishSlot(slot, 1, 8)
      const at = slotRead(memory, slot)
      memory.store.withdraw(node)
      expect(memory.validate(at, READER)).toBe(verdict)
    }
  })

  it('is refuted when its version is withdrawn and nobody has asked for the base value', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1)
    const node = memory.publishSlot(slot, 1, 0)
    const at = slotRead(memory, slot)
    memory.store.withdraw(node)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is refuted while its version is an estimate', () => {
    const memory = new VersionMemory()
    const slot = memory.slot(memory.account(1), 1, 0)
    const node = memory.publishSlot(slot, 1, 8)
    const at = slotRead(memory, slot)
    memory.store.markEstimate(node)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })
})

describe('a slot of an account whose storage was reset', () => {
  it('is zero above the reset, and what it was below', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slot = memory.slot(account, 1, 7)
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
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slot = memory.slot(account, 1, 7)
    memory.publishSlot(slot, 1, 8)
    memory.publishReset(account, 2)
    expect(findSlot(memory.store, slot, 4 as TxIndex).resetWins).toBe(true)
    memory.publishSlot(slot, 3, 9)
    expect(findSlot(memory.store, slot, 4 as TxIndex).resetWins).toBe(false)
    expect(memory.store.writer).toBe(3)
  })

  it('shows what the transaction that reset it has written, which is the later of the two', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slot = memory.slot(account, 1, 7)
    memory.publishReset(account, 2)
    memory.publishSlot(slot, 2, 9)
    expect(findSlot(memory.store, slot, 4 as TxIndex)).toEqual({
      found: FOUND.VERSION,
      resetWins: false,
    })
  })

  it('is an estimate while the reset is, and while the version above the reset is', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slot = memory.slot(account, 1, 7)
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
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slots = [memory.slot(account, 1, 7), memory.slot(account, 2, 0)]
    memory.publishSlot(slots[1], 1, 8)
    const reads = slots.map((slot) => slotRead(memory, slot))
    memory.publishReset(account, 3)
    expect(reads.map((at) => memory.validate(at, READER))).toEqual([INVALID, INVALID])
  })

  it('refutes who saw zero because of it when it is withdrawn, unless the slot is zero without', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slots = [memory.slot(account, 1, 7), memory.slot(account, 2, 0)]
    const reset = memory.publishReset(account, 3)
    const reads = slots.map((slot) => slotRead(memory, slot))
    memory.store.withdraw(reset)
    expect(reads.map((at) => memory.validate(at, READER))).toEqual([INVALID, VALID])
  })

  it('refutes who looked between the reset and the write of one and the same incarnation', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slot = memory.slot(account, 1, 7)
    memory.publishReset(account, 3)
    const at = slotRead(memory, slot)
    memory.publishSlot(slot, 3, 9)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('destroyed, recreated and written in between: only who saw the last value holds', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slot = memory.slot(account, 1, 7)
    memory.publishReset(account, 1)
    const sawZero = slotRead(memory, slot)
    memory.publishReset(account, 2)
    memory.publishSlot(slot, 3, 9)
    const sawNine = slotRead(memory, slot)
    expect([sawZero, sawNine].map((at) => memory.validate(at, READER))).toEqual([INVALID, VALID])
  })
})
