// Holds the WebAssembly hash function to the one that ethereumjs uses, at all lengths that matter.
// Authority on nothing else.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'

import { loadKeccak } from '../../../src/state/keccak.ts'

describe('keccak', () => {
  it('hashes as the JavaScript one does, around its block size and its buffer size', async () => {
    const keccak = await loadKeccak()
    for (const length of [0, 1, 31, 32, 135, 136, 137, 272, 532, 16_383, 16_384, 16_385, 40_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255)
      expect(Buffer.from(keccak(bytes))).toEqual(Buffer.from(keccak_256(bytes)))
    }
  })

  it('gives a new array each time, and takes views that start within a buffer', async () => {
    const keccak = await loadKeccak()
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)
    const first = keccak(bytes.subarray(10, 60))
    const copy = Uint8Array.from(first)
    keccak(bytes)
    expect(first).toEqual(copy)
    expect(Buffer.from(first)).toEqual(Buffer.from(keccak_256(bytes.slice(10, 60))))
    expect(first.buffer.byteLength).toBe(32)
  })

  it('is loaded once per thread', async () => {
    expect(await loadKeccak()).toBe(await loadKeccak())
  })
})
