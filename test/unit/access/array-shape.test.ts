// Which element of an array was touched, judged by how far behind its start.
// Authority on telling appending from reading the last element.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { MOST_ELEMENT, shapeAtEnd, shapeOfOne } from '../../../src/access/array-shape.ts'

describe('the end of an array', () => {
  it.each([
    ['the first element of all', [0], 0, 1],
    ['the three slots of the first element', [0, 1, 2], 0, 3],
    ['an element of one slot behind 7 others', [7], 7, 1],
    ['an element of three slots behind 4 others', [12, 13, 14], 4, 3],
    ['a field of an element behind 5 others', [11], 5, 2],
    ['the last of 5 elements', [4], 5, 1],
    ['the last element and the one behind it', [6, 7, 8, 9], 4, 2],
  ])('is %s', (_, distances, count, elementSize) => {
    expect(shapeAtEnd(distances, count)).toEqual({ elementSize, count })
  })

  it('is not where other elements were touched', () => {
    expect(shapeAtEnd([3], 1_000)).toBeUndefined()
    expect(shapeAtEnd([0, 1, 2, 3, 4, 5], 6)).toBeUndefined()
  })

  it('is the smallest of one element, else of two, that all slots belong to', () => {
    const distances = fc.array(fc.nat(40), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(distances, fc.nat(20), (behind, count) => {
        const sizes = Array.from({ length: MOST_ELEMENT }, (_, index) => index + 1)
        const isOf = (elementSize: number, elements: readonly number[]): boolean =>
          behind.every((distance) => elements.includes(Math.floor(distance / elementSize)))
        const elementSize =
          sizes.find((size) => isOf(size, [count]) || isOf(size, [count - 1])) ??
          sizes.find((size) => isOf(size, [count - 1, count]))
        const expected = elementSize === undefined ? undefined : { elementSize, count }
        expect(shapeAtEnd(behind, count)).toEqual(expected)
      }),
    )
  })

  it('is told by one slot where there are many elements, and not where there are few', () => {
    expect(shapeOfOne(2 * 1_000 + 1, 1_000)).toEqual({ elementSize: 2, count: 1_000 })
    expect(shapeOfOne(2 * 400, 1_000)).toBeUndefined()
    expect(shapeOfOne(2 * 10, 10)).toBeUndefined()
  })
})
