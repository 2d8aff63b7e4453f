// Holds read-write sets: what is in them, and when the order of two transactions matters.
// The authority is the definition by single accesses in support/; must not know how sets are stored.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ACCESS, accessGroup, flagsConflict } from '../../../src/access/access-flags.ts'
import { ReadWriteSet } from '../../../src/access/read-write-set.ts'
import { accesses, conflictsByDefinition, setOf } from './support/accesses.ts'

describe('a read-write set', () => {
  it('says what is read, written and added to, each key once', () => {
    const set = new ReadWriteSet()
      .addRead('a')
      .addWrite('b')
      .addDelta('c')
      .addWrite('a')
      .addRead('a')
      .addReadPrefix('p')
      .addWritePrefix('p')
    expect(set.reads).toEqual(['a'])
    expect(set.writes).toEqual(['a', 'b'])
    expect(set.deltas).toEqual(['c'])
    expect([...set.prefixes]).toEqual([['p', ACCESS.READ | ACCESS.WRITE]])
    expect(set.size).toBe(4)
  })

  it('takes bytes and their hex for the same key', () => {
    const set = new ReadWriteSet().addRead(Uint8Array.of(0xab)).addWrite('0xab')
    expect(set.size).toBe(1)
    const other = new ReadWriteSet().addWritePrefix(new Uint8Array())
    expect(set.conflictsWith(other)).toEqual([
      { kind: 'WAW', key: '0xab', isPrefix: false },
      { kind: 'WAR', key: '0xab', isPrefix: false },
    ])
  })

  it('of numbers has conflicts like any other', () => {
    const set = new ReadWriteSet<number>().addRead(1).addWrite(2)
    expect(set.conflictsWith(new ReadWriteSet<number>().addWrite(1))).toEqual([
      { kind: 'WAR', key: 1, isPrefix: false },
    ])
    expect(set.hasConflictWith(new ReadWriteSet<number>().addRead(1).addWrite(3))).toBe(false)
  })
})

describe('two transactions', () => {
  const [read, write, delta] = (['read', 'write', 'delta'] as const).map((does) =>
    setOf([{ does, key: 'k', isPrefix: false }]),
  ) as [ReadWriteSet, ReadWriteSet, ReadWriteSet]

  it.each([
    ['read', 'read', read, read, undefined],
    ['read', 'write', read, write, 'WAR'],
    ['read', 'delta', read, delta, 'WAR'],
    ['write', 'read', write, read, 'RAW'],
    ['write', 'write', write, write, 'WAW'],
    ['write', 'delta', write, delta, 'WAW'],
    ['delta', 'read', delta, read, 'RAW'],
    ['delta', 'write', delta, write, 'WAW'],
    ['delta', 'delta', delta, delta, undefined],
  ] as const)('that %s and then %s one key', (_, __, earlier, later, kind) => {
    const conflicts = kind === undefined ? [] : [{ kind, key: 'k', isPrefix: false }]
    expect(earlier.conflictsWith(later)).toEqual(conflicts)
    expect(earlier.hasConflictWith(later)).toBe(kind !== undefined)
  })

  it('have the conflicts of their single accesses, each once', () => {
    fc.assert(
      fc.property(accesses, accesses, (earlier, later) => {
        const lines = setOf(earlier)
          .conflictsWith(setOf(later))
          .map(({ kind, key, isPrefix }) => `${kind} ${key} ${isPrefix}`)
        expect(new Set(lines)).toEqual(conflictsByDefinition(earlier, later))
        if (![...earlier, ...later].some(({ isPrefix }) => isPrefix)) {
          expect(lines).toHaveLength(new Set(lines).size)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('conflict where there is a conflict, and in either order', () => {
    fc.assert(
      fc.property(accesses, accesses, (a, b) => {
        const conflict = conflictsByDefinition(a, b).size > 0
        expect(setOf(a).hasConflictWith(setOf(b))).toBe(conflict)
        expect(setOf(b).hasConflictWith(setOf(a))).toBe(conflict)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the group of an access', () => {
  it('says what conflicts: all but equal groups that only read or only add', () => {
    const flags = [1, 2, 3, 4, 5, 6, 7]
    for (const a of flags) {
      for (const b of flags) {
        const apart = accessGroup(a) !== accessGroup(b) || accessGroup(a) === ACCESS.WRITE
        expect(flagsConflict(a, b), `${a} and ${b}`).toBe(apart)
      }
    }
  })
})
