// Holds the log of hashes to what was hashed by whom: interleaved lanes, limits, and the way through memory.
// What is made of a preimage is access/'s matter.
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { PreimageLog, readPreimages } from '../../../src/execution/preimage-log.ts'
import type { TxIndex } from '../../../src/ids.ts'
import { RegionAllocator, SharedRegion } from '../../../src/memory/shared-region.ts'

const [first, second] = [0, 1] as TxIndex[] as [TxIndex, TxIndex]

function setUp() {
  const region = SharedRegion.create(1 << 20)
  const allocator = new RegionAllocator(region)
  const log = new PreimageLog()
  const hash = log.watch(keccak_256)
  /** What the log has of a transaction whose incarnation ends now. */
  const finish = (transaction: TxIndex): Uint8Array[] =>
    readPreimages(region, log.finish(transaction, allocator)).map(({ preimage }) => preimage)
  return { log, hash, finish, region, allocator }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

describe('the log of hashes', () => {
  it('changes no hash', () => {
    const { log, hash } = setUp()
    const bytes = text('anything')
    expect(hash(bytes)).toEqual(keccak_256(bytes))
    log.begin(first, true)
    expect(hash(bytes)).toEqual(keccak_256(bytes))
  })

  it('gives back any inputs with their hashes, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 256 }), { maxLength: 20 }), (inputs) => {
        const { log, hash, region, allocator } = setUp()
        log.begin(first, true)
        for (const input of inputs) hash(input)
        const read = readPreimages(region, log.finish(first, allocator))
        expect(read).toEqual(inputs.map((preimage) => ({ hash: keccak_256(preimage), preimage })))
      }),
    )
  })

  it('keeps copies: callers use their buffers again', () => {
    const { log, hash, region, allocator } = setUp()
    const buffer = text('abc')
    log.begin(first, true)
    const result = hash(buffer)
    buffer.fill(0)
    result.fill(0)
    const [entry] = readPreimages(region, log.finish(first, allocator))
    expect(entry).toEqual({ hash: keccak_256(text('abc')), preimage: text('abc') })
  })

  it('keeps nothing of who is not to be recorded, nor of what is hashed in between', () => {
    const { log, hash, finish } = setUp()
    hash(text('before'))
    log.begin(first, false)
    hash(text('unwanted'))
    expect(finish(first)).toEqual([])
    hash(text('after'))
    log.begin(second, true)
    expect(finish(second)).toEqual([])
  })

  it('knows which lane goes on', () => {
    const { log, hash, finish } = setUp()
    log.begin(first, true)
    hash(text('1a'))
    log.begin(second, true)
    hash(text('2a'))
    log.resume(first)
    hash(text('1b'))
    log.resume(second)
    hash(text('2b'))
    expect(finish(second)).toEqual([text('2a'), text('2b')])
    log.resume(first)
    hash(text('1c'))
    expect(finish(first)).toEqual([text('1a'), text('1b'), text('1c')])
  })

  it('gives a lane that is not recorded nothing of another', () => {
    const { log, hash, finish } = setUp()
    log.begin(first, true)
    log.begin(second, false)
    hash(text('2'))
    log.resume(first)
    expect(finish(first)).toEqual([])
  })

  it('begins anew with each incarnation', () => {
    const { log, hash, finish } = setUp()
    log.begin(first, true)
    hash(text('old'))
    log.begin(first, true)
    hash(text('new'))
    expect(finish(first)).toEqual([text('new')])
    expect(finish(first)).toEqual([])
  })

  it('forgets what a block that was broken off has left', () => {
    const { log, hash, finish } = setUp()
    log.begin(first, true)
    hash(text('old'))
    log.clear()
    hash(text('between'))
    log.resume(first)
    hash(text('late'))
    expect(finish(first)).toEqual([])
  })

  it('leaves out inputs that are data, and not places', () => {
    const { log, hash, finish } = setUp()
    log.begin(first, true)
    hash(new Uint8Array(257))
    hash(new Uint8Array(256))
    expect(finish(first)).toEqual([new Uint8Array(256)])
  })

  it('stops at some number, so that a loop does not fill memory', () => {
    const { log, hash, finish } = setUp()
    log.begin(first, true)
    for (let i = 0; i < 600; i++) hash(Uint8Array.of(i & 0xff, i >> 8))
    const kept = finish(first)
    expect(kept.length).toBe(512)
    expect(kept[511]).toEqual(Uint8Array.of(255, 1))
  })

  it('takes no memory where nothing was hashed', () => {
    const { log, region, allocator } = setUp()
    const used = region.used()
    log.begin(first, true)
    expect(log.finish(first, allocator)).toBe(0)
    expect(readPreimages(region, 0)).toEqual([])
    expect(region.used()).toBe(used)
  })

  it('that finds no room is refused with STORE_FULL', () => {
    const { log, hash } = setUp()
    const region = SharedRegion.create(256)
    log.begin(first, true)
    for (let i = 0; i < 20; i++) hash(new Uint8Array(64).fill(i))
    const finish = (): number => log.finish(first, new RegionAllocator(region, 16))
    expect(finish).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
  })
})
