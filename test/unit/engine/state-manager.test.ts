// Holds nested snapshots against copies of the whole state, which they must equal and must not be.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { StateManager } from '../../../src/engine/state-manager.ts'
import { bytes, errorOf, text } from './support/values.ts'

describe('a state', () => {
  it('goes back to any snapshot as if it had been copied', () => {
    const key = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), key, value: fc.string({ maxLength: 3 }) }),
      fc.record({ kind: fc.constant('delete' as const), key }),
      fc.record({ kind: fc.constantFrom('event' as const, 'snapshot' as const) }),
      fc.record({ kind: fc.constantFrom('commit' as const, 'rollback' as const) }),
      fc.record({
        kind: fc.constantFrom('rollbackTo' as const, 'discard' as const),
        which: fc.nat(),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const state = new StateManager()
        let model: { values: Record<string, string>; events: number } = { values: {}, events: 0 }
        const copies: { id: number; model: typeof model }[] = []
        for (const it of steps) {
          if (it.kind === 'write') {
            state.write(it.key, bytes(it.value))
            model = { ...model, values: { ...model.values, [it.key]: it.value } }
          } else if (it.kind === 'delete') {
            state.delete(it.key)
            const { [it.key]: _, ...values } = model.values
            model = { ...model, values }
          } else if (it.kind === 'event') {
            state.emitEvent({ topic: `${model.events}` })
            model = { ...model, events: model.events + 1 }
          } else if (it.kind === 'snapshot') {
            copies.push({ id: state.createSnapshot(), model })
          } else if (copies.length > 0) {
            const innermost = copies.length - 1
            const at = 'which' in it ? it.which % copies.length : innermost
            if (it.kind === 'commit') state.commit()
            if (it.kind === 'rollback') state.rollback()
            if (it.kind === 'discard') state.discard(copies[at]!.id)
            if (it.kind === 'rollbackTo') state.rollbackTo(copies[at]!.id)
            if (it.kind === 'rollback' || it.kind === 'rollbackTo') {
              model = copies[at]!.model
              copies.length = at
            } else {
              copies.splice(at, 1)
            }
          }
          expect(state.snapshotDepth).toBe(copies.length)
          expect(state.events.map(({ topic }) => topic)).toEqual(
            Array.from({ length: model.events }, (_, i) => `${i}`),
          )
          for (const name of ['a', 'b', 'c'])
            expect(text(state.read(name))).toBe(model.values[name])
        }
      }),
    )
  })

  it('says which snapshots are open where one is not', () => {
    const state = new StateManager()
    for (const misuse of [() => state.commit(), () => state.rollback()]) {
      expect(errorOf(misuse)).toMatchObject({ code: 'UNKNOWN_SNAPSHOT' })
    }
    const outer = state.createSnapshot()
    const inner = state.createSnapshot()
    state.rollbackTo(outer)
    const error = errorOf(() => state.rollbackTo(inner))
    expect(error.code).toBe('UNKNOWN_SNAPSHOT')
    expect(error.message).toContain('open: none')
    expect(state.createSnapshot()).not.toBe(outer)
    expect(errorOf(() => state.takeEvents()).code).toBe('INVALID_ARGUMENT')
  })

  it('does what a batch asks for, or nothing', () => {
    const state = new StateManager()
    state.batchWrite([
      ['a', bytes('1')],
      [bytes('b'), bytes('2')],
    ])
    expect(state.batchRead(['a', 'b', 'c']).map(text)).toEqual(['1', '2', undefined])
    expect(
      errorOf(() =>
        state.batchWrite([
          ['a', bytes('x')],
          ['b', 5 as never],
        ]),
      ).code,
    ).toBe('INVALID_ARGUMENT')
    expect(errorOf(() => state.batchDelete(['a', 5 as never])).code).toBe('INVALID_ARGUMENT')
    expect(state.batchRead(['a', 'b']).map(text)).toEqual(['1', '2'])
    state.batchDelete(['a', 'b'])
    state.batchEmitEvents([{ topic: 'one' }, { topic: 'two' }])
    expect(state.size).toBe(0)
    expect(state.takeEvents()).toHaveLength(2)
    expect(state.events).toEqual([])
  })
})
