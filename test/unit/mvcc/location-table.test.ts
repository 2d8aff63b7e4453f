// Holds the table to identity: one key, one record, whatever hashes say.
// Must not compute hashes itself.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { RecordId } from '../../../src/ids.ts'
import { type AtomicOperations, nativeAtomics } from '../../../src/memory/atomics.ts'
import { ACCOUNT, BASE, SLOT } from '../../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../../src/memory/shared-region.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { atomicsWith } from '../../support/atomics.ts'
import { collidingAddresses, collidingSlotKeys } from '../../support/colliding-keys.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const SEED = 77

interface SharedTable {
  state: SharedRegion
  /** Another thread's table over the same memory. */
  view: () => LocationTable
}

function sharedTable(buckets: number, seed = SEED): SharedTable {
  const state = SharedRegion.create(1 << 22)
  const words = new Int32Array(new SharedArrayBuffer(buckets * 4))
  const view = (): LocationTable =>
    new LocationTable(
      words,
      seed,
      new SharedRegion(state.buffer),
      new RegionAllocator(state, 64),
      nativeAtomics,
    )
  return { state, view }
}

const address = fc.uint8Array({ minLength: 20, maxLength: 20 })
const slotKey = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('a location table', () => {
  it('gives one key one record, and different keys different ones, in any number of buckets', () => {
    const buckets = fc.constantFrom(1, 2, 64)
    fc.assert(
      fc.property(buckets, fc.array(fc.tuple(address, slotKey)), (count, keys) => {
        const table = sharedTable(count).view()
        const ids = new Map<string, number>()
        for (const [owner, key] of [...keys, ...keys]) {
          const account = table.account(owner)
          const named: [string, RecordId][] = [
            [owner.join(), account],
            [`${owner.join()}:${key.join()}`, table.slot(account, key)],
          ]
          for (const [name, id] of named) {
            if (ids.has(name)) expect(id).toBe(ids.get(name))
            ids.set(name, id)
          }
        }
        expect(new Set(ids.values()).size).toBe(ids.size)
      }),
    )
  })

  it('tells addresses apart whose hashes are equal', () => {
    const { state, view } = sharedTable(1 << 10)
    const [one, other] = collidingAddresses(SEED)
    const ids = [one, other].map((key) => view().account(key))
    expect(state.words[ids[0] + ACCOUNT.HASH]).toBe(state.words[ids[1] + ACCOUNT.HASH])
    expect(ids[0]).not.toBe(ids[1])
    expect([one, other].map((key) => view().account(key))).toEqual(ids)
  })

  it('tells slots apart whose hashes are equal', () => {
    const { state, view } = sharedTable(1 << 10)
    const account = view().account(new Uint8Array(20).fill(1))
    const [one, other] = collidingSlotKeys(SEED, account)
    const ids = [one, other].map((key) => view().slot(account, key))
    expect(state.words[ids[0] + SLOT.HASH]).toBe(state.words[ids[1] + SLOT.HASH])
    expect(ids[0]).not.toBe(ids[1])
    expect([one, other].map((key) => view().slot(account, key))).toEqual(ids)
  })

  it('tells apart the same slot key of different accounts', () => {
    const table = sharedTable(1).view()
    const key = new Uint8Array(32).fill(5)
    const accounts = [1, 2].map((name) => table.account(new Uint8Array(20).fill(name)))
    expect(table.slot(accounts[0], key)).not.toBe(table.slot(accounts[1], key))
  })

  it('gives the same records to all threads that share its memory', () => {
    const { view } = sharedTable(2)
    const [one, other] = [view(), view()]
    for (let name = 0; name < 20; name++) {
      const key = new Uint8Array(20).fill(name)
      const [first, second] = name % 2 === 0 ? [one, other] : [other, one]
      expect(first.account(key)).toBe(second.account(key))
    }
  })

  it('gives the record of the thread that was faster where two intern one key at once', () => {
    const state = SharedRegion.create(1 << 20)
    const buckets = new Int32Array(new SharedArrayBuffer(4))
    const tableWith = (atomics: AtomicOperations): LocationTable =>
      new LocationTable(buckets, SEED, state, new RegionAllocator(state), atomics)
    const key = new Uint8Array(20).fill(9)
    let theirs: RecordId | undefined
    const slow = atomicsWith({
      compareExchange: (words, index, expected, replacement) => {
        theirs ??= tableWith(nativeAtomics).account(key)
        return Atomics.compareExchange(words, index, expected, replacement)
      },
    })
    expect(tableWith(slow).account(key)).toBe(theirs)
    expect(tableWith(nativeAtomics).account(key)).toBe(theirs)
  })

  it('makes records whose base values are unknown and whose version lists are empty', () => {
    const { state, view } = sharedTable(4)
    state.words.fill(-1, 16, 1000)
    const table = view()
    const account = table.account(new Uint8Array(20).fill(3))
    const slot = table.slot(account, new Uint8Array(32).fill(4))
    expect(state.words[account + ACCOUNT.STATUS]).toBe(BASE.UNKNOWN)
    expect(state.words[slot + SLOT.STATUS]).toBe(BASE.UNKNOWN)
    expect(state.words[slot + SLOT.HEAD]).toBe(0)
    for (let head = ACCOUNT.EXISTS_HEAD; head <= ACCOUNT.RESET_HEAD; head++) {
      expect(state.words[account + head]).toBe(0)
    }
  })

  it('visits every record once, and says which are slots', () => {
    const memory = new VersionMemory()
    const accounts = [1, 2, 3].map((name) => memory.account(name))
    const slots = accounts.map((account) => memory.slot(account, 7))
    const visited: [RecordId, boolean][] = []
    memory.table.forEach((id, isSlot) => {
      visited.push([id, isSlot])
    })
    const sorted = visited.sort(([a], [b]) => a - b)
    expect(sorted).toEqual(
      [...accounts.map((id) => [id, false]), ...slots.map((id) => [id, true])].sort(
        ([a], [b]) => Number(a) - Number(b),
      ),
    )
  })

  it('marks the accounts of which slots were interned', () => {
    const memory = new VersionMemory()
    const [used, unused] = [memory.account(1), memory.account(2)]
    memory.slot(used, 1)
    expect(memory.state.words[used + ACCOUNT.HAS_SLOTS]).toBe(1)
    expect(memory.state.words[unused + ACCOUNT.HAS_SLOTS]).toBe(0)
  })
})
