// Which element of a dynamic array, and how large elements are, judged by what was touched behind its
// start. Authority on telling "the new last element" from an element by number.
// Must not know where the words come from.

/** Slots that one element may take and still be recognized. */
export const MOST_ELEMENT = 8

export interface ArrayShape {
  /** In slots. */
  readonly elementSize: number
  /** How many elements there were before. */
  readonly count: number
}

/**
 * The shape under which all touched slots belong to the element behind the end, or to the last one, or
 * to both (a checkpoint is read before the next one is written); undefined where there is none.
 * `distances`: from the array's start, in slots, at least one. One element is preferred to two, and
 * small elements to large ones.
 */
export function shapeAtEnd(distances: readonly number[], count: number): ArrayShape | undefined {
  let [nearest, farthest] = [Number.POSITIVE_INFINITY, 0]
  for (const distance of distances) {
    nearest = Math.min(nearest, distance)
    farthest = Math.max(farthest, distance)
  }
  for (const isOne of [true, false]) {
    for (let elementSize = 1; elementSize <= MOST_ELEMENT; elementSize++) {
      // Between the two are all the others.
      const first = Math.floor(nearest / elementSize)
      const last = Math.floor(farthest / elementSize)
      const isAtEnd = first >= count - 1 && last <= count
      if (isAtEnd && (!isOne || first === last)) return { elementSize, count }
    }
  }
  return undefined
}

/** Behind so many elements, one slot tells by itself which element it is: sizes do not overlap. */
const MANY = 64

/** The same for one slot of an array of many elements, where others were touched elsewhere. */
export function shapeOfOne(distance: number, count: number): ArrayShape | undefined {
  return count < MANY ? undefined : shapeAtEnd([distance], count)
}
