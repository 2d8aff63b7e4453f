// Holds that a recorded set arrives whole in the block region, wherever that has to grow for it.
// Must not know what the entries of a set mean.
import { describe, expect, it } from 'vitest'
import { RegionAllocator, SharedRegion } from '../../../src/memory/shared-region.ts'
import { copyRecorded, type Recorder } from '../../../src/mvcc/recorded-set.ts'

const MIB = 1 << 20

/** As much as the recorders of src/ write: a length and as many words. */
function recorderOf(words: number): Recorder {
  return {
    words,
    copyTo: (target, at) => {
      target[at] = words
      target.fill(7, at + 1, at + 1 + words)
    },
  }
}

describe('a recorded set', () => {
  it('is copied into words that no other set has', () => {
    const region = SharedRegion.create(MIB)
    const allocator = new RegionAllocator(region, 16)
    const sizes = [0, 3, 40, 0, 1]
    const places = sizes.map((words) => copyRecorded(recorderOf(words), allocator))
    for (const [index, at] of places.entries()) {
      expect([...region.words.slice(at, at + 1 + sizes[index]!)]).toEqual([
        sizes[index],
        ...new Array(sizes[index]!).fill(7),
      ])
    }
  })

  it('is copied whole where the region has to grow for it', () => {
    const region = SharedRegion.create(64 * MIB)
    const before = region.words.length
    const at = copyRecorded(recorderOf(before), new RegionAllocator(region))
    expect([region.words[at], region.words[at + before]]).toEqual([before, 7])
  })

  it('that finds no room is refused with STORE_FULL', () => {
    const allocator = new RegionAllocator(SharedRegion.create(MIB))
    expect(() => copyRecorded(recorderOf(MIB), allocator)).toThrow(
      expect.objectContaining({ code: 'STORE_FULL' }),
    )
  })
})
