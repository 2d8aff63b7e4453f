// Holds what counts as an access of a run: what it saw from outside, and what it left behind.
// The authority is a run of a toy transaction over a store; must not know how it is recorded.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ReadWriteSet } from '../../../src/access/read-write-set.ts'
import { StateAccessTracker } from '../../../src/access/state-access-tracker.ts'

function summary({
  readWriteSet,
}: StateAccessTracker): Record<'reads' | 'writes' | 'deltas', string[]> {
  const { reads, writes, deltas } = readWriteSet
  return { reads: reads.sort(), writes: writes.sort(), deltas: deltas.sort() }
}

describe('a tracker', () => {
  it('does not count the reading back of what the run wrote', () => {
    const tracker = new StateAccessTracker()
    tracker.recordWrite('a')
    tracker.recordRead('a')
    tracker.recordRead('b')
    tracker.recordWrite('b')
    expect(summary(tracker)).toEqual({ reads: ['b'], writes: ['a', 'b'], deltas: [] })
  })

  it('counts a read after an addition, which shows the value below', () => {
    const tracker = new StateAccessTracker()
    tracker.recordDelta('a')
    tracker.recordRead('a')
    expect(summary(tracker)).toEqual({ reads: ['a'], writes: [], deltas: ['a'] })
  })

  it('takes additions and writes of one key together for a write', () => {
    const tracker = new StateAccessTracker()
    tracker.recordDelta('a')
    tracker.recordWrite('a')
    tracker.recordWrite('b')
    tracker.recordDelta('b')
    expect(summary(tracker)).toEqual({ reads: [], writes: ['a', 'b'], deltas: [] })
  })

  it('forgets reverted writes and keeps reverted reads', () => {
    const tracker = new StateAccessTracker()
    tracker.recordDelta('a')
    tracker.checkpoint()
    tracker.recordWrite('a')
    tracker.recordWrite('b')
    tracker.recordRead('c')
    tracker.recordWrite('c')
    tracker.recordWritePrefix('p')
    tracker.recordReadPrefix('q')
    tracker.revert()
    expect(summary(tracker)).toEqual({ reads: ['c'], writes: [], deltas: ['a'] })
    expect([...tracker.readWriteSet.prefixes.keys()]).toEqual(['q'])
  })

  it('sees from outside again what it reads after a revert', () => {
    const tracker = new StateAccessTracker()
    tracker.checkpoint()
    tracker.recordWrite('a')
    tracker.revert()
    tracker.recordRead('a')
    expect(summary(tracker)).toEqual({ reads: ['a'], writes: [], deltas: [] })
  })

  it('reverts what an inner checkpoint committed', () => {
    const tracker = new StateAccessTracker()
    tracker.checkpoint()
    tracker.checkpoint()
    tracker.recordWrite('a')
    tracker.commit()
    tracker.recordWrite('b')
    tracker.revert()
    expect(tracker.readWriteSet.size).toBe(0)
  })

  it('refuses to close a checkpoint that is not open', () => {
    const tracker = new StateAccessTracker()
    for (const close of [() => tracker.commit(), () => tracker.revert()]) {
      expect(close).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  it('hands out a set that later records and reverts do not change', () => {
    const tracker = new StateAccessTracker()
    tracker.recordRead('a')
    const set = tracker.readWriteSet
    tracker.recordWrite('b')
    tracker.recordReadPrefix('p')
    tracker.checkpoint()
    tracker.recordDelta('c')
    expect([set.size, tracker.readWriteSet.size]).toEqual([1, 4])
    tracker.revert()
    expect([set.size, tracker.readWriteSet.size]).toEqual([1, 3])
  })

  it('starts anew when it is cleared, without open checkpoints', () => {
    const tracker = new StateAccessTracker()
    tracker.checkpoint()
    tracker.recordWrite('a')
    tracker.recordWritePrefix('p')
    tracker.clear()
    expect(tracker.readWriteSet.size).toBe(0)
    expect(() => tracker.revert()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('has conflicts with other runs and with sets', () => {
    const [reader, writer] = [new StateAccessTracker(), new StateAccessTracker()]
    reader.recordRead(Uint8Array.of(1))
    expect(reader.hasConflictWith(writer)).toBe(false)
    writer.recordWrite('0x01')
    expect(reader.hasConflictWith(writer)).toBe(true)
    expect(reader.hasConflictWith(new ReadWriteSet().addWritePrefix('0x'))).toBe(true)
    expect(reader.hasConflictWith(new ReadWriteSet().addReadPrefix('0x'))).toBe(false)
  })
})

/** Closing and opening checkpoints has no key. */
interface Step {
  readonly does: 'read' | 'write' | 'delta' | 'checkpoint' | 'commit' | 'revert'
  readonly key: string
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom('read', 'read', 'write', 'delta', 'checkpoint', 'commit', 'revert'),
  key: fc.constantFrom('a', 'b', 'c'),
})

/** What is above the base of each key, symbolically: a value of its own, or additions. */
type Layer = ReadonlyMap<string, 'own' | 'added'>

/** Runs the steps over copies of the state; closing a checkpoint that is not open does nothing. */
function runOverCopies(steps: readonly Step[]): { seen: string[]; left: Layer } {
  const seen = new Set<string>()
  let state: Layer = new Map()
  const saved: Layer[] = []
  for (const next of steps) {
    if (next.does === 'checkpoint') saved.push(state)
    else if (next.does === 'commit') saved.pop()
    else if (next.does === 'revert') state = saved.pop() ?? state
    else if (next.does === 'read') {
      if (state.get(next.key) !== 'own') seen.add(next.key)
    } else if (next.does === 'write') state = new Map([...state, [next.key, 'own']])
    else if (!state.has(next.key)) state = new Map([...state, [next.key, 'added']])
  }
  return { seen: [...seen].sort(), left: state }
}

describe('the record of a run', () => {
  it('is what a run over copies of the state sees and leaves', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const tracker = new StateAccessTracker()
        let open = 0
        for (const next of steps) {
          if (next.does === 'checkpoint') {
            tracker.checkpoint()
            open++
          } else if (next.does === 'commit' || next.does === 'revert') {
            if (open === 0) continue
            tracker[next.does]()
            open--
          } else if (next.does === 'read') tracker.recordRead(next.key)
          else if (next.does === 'write') tracker.recordWrite(next.key)
          else tracker.recordDelta(next.key)
        }
        const { seen, left } = runOverCopies(steps)
        const keysLeft = (as: string): string[] =>
          [...left].flatMap(([key, value]) => (value === as ? [key] : [])).sort()
        expect(summary(tracker)).toEqual({
          reads: seen,
          writes: keysLeft('own'),
          deltas: keysLeft('added'),
        })
      }),
      { numRuns: 1000 },
    )
  })
})
