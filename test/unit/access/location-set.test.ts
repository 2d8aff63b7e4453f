// A set of locations: identity by every byte, kinds that only get stronger, growth.
// Authority on LocationSet; compared with a Map over text keys.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { AccessKind, LocationField } from '../../../src/access/access-sink.ts'
import { LocationSet } from '../../../src/access/location-set.ts'
import { addressOf, listed, toWord } from './support/facts.ts'

const field = fc.constantFrom<LocationField>('balance', 'nonce', 'code', 'existence', 'slot')
const kind = fc.constantFrom<AccessKind>('read', 'write', 'delta')
// Few distinct values, so that locations repeat and differ in single bytes only.
const location = fc.record({ field, kind, account: fc.nat(3), key: fc.nat(300), at: fc.nat(1) })

describe('a location set', () => {
  it('holds what a map over text would hold', () => {
    fc.assert(
      fc.property(fc.array(location, { maxLength: 400 }), (locations) => {
        const set = new LocationSet()
        const oracle = new Map<string, Set<AccessKind>>()
        for (const each of locations) {
          const address = addressOf(0)
          address[each.at * 19] = each.account
          const key = each.field === 'slot' ? toWord(BigInt(each.key) << 247n) : undefined
          set.add(each.field, address, key, each.kind)
          const text = JSON.stringify([each.field, [...address], key && [...key]])
          oracle.set(text, (oracle.get(text) ?? new Set()).add(each.kind))
        }
        expect(set.size).toBe(oracle.size)
        for (const { field: name, address, key, kind: strongest } of set) {
          const kinds = oracle.get(JSON.stringify([name, [...address], key && [...key]]))!
          expect(strongest).toBe(kinds.size === 1 ? [...kinds][0] : 'write')
          expect(set.kindAt(set.find(name, address, key))).toBe(strongest)
        }
      }),
    )
  })

  it('does not find what was not added, nor anything after it was cleared', () => {
    const set = new LocationSet()
    set.slot(addressOf(1), toWord(1n), 'read')
    expect(set.find('slot', addressOf(1), toWord(2n))).toBe(-1)
    expect(set.find('slot', addressOf(2), toWord(1n))).toBe(-1)
    expect(set.find('code', addressOf(1))).toBe(-1)
    set.clear()
    expect(set.find('slot', addressOf(1), toWord(1n))).toBe(-1)
    expect(listed(set)).toEqual([])
  })
})
