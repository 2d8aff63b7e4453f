// Holds the hash to its promise: keys that differ in chosen places collide no more often than by chance.
// Authority on families of keys that somebody could choose; must not know how hashes are made.
import { describe, expect, it } from 'vitest'
import { hashKey, keyedHash } from '../../../src/memory/keyed-hash.ts'

const SEEDS = [0, 1, 77, 0x7fff_ffff, 0xffff_ffff]
const ACCOUNT = 4321

/** Any key will do to start from. */
const base = Uint8Array.from({ length: 32 }, (_, i) => (i * 151 + 29) & 255)

function flipped(...bits: number[]): Uint8Array {
  const bytes = Uint8Array.from(base)
  for (const bit of bits) bytes[bit >> 3]! ^= 1 << (bit & 7)
  return bytes
}

/** Pairs among `keys` that the hash cannot tell apart by the bits of `mask`. */
function collisions(keys: readonly Uint8Array[], seed: number, mask: number): number {
  const key = hashKey(seed)
  const counts = new Map<number, number>()
  let pairs = 0
  for (const bytes of keys) {
    const hash = keyedHash(key, ACCOUNT, bytes) & mask
    const count = counts.get(hash) ?? 0
    pairs += count
    counts.set(hash, count + 1)
  }
  return pairs
}

describe('a keyed hash', () => {
  it('tells all keys apart that differ from one in two bits, whatever the seed', () => {
    const keys: Uint8Array[] = []
    for (let one = 0; one < 256; one++) {
      for (let other = 0; other < one; other++) keys.push(flipped(one, other))
    }
    for (const seed of SEEDS) expect(collisions(keys, seed, -1)).toBeLessThan(3)
  })

  it('lets no more keys share a bucket than chance does, however they differ', () => {
    // A few bits of each word, in all combinations, and the same bits of the next word turned.
    const families = [1, 12, 28, 31].map((shift) =>
      Array.from({ length: 2 ** 14 }, (_, chosen) => {
        const bytes = Uint8Array.from(base)
        const view = new DataView(bytes.buffer)
        for (let word = 0; word < 7; word++) {
          const difference = ((chosen >> (2 * word)) & 3) << shift
          view.setInt32(word * 4, view.getInt32(word * 4) ^ difference)
          const turned = (difference << 13) | (difference >>> 19)
          view.setInt32(word * 4 + 4, view.getInt32(word * 4 + 4) ^ turned)
        }
        return bytes
      }),
    )
    for (const keys of families) {
      // Those with a shift of 31 have one bit of two, so each key comes several times.
      const unlike = [...new Map(keys.map((bytes) => [bytes.join(), bytes])).values()]
      const byChance = unlike.length ** 2 / 2 / 2 ** 16
      const mean =
        SEEDS.reduce((sum, seed) => sum + collisions(unlike, seed, 0x1fffe), 0) / SEEDS.length
      expect(mean).toBeLessThan(byChance * 2 + 1)
    }
  })

  it('depends on the number, on the seed, and on every bit', () => {
    const key = hashKey(5)
    const hash = keyedHash(key, ACCOUNT, base)
    expect(keyedHash(key, ACCOUNT, base)).toBe(hash)
    for (let bit = 0; bit < 32; bit++) {
      expect(keyedHash(key, ACCOUNT ^ (1 << bit), base)).not.toBe(hash)
      expect(keyedHash(hashKey(5 ^ (1 << bit)), ACCOUNT, base)).not.toBe(hash)
    }
    for (let bit = 0; bit < 256; bit++) {
      expect(keyedHash(key, ACCOUNT, flipped(bit))).not.toBe(hash)
    }
  })
})
