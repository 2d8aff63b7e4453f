// Holds the execute root: whatever was added comes out, lowest rank first.
// Must not know what ranks stand for.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ExecuteRoot } from '../../../src/graph/execute-root.ts'

describe('an execute root', () => {
  it('gives the lowest rank that is in it, between adding and taking in any order', () => {
    const moves = fc.array(fc.oneof(fc.nat(50), fc.constant('take' as const)), { maxLength: 80 })
    fc.assert(
      fc.property(moves, (made) => {
        const root = new ExecuteRoot(made.length)
        const inside = new Set<number>()
        for (const move of made) {
          if (move === 'take') {
            const lowest = inside.size === 0 ? -1 : Math.min(...inside)
            expect(root.take()).toBe(lowest)
            inside.delete(lowest)
          } else if (!inside.has(move)) {
            root.add(move)
            inside.add(move)
          }
          expect(root.size).toBe(inside.size)
        }
      }),
    )
  })
})
