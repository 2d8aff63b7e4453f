// Holds the detector to the pairwise definition: the same conflicts, and a graph of the same reach.
// The authority is the definition by single accesses; must not know how keys are indexed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ReadWriteSet } from '../../../src/access/read-write-set.ts'
import { ConflictDetector } from '../../../src/graph/conflict-detector.ts'
import {
  type Access,
  accesses,
  conflictsByDefinition,
  exactAccesses,
  setOf,
} from '../access/support/accesses.ts'
import { closureOf, closureOfLists } from './support/reachability.ts'

function record(block: readonly (readonly Access[])[]): ConflictDetector<number> {
  const detector = new ConflictDetector<number>()
  for (const [t, of] of block.entries()) detector.record(t, setOf(of))
  return detector
}

/** Blocks with and without prefixes; some permuted, so that the order is not the one of recording. */
const blocks = fc
  .oneof(
    fc.array(exactAccesses, { maxLength: 12 }),
    fc.array(accesses, { minLength: 2, maxLength: 12 }),
  )
  .chain((block) => {
    const order = [...block.keys()]
    const shuffled = fc.shuffledSubarray(order, { minLength: order.length })
    return fc.tuple(fc.constant(block), fc.oneof(fc.constant(order), shuffled))
  })

describe('a conflict detector', () => {
  it('builds a graph that reaches what the conflicts of pairs reach, and nothing else', () => {
    fc.assert(
      fc.property(blocks, ([block, order]) => {
        const graph = record(block).buildDependencyGraph(order)
        const byPairs = closureOf(
          order.length,
          (a, b) => b < a && conflictsByDefinition(block[order[b]], block[order[a]]).size > 0,
        )
        expect(graph.topologicalOrder()).toEqual(order)
        expect(closureOfLists(graph.toFlat().lists)).toEqual(byPairs)
      }),
      { numRuns: 3000 },
    )
  })

  it('says of every two transactions whether they conflict', () => {
    fc.assert(
      fc.property(blocks, ([block]) => {
        const detector = record(block)
        for (const a of block.keys()) {
          for (const b of block.keys()) {
            const conflict = conflictsByDefinition(block[a], block[b]).size > 0
            expect(detector.hasConflict(a, b)).toBe(conflict)
          }
        }
      }),
    )
  })

  it('takes the order of recording where none is given', () => {
    const detector = new ConflictDetector<string>()
    detector.record('second', new ReadWriteSet().addWrite('k'))
    detector.record('first', new ReadWriteSet().addRead('k'))
    const graph = detector.buildDependencyGraph()
    expect(graph.getDependencies('first')).toEqual(['second'])
    const other = detector.buildDependencyGraph(['first', 'second'])
    expect(other.getDependencies('second')).toEqual(['first'])
  })

  it('takes part of what was recorded, and leaves the rest out', () => {
    const detector = record([
      [{ does: 'write', key: 'a', isPrefix: false }],
      [{ does: 'write', key: 'a', isPrefix: true }],
      [{ does: 'read', key: 'a', isPrefix: false }],
    ])
    const graph = detector.buildDependencyGraph([0, 2])
    expect(graph.getDependencies(2)).toEqual([0])
    expect(graph.has(1)).toBe(false)
  })

  it('replaces what was recorded of a transaction before, and counts what is added to its set', () => {
    const detector = new ConflictDetector<string>()
    const set = new ReadWriteSet()
    detector.record('a', new ReadWriteSet().addWrite('k'))
    detector.record('b', new ReadWriteSet().addRead('k'))
    expect(detector.hasConflict('a', 'b')).toBe(true)
    detector.record('a', set)
    expect(detector.hasConflict('a', 'b')).toBe(false)
    set.addDelta('k')
    expect(detector.hasConflict('a', 'b')).toBe(true)
    expect(detector.buildDependencyGraph().edgeCount).toBe(1)
    expect(detector.size).toBe(2)
  })

  it('works over number keys', () => {
    const detector = new ConflictDetector<number, number>()
    detector.record(0, new ReadWriteSet<number>().addWrite(0).addDelta(2 ** 40))
    detector.record(1, new ReadWriteSet<number>().addRead(-1).addDelta(2 ** 40))
    detector.record(2, new ReadWriteSet<number>().addRead(0.5).addRead(2 ** 40))
    const graph = detector.buildDependencyGraph()
    expect([0, 1, 2].map((t) => graph.getDependencies(t).sort())).toEqual([[], [], [0, 1]])
  })

  it('derives by the rule reads-from where it is told to', () => {
    const write = new ReadWriteSet().addWrite('k')
    const detector = new ConflictDetector<number>()
    for (const t of [0, 1, 2]) detector.record(t, write)
    expect(detector.buildDependencyGraph([0, 1, 2]).edgeCount).toBe(2)
    expect(detector.buildDependencyGraph([0, 1, 2], 'reads-from').edgeCount).toBe(0)
  })

  it('refuses transactions that it knows nothing of, and those listed twice', () => {
    const detector = record([[], []])
    const unknown = expect.objectContaining({ code: 'UNKNOWN_TRANSACTION' })
    expect(() => detector.hasConflict(0, 5)).toThrow(unknown)
    expect(() => detector.hasConflict(5, 0)).toThrow(unknown)
    expect(() => detector.buildDependencyGraph([0, 5])).toThrow(unknown)
    expect(() => detector.buildDependencyGraph([0, 1, 0])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
    detector.clear()
    expect(() => detector.hasConflict(0, 1)).toThrow(unknown)
  })
})
