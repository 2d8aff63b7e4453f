// Holds which values cross: what is written is read as the same, and what cannot cross is refused.
// Authority on kinds of values; equality is the oracle's.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MOST_FIELDS } from '../../../src/execution/value-format.ts'
import { ValueReader } from '../../../src/execution/value-reader.ts'
import { ValueWriter } from '../../../src/execution/value-writer.ts'
import { compareAny } from '../../support/oracle.ts'
import { value } from './support/crossing-values.ts'

/** A reader on a private copy of what `write` writes. */
function readerOf(write: (writer: ValueWriter) => void, writer = new ValueWriter()): ValueReader {
  writer.clear()
  write(writer)
  return new ValueReader(Uint8Array.from(writer.written))
}

function objectWith(fields: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: fields }, (_, at) => [`field ${at}`, at]))
}

describe('a writer of values', () => {
  it('writes values that are read as the same, in the same order', () => {
    const writer = new ValueWriter()
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        const reader = readerOf(() => {
          for (const one of values) writer.value(one)
        }, writer)
        expect(
          compareAny(
            values,
            values.map(() => reader.value()),
            'values',
          ),
        ).toEqual([])
      }),
    )
  })

  it('leaves named fields out of an object, but not of the objects in it', () => {
    const inner = { left: 1, out: 2 }
    const reader = readerOf((writer) => {
      writer.object({ out: 3, inner, left: 4 }, new Set(['out']))
      writer.value('after')
    })
    expect(reader.object()).toStrictEqual({ inner, left: 4 })
    expect(reader.value()).toBe('after')
  })

  it('takes as many fields as one byte can count, and refuses more', () => {
    const most = objectWith(MOST_FIELDS)
    expect(readerOf((writer) => writer.object(most)).object()).toStrictEqual(most)
    expect(() => new ValueWriter().value(objectWith(MOST_FIELDS + 1))).toThrow('256 fields')
  })

  it.each([
    ['a function', () => {}],
    ['a symbol', Symbol('odd')],
  ])('refuses %s, however deep it lies', (_what, odd) => {
    for (const one of [odd, [odd], new Map([[1, odd]]), new Set([odd]), { field: [odd] }]) {
      expect(() => new ValueWriter().value(one)).toThrow(`a result holds a ${typeof odd}`)
    }
  })

  it('can be used again after it refused something', () => {
    const writer = new ValueWriter()
    expect(() => writer.value(['before', () => {}])).toThrow()
    expect(readerOf(() => writer.value('next'), writer).value()).toBe('next')
  })
})
