// Holds what is called touched to the sets that an execution leaves: each location once, at its strongest,
// under the name that it has in the world. What is made of it is access-learning's matter.
import { describe, expect, it } from 'vitest'

import { BlockMemory } from '../../../src/block/block-memory.ts'
import { observedAccesses, placeOf, touchedBy } from '../../../src/block/observed-accesses.ts'
import type { LocationId } from '../../../src/ids.ts'
import { ACCOUNT, LOCATION, SLOT } from '../../../src/memory/layout.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const name = 5
const address = new Uint8Array(20).fill(name)
const key = new Uint8Array(32).fill(1)

/** A worker's memory, and the main thread's beside it. `filler`: words that the main thread has not seen. */
function setUp(filler = 0) {
  const memory = new BlockMemory(32, 32)
  memory.beginBlock(2)
  const worker = VersionMemory.besideMain(memory, 2)
  if (filler > 0) {
    worker.state.allocate(filler)
    worker.block.allocate(filler)
  }
  const account = worker.account(name, { balance: 3n, nonce: 4n })
  const slot = worker.slot(account, 1, 9)
  return { memory, worker, account, slot, at: (head: number) => (account + head) as LocationId }
}

/** What the first transaction touched, as templates learn it. */
function observed({ memory }: ReturnType<typeof setUp>) {
  return observedAccesses(memory, touchedBy(memory, 0))
}

function slotValue(value: number): [Int32Array, number] {
  const words = new Int32Array(8)
  new Uint8Array(words.buffer)[31] = value
  return [words, 0]
}

