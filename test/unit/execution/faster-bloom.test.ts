// Blooms with a memory against stock's, for entries that come again and entries that share a place.
// It must not patch stock's class: other tests of this thread use it.
import { Bloom } from '@ethereumjs/vm'
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { fasterAdd } from '../../../src/execution/faster-bloom.ts'

type Hash = (bytes: Uint8Array) => Uint8Array

function bloomOf(add: (entry: Uint8Array) => void, entries: Uint8Array[], hash: Hash = keccak_256) {
  const bloom = new Bloom()
  bloom.keccakFunction = hash
  for (const entry of entries) add.call(bloom, entry)
  return bloom.bitvector
}

const stock = Bloom.prototype.add
// Few bytes, so that entries repeat, and others share the bytes that choose their place.
const entry = fc
  .tuple(fc.constantFrom(0, 3, 4, 20, 32, 40), fc.integer({ min: 0, max: 3 }), fc.boolean())
  .map(([length, seed, isMarked]) => {
    const bytes = new Uint8Array(length).fill(seed)
    if (isMarked && length > 8) bytes[8] = 9
    return bytes
  })

describe('a bloom with a memory', () => {
  it('sets the bits that stock sets, whatever comes again', () => {
    fc.assert(
      fc.property(fc.array(fc.array(entry)), (blocks) => {
        const add = fasterAdd(stock)
        for (const entries of blocks) {
          expect(bloomOf(add, entries)).toEqual(bloomOf(stock, entries))
        }
      }),
    )
  })

  it('does not hash an entry twice in a row, and forgets all with another hash function', () => {
    const add = fasterAdd(stock)
    let calls = 0
    const counted: Hash = (bytes) => {
      calls++
      return keccak_256(bytes)
    }
    const topic = new Uint8Array(32).fill(7)
    bloomOf(add, [topic, topic], counted)
    bloomOf(add, [topic], counted)
    expect(calls).toBe(1)
    const reversed: Hash = (bytes) => keccak_256(bytes).reverse()
    expect(bloomOf(add, [topic], reversed)).toEqual(bloomOf(stock, [topic], reversed))
  })

  it('reads a hash from where stock reads it', () => {
    const shifted: Hash = (bytes) => {
      const room = new Uint8Array(40)
      room.set(keccak_256(bytes), 8)
      return room.subarray(8)
    }
    const topic = new Uint8Array(32).fill(7)
    expect(bloomOf(fasterAdd(stock), [topic], shifted)).toEqual(bloomOf(stock, [topic], shifted))
  })

  it('keeps an entry as it was when it was added', () => {
    const add = fasterAdd(stock)
    const topic = new Uint8Array(32).fill(7)
    bloomOf(add, [topic])
    topic[9] = 1
    expect(bloomOf(add, [topic])).toEqual(bloomOf(stock, [topic]))
  })
})
