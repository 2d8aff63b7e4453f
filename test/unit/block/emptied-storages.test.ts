// Storages that a block emptied, in what is kept for the next block.
// Authority on the kept slots, and on how often the table of all records is gone through for them.
import { describe, expect, it, vi } from 'vitest'
import { BlockMemory } from '../../../src/block/block-memory.ts'
import { CommittedWrites } from '../../../src/block/committed-writes.ts'
import { foldIntoBase } from '../../../src/block/write-back.ts'
import type { RecordId } from '../../../src/ids.ts'
import { ACCOUNT, BASE, LOCATION, SLOT } from '../../../src/memory/layout.ts'
import { readStripped32 } from '../../../src/memory/word-codec.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const before = 7
const after = 9

/** Folds a block that empties the storage of some of `names`, and writes slot 2 of each of these again. */
function fold(names: number[], emptied: number[]) {
  const memory = new BlockMemory(32, 32)
  memory.beginBlock(1)
  const worker = VersionMemory.besideMain(memory, 1)
  const slots = new Map<number, RecordId[]>()
  const versions: Parameters<typeof worker.writeSet>[0][number][] = []
  for (const name of names) {
    const account = worker.account(name, { exists: true })
    const own = [1, 2].map((key) => worker.slot(account, key, before))
    slots.set(name, own)
    if (!emptied.includes(name)) continue
    versions.push([LOCATION.RESET, account + ACCOUNT.RESET_HEAD, worker.publishReset(account, 0)])
    const written = own[1]!
    const version = worker.publishSlot(written, 0, after)
    versions.push([LOCATION.SLOT, written + SLOT.HEAD, version])
  }
  const writes = new CommittedWrites(memory)
  writes.add(worker.writeSet(versions))
  const walks = vi.spyOn(LocationTable.prototype, 'forEach')
  foldIntoBase(memory, writes)
  const count = walks.mock.calls.length
  walks.mockRestore()
  const valuesOf = (name: number): (number | undefined)[] =>
    (slots.get(name) ?? []).map((slot) => {
      const words = memory.state.reach(slot + SLOT.WORDS)
      expect(words[slot + SLOT.STATUS]).toBe(BASE.PRESENT)
      return readStripped32(memory.state.bytes, slot + SLOT.VALUE)[0]
    })
  return { valuesOf, walks: count }
}

describe('storages that a block emptied', () => {
  it('keep only what was written afterwards, and leave other storages alone', () => {
    const { valuesOf } = fold([1, 2, 3], [1, 3])
    expect(valuesOf(1)).toEqual([undefined, after])
    expect(valuesOf(2)).toEqual([before, before])
    expect(valuesOf(3)).toEqual([undefined, after])
  })

  it('are found in one walk through the table, however many they are', () => {
    const names = Array.from({ length: 20 }, (_, index) => index + 1)
    expect(fold(names, names).walks).toBe(1)
    expect(fold(names, []).walks).toBe(0)
  })
})