describe('what a transaction touched', () => {
  it('is nothing where it left no sets', () => {
    expect(observed(setUp())).toEqual([])
  })

  it('is what it read, in the order of reading, slots with the value that was seen', () => {
    const world = setUp()
    const { worker, slot, at } = world
    const reads = worker.readSet((set) => {
      set.recordNonce(at(ACCOUNT.NONCE_HEAD), -1, 0, 4n)
      set.recordSlot((slot + SLOT.HEAD) as LocationId, -1, 0, ...slotValue(9))
      set.recordCode(at(ACCOUNT.CODE_HEAD), -1, new Int32Array(8), 0)
      set.recordBalance(at(ACCOUNT.BALANCE_HEAD), -1, 3n)
    })
    worker.setField(0, 'READ_SET', reads)
    expect(observed(world)).toEqual([
      { field: 'nonce', address, kind: 'read' },
      { field: 'slot', address, key, kind: 'read', value: numbered(9) },
      { field: 'code', address, kind: 'read' },
      { field: 'balance', address, kind: 'read' },
    ])
  })

  it('counts neither existence nor resets, read or written', () => {
    const world = setUp()
    const { worker, account, at } = world
    const [exists, reset] = [at(ACCOUNT.EXISTS_HEAD), at(ACCOUNT.RESET_HEAD)]
    const reads = worker.readSet((set) => {
      set.recordExists(exists, -1, true)
      set.recordReset(reset, -1, 0)
    })
    worker.setField(0, 'READ_SET', reads)
    const writes = worker.writeSet([
      [LOCATION.EXISTS, exists, worker.publishExists(account, 0, true)],
      [LOCATION.RESET, reset, worker.publishReset(account, 0)],
    ])
    worker.setField(0, 'WRITE_SET', writes)
    expect(observed(world)).toEqual([])
  })

  it('is a write where it was read and written, with what was seen before', () => {
    const world = setUp()
    const { worker, slot } = world
    const location = (slot + SLOT.HEAD) as LocationId
    worker.setField(
      0,
      'READ_SET',
      worker.readSet((set) => set.recordSlot(location, -1, 0, ...slotValue(9))),
    )
    const writes = worker.writeSet([[LOCATION.SLOT, location, worker.publishSlot(slot, 0, 10)]])
    worker.setField(0, 'WRITE_SET', writes)
    expect(observed(world)).toEqual([
      { field: 'slot', address, key, kind: 'write', value: numbered(9) },
    ])
  })

  it('keeps what was seen first where a slot was looked at twice', () => {
    const world = setUp()
    const { worker, slot } = world
    const location = (slot + SLOT.HEAD) as LocationId
    const reads = worker.readSet((set) => {
      set.recordSlot(location, -1, 0, ...slotValue(9))
      set.recordSlot(location, -1, 0, ...slotValue(8))
    })
    worker.setField(0, 'READ_SET', reads)
    expect(observed(world)).toEqual([
      { field: 'slot', address, key, kind: 'read', value: numbered(9) },
    ])
  })

  it('is an addition where a balance grew unread, and a write where it was set or looked at', () => {
    const kinds = (kind: 'ADD' | 'SET', isRead: boolean) => {
      const world = setUp()
      const { worker, account, at } = world
      const location = at(ACCOUNT.BALANCE_HEAD)
      const node = worker.publishBalance(account, 0, kind, 7n)
      worker.setField(0, 'WRITE_SET', worker.writeSet([[LOCATION.BALANCE, location, node]]))
      if (isRead) {
        const reads = worker.readSet((set) => set.recordBalance(location, -1, 3n))
        worker.setField(0, 'READ_SET', reads)
      }
      return observed(world).map((access) => access.kind)
    }
    expect(kinds('ADD', false)).toEqual(['delta'])
    expect(kinds('SET', false)).toEqual(['write'])
    expect(kinds('ADD', true)).toEqual(['write'])
  })

  it('is of one transaction, and not of its neighbour', () => {
    const world = setUp()
    const { worker, at } = world
    const reads = worker.readSet((set) => set.recordBalance(at(ACCOUNT.BALANCE_HEAD), -1, 3n))
    worker.setField(1, 'READ_SET', reads)
    expect(observed(world)).toEqual([])
    expect(touchedBy(world.memory, 1).size).toBe(1)
  })

  it('is found where only workers have looked: memory grew while the block ran', () => {
    const world = setUp(3 * 1024 * 1024)
    const { memory, worker, account, slot, at } = world
    const inView = memory.state.words.length
    expect(Math.min(account, slot)).toBeGreaterThan(inView)
    const location = (slot + SLOT.HEAD) as LocationId
    worker.setField(
      0,
      'READ_SET',
      worker.readSet((set) => {
        set.recordBalance(at(ACCOUNT.BALANCE_HEAD), -1, 3n)
        set.recordSlot(location, -1, 0, ...slotValue(9))
      }),
    )
    const writes = worker.writeSet([[LOCATION.SLOT, location, worker.publishSlot(slot, 0, 10)]])
    worker.setField(0, 'WRITE_SET', writes)
    expect(observed(world)).toEqual([
      { field: 'balance', address, kind: 'read' },
      { field: 'slot', address, key, kind: 'write', value: numbered(9) },
    ])
  })
})

describe('a place', () => {
  it('is an account and a field of it, or a slot of it', () => {
    const { memory, slot, at } = setUp()
    const named = [
      placeOf(memory, LOCATION.EXISTS, at(ACCOUNT.EXISTS_HEAD)),
      placeOf(memory, LOCATION.CODE, at(ACCOUNT.CODE_HEAD)),
      placeOf(memory, LOCATION.SLOT, (slot + SLOT.HEAD) as LocationId),
    ]
    expect(named).toEqual([
      { field: 'existence', address },
      { field: 'code', address },
      { field: 'slot', address, key },
    ])
  })

  it('whose slot lies below its account is found all the same', () => {
    const { memory, worker, account } = setUp()
    const other = VersionMemory.besideMain(memory, 2)
    // As if two workers had interned the two: the words are swapped by hand.
    const lower = worker.slot(account, 3, 1)
    worker.state.allocate(4 * 1024 * 1024)
    const higher = other.account(6)
    worker.state.words[lower + SLOT.ACCOUNT] = higher
    expect(higher).toBeGreaterThan(lower)
    expect(placeOf(memory, LOCATION.SLOT, (lower + SLOT.HEAD) as LocationId)).toEqual({
      field: 'slot',
      address: new Uint8Array(20).fill(6),
      key: new Uint8Array(32).fill(3),
    })
  })
})

function numbered(value: number): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes[31] = value
  return bytes
}
