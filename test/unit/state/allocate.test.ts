// Holds the allocators of nodes to giving bytes that nobody else writes.
// Authority on which arrays share memory.
import { describe, expect, it } from 'vitest'

import { allocateAlone, createSharedAllocator } from '../../../src/state/allocate.ts'

describe('bytes for new nodes', () => {
  it('lie alone unless asked otherwise', () => {
    const bytes = allocateAlone(100)
    expect(bytes).toEqual(new Uint8Array(100))
    expect(bytes.buffer.byteLength).toBe(100)
  })

  it('share memory without sharing bytes', () => {
    const allocate = createSharedAllocator()
    const arrays = Array.from({ length: 300 }, (_, i) => allocate((i * 37) % 600))
    for (const [i, bytes] of arrays.entries()) {
      expect(bytes).toEqual(new Uint8Array((i * 37) % 600))
      bytes.fill(i & 255)
    }
    for (const [i, bytes] of arrays.entries()) {
      expect(bytes).toEqual(new Uint8Array((i * 37) % 600).fill(i & 255))
    }
    const buffers = new Set(arrays.map(({ buffer }) => buffer))
    expect(buffers.size).toBeGreaterThan(1)
    expect(buffers.size).toBeLessThan(10)
  })

  it('lie alone when they are many, so that little is wasted', () => {
    const allocate = createSharedAllocator()
    expect(allocate(5_000).buffer.byteLength).toBe(5_000)
    expect(allocate(50_000).buffer.byteLength).toBe(50_000)
  })
})
