// Holds growth and allocation of shared regions, with several views where threads would have theirs.
// Must not know how far a region grows at once.
import { describe, expect, it } from 'vitest'

import { ParallelError } from '../../../src/errors.ts'
import {
  REGION_HEADER_WORDS,
  RegionAllocator,
  SharedRegion,
} from '../../../src/memory/shared-region.ts'

const MIB = 1 << 20

function failureOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

describe('a shared region', () => {
  it('hands out words that do not overlap, to all views of it', () => {
    const one = SharedRegion.create(MIB)
    const other = new SharedRegion(one.buffer)
    const taken = [one.allocate(5), other.allocate(7), one.allocate(1), other.allocate(3)]
    expect(taken).toEqual([0, 5, 12, 13].map((offset) => REGION_HEADER_WORDS + offset))
    expect(one.used()).toBe(REGION_HEADER_WORDS + 16)
  })

  it('never hands out word 0, which means none', () => {
    expect(SharedRegion.create(MIB).allocate(1)).toBeGreaterThan(0)
  })

  it('grows, and keeps what was written', () => {
    const region = SharedRegion.create(64 * MIB)
    const before = region.words.length
    const early = region.allocate(1)
    region.words[early] = 42
    const late = region.allocate(before)
    expect(region.words.length).toBeGreaterThanOrEqual(late + before)
    region.words[late + before - 1] = 43
    expect(region.words[early]).toBe(42)
    expect(region.bytes.length).toBe(region.words.length * 4)
  })

  it('shows another view, which reaches for it, what was written where only one had grown', () => {
    const one = SharedRegion.create(64 * MIB)
    const other = new SharedRegion(one.buffer)
    const far = one.allocate(one.words.length) + one.words.length - 1 - REGION_HEADER_WORDS
    one.words[far] = 42
    expect(other.reach(far)[far]).toBe(42)
    expect(other.words).toBe(other.reach(far))
  })

  it('lets a view allocate beyond what another has grown in the meantime', () => {
    const one = SharedRegion.create(64 * MIB)
    const other = new SharedRegion(one.buffer)
    const half = one.words.length
    one.allocate(4 * half)
    const mine = other.allocate(half)
    other.words[mine + half - 1] = 7
    expect(one.reach(mine + half - 1)[mine + half - 1]).toBe(7)
  })

  it('keeps its view while an index lies within it', () => {
    const region = SharedRegion.create(64 * MIB)
    const view = region.words
    expect(region.reach(view.length - 1)).toBe(view)
  })

  it('refuses what lies past its limit with STORE_FULL, and says so until it is dropped', () => {
    const region = SharedRegion.create(MIB)
    const words = MIB / 4 - REGION_HEADER_WORDS
    expect(region.exhausted).toBe(false)
    region.allocate(words)
    const error = failureOf(() => region.allocate(1))
    expect(error).toBeInstanceOf(ParallelError)
    expect(error).toMatchObject({ code: 'STORE_FULL', message: expect.stringContaining('MiB') })
    expect(region.exhausted).toBe(true)
  })

  it('can be filled to its last word', () => {
    const region = SharedRegion.create(16 * MIB)
    const last = region.allocate(4 * MIB - REGION_HEADER_WORDS) + 4 * MIB - REGION_HEADER_WORDS - 1
    region.words[last] = 5
    expect(last).toBe(4 * MIB - 1)
    expect(region.words[last]).toBe(5)
  })

  it('starts again from its first word after a reset', () => {
    const region = SharedRegion.create(MIB)
    const first = region.allocate(100)
    region.reset()
    expect(region.allocate(1)).toBe(first)
  })
})

describe("a thread's allocator", () => {
  it('takes words from the region in chunks and hands them out one after the other', () => {
    const region = SharedRegion.create(MIB)
    const allocator = new RegionAllocator(region, 10)
    const taken = [3, 3, 3].map((count) => allocator.allocate(count))
    expect(taken).toEqual([0, 3, 6].map((offset) => REGION_HEADER_WORDS + offset))
    expect(region.used()).toBe(REGION_HEADER_WORDS + 10)
  })

  it('takes a new chunk rather than hand out words that are not next to each other', () => {
    const region = SharedRegion.create(MIB)
    const mine = new RegionAllocator(region, 10)
    const theirs = new RegionAllocator(region, 10)
    mine.allocate(8)
    theirs.allocate(1)
    expect(mine.allocate(3)).toBe(REGION_HEADER_WORDS + 20)
  })

  it('serves what is larger than a chunk', () => {
    const region = SharedRegion.create(MIB)
    const allocator = new RegionAllocator(region, 10)
    const large = allocator.allocate(100)
    const next = allocator.allocate(1)
    expect(next).toBe(large + 100)
  })

  it('never hands out the same word as the allocator of another thread', () => {
    const region = SharedRegion.create(MIB)
    const allocators = [1, 2, 3].map(() => new RegionAllocator(region, 16))
    const owners = new Map<number, number>()
    for (let round = 0; round < 200; round++) {
      allocators.forEach((allocator, owner) => {
        const count = 1 + ((round * 7 + owner * 5) % 20)
        const first = allocator.allocate(count)
        for (let word = first; word < first + count; word++) {
          expect(owners.has(word)).toBe(false)
          owners.set(word, owner)
        }
      })
    }
  })

  it('gives up its stock when it is told that the region was reset', () => {
    const region = SharedRegion.create(MIB)
    const allocator = new RegionAllocator(region, 10)
    const first = allocator.allocate(4)
    region.reset()
    allocator.forget()
    expect(allocator.allocate(4)).toBe(first)
    expect(region.used()).toBe(REGION_HEADER_WORDS + 10)
  })
})
