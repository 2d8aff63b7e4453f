// Holds byte strings in shared regions, with several views where threads would have theirs.
// Must not know how far a region grows at once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  REGION_HEADER_WORDS,
  RegionAllocator,
  SharedRegion,
} from '../../../src/memory/shared-region.ts'
import { readSizedBytes, writeSizedBytes } from '../../../src/memory/sized-bytes.ts'

const MIB = 1 << 20

/** An allocator that takes from its region just what is asked for. */
function exactAllocator(region: SharedRegion): RegionAllocator {
  return new RegionAllocator(region, 1)
}

describe('bytes with their length', () => {
  it('are read as they were written, by every view, whatever is written next to them', () => {
    const region = SharedRegion.create(MIB)
    const other = new SharedRegion(region.buffer)
    const strings = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(strings, (written) => {
        region.reset()
        const allocator = exactAllocator(region)
        const places = written.map((bytes) => writeSizedBytes(allocator, bytes))
        expect(places.map((at) => readSizedBytes(region, at))).toEqual(written)
        expect(places.map((at) => readSizedBytes(other, at))).toEqual(written)
      }),
    )
  })

  it('are a private copy once read', () => {
    const region = SharedRegion.create(MIB)
    const at = writeSizedBytes(exactAllocator(region), Uint8Array.of(1, 2, 3))
    const read = readSizedBytes(region, at)
    region.bytes.fill(9)
    expect(read).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('take one word and as many more as hold the bytes', () => {
    const region = SharedRegion.create(MIB)
    const allocator = exactAllocator(region)
    for (const length of [0, 1, 3, 4, 5, 32]) {
      const before = region.used()
      writeSizedBytes(allocator, new Uint8Array(length))
      expect(region.used() - before).toBe(1 + Math.ceil(length / 4))
    }
  })

  it('are read through a view that ends before them', () => {
    const region = SharedRegion.create(64 * MIB)
    const early = new SharedRegion(region.buffer)
    const allocator = exactAllocator(region)
    allocator.allocate(early.words.length)
    const at = writeSizedBytes(allocator, Uint8Array.of(1, 2, 3, 4, 5))
    expect(at).toBeGreaterThan(early.words.length)
    expect(readSizedBytes(early, at)).toEqual(Uint8Array.of(1, 2, 3, 4, 5))
  })

  it('are read through a view that ends in the middle of them, or just after their length', () => {
    for (const inView of [1, 2, 3, 4]) {
      const region = SharedRegion.create(64 * MIB)
      const early = new SharedRegion(region.buffer)
      const allocator = exactAllocator(region)
      allocator.allocate(early.words.length - REGION_HEADER_WORDS - inView)
      const bytes = Uint8Array.from({ length: 13 }, (_, index) => index + 1)
      const at = writeSizedBytes(allocator, bytes)
      expect(at).toBe(early.words.length - inView)
      expect(readSizedBytes(early, at)).toEqual(bytes)
    }
  })

  it('can end with the last word that a region may have', () => {
    const region = SharedRegion.create(MIB)
    const allocator = exactAllocator(region)
    const words = MIB / 4 - REGION_HEADER_WORDS
    const bytes = new Uint8Array((words - 1) * 4).fill(7)
    const at = writeSizedBytes(allocator, bytes)
    expect(region.used()).toBe(MIB / 4)
    expect(readSizedBytes(new SharedRegion(region.buffer), at)).toEqual(bytes)
  })

  it('that find no room are refused with STORE_FULL', () => {
    const region = SharedRegion.create(MIB)
    expect(() => writeSizedBytes(exactAllocator(region), new Uint8Array(MIB))).toThrow(
      expect.objectContaining({ code: 'STORE_FULL' }),
    )
  })
})
