// Holds write sets: what was recorded is what the abort, the next incarnation and the commit find.
// Must not know their format.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { BlockOffset, LocationId } from '../../../src/ids.ts'
import { LOCATION, type LocationKind } from '../../../src/memory/layout.ts'
import { forEachWrite, WriteSetRecorder, writeCount } from '../../../src/mvcc/write-set.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const write = fc.tuple(
  fc.constantFrom<LocationKind>(...Object.values(LOCATION)),
  fc.integer({ min: 1, max: 1 << 28 }),
  fc.integer({ min: 1, max: 1 << 28 }),
)

describe('a write set', () => {
  it('is found in shared memory as it was recorded, in order', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 300 }), (writes) => {
        const memory = new VersionMemory()
        const at = memory.writeSet(
          writes.map(([kind, location, node]) => [kind, location, node as BlockOffset]),
        )
        const found: unknown[] = []
        forEachWrite(memory.block, at, (...entry) => found.push(entry))
        expect(found).toEqual(writes)
        expect(writeCount(memory.block, at)).toBe(writes.length)
      }),
    )
  })

  it('starts empty for the next incarnation', () => {
    const recorder = new WriteSetRecorder()
    recorder.record(LOCATION.NONCE, 1 as LocationId, 2 as BlockOffset)
    expect(recorder.count).toBe(1)
    recorder.clear()
    expect([recorder.count, recorder.words]).toEqual([0, 0])
  })

  it('that was never written has no entries', () => {
    const { block } = new VersionMemory()
    const found: unknown[] = []
    forEachWrite(block, 0, (...entry) => found.push(entry))
    expect(found).toEqual([])
    expect(writeCount(block, 0)).toBe(0)
  })
})
