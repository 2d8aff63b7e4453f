// Random accesses over few keys and prefixes, and what conflicts among them by the definition.
// The authority on that definition: each access of one with each of the other, nothing merged or
// indexed. Must not use what it is the oracle of.
import fc from 'fast-check'

import type { ConflictKind } from '../../../../src/access/access-flags.ts'
import { ReadWriteSet } from '../../../../src/access/read-write-set.ts'

/** One access as a test writes it. */
export interface Access {
  readonly does: 'read' | 'write' | 'delta'
  readonly key: string
  readonly isPrefix: boolean
}

/** Few enough to collide, and some begin with others. */
const KEYS = ['', 'a', 'ab', 'aba', 'abb', 'b', 'ba', 'c']

const exact: fc.Arbitrary<Access> = fc.record({
  does: fc.constantFrom('read', 'write', 'delta'),
  key: fc.constantFrom(...KEYS),
  isPrefix: fc.constant(false),
})
const prefix: fc.Arbitrary<Access> = fc.record({
  does: fc.constantFrom('read', 'write'),
  key: fc.constantFrom(...KEYS),
  isPrefix: fc.constant(true),
})

/** Accesses of one transaction, by exact keys only. */
export const exactAccesses = fc.array(exact, { maxLength: 5 })
/** Accesses of one transaction, some by prefix. */
export const accesses = fc.array(
  fc.oneof({ arbitrary: exact, weight: 4 }, { arbitrary: prefix, weight: 1 }),
  { maxLength: 5 },
)

export function setOf(of: readonly Access[]): ReadWriteSet {
  const set = new ReadWriteSet()
  for (const { does, key, isPrefix } of of) {
    if (isPrefix && does === 'read') set.addReadPrefix(key)
    else if (isPrefix) set.addWritePrefix(key)
    else if (does === 'read') set.addRead(key)
    else if (does === 'write') set.addWrite(key)
    else set.addDelta(key)
  }
  return set
}

/** Both can mean the same key. */
function meet(a: Access, b: Access): boolean {
  if (a.isPrefix && b.isPrefix) return a.key.startsWith(b.key) || b.key.startsWith(a.key)
  if (a.isPrefix) return b.key.startsWith(a.key)
  if (b.isPrefix) return a.key.startsWith(b.key)
  return a.key === b.key
}

function kindOf(earlier: Access, later: Access): ConflictKind | undefined {
  if (earlier.does === 'read') return later.does === 'read' ? undefined : 'WAR'
  if (later.does === 'read') return 'RAW'
  return earlier.does === 'delta' && later.does === 'delta' ? undefined : 'WAW'
}

/** The conflicts of two transactions as lines of kind, key and whether it is a prefix; each once. */
export function conflictsByDefinition(
  earlier: readonly Access[],
  later: readonly Access[],
): Set<string> {
  const conflicts = new Set<string>()
  for (const a of earlier) {
    for (const b of later) {
      const kind = kindOf(a, b)
      if (kind === undefined || !meet(a, b)) continue
      const isPrefix = a.isPrefix && b.isPrefix
      // Where an exact key meets a prefix it is the key, and where prefixes meet the longer one.
      const key = isPrefix
        ? [a.key, b.key].toSorted((x, y) => y.length - x.length)[0]
        : (a.isPrefix ? b : a).key
      conflicts.add(`${kind} ${key} ${isPrefix}`)
    }
  }
  return conflicts
}
