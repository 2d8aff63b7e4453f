// The analysis of code is what stock finds in it, and is made once as long as there is room.
// Must not say how it is kept.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { CodeAnalysis, CodeAnalysisCache } from '../../../src/execution/code-analysis.ts'
import { findStockInterpreter } from '../../../src/execution/stock-interpreter.ts'

const seed = Date.now() & 0x7fff_ffff

type Analyse = (code: Uint8Array) => { jumps: Uint8Array; pushes: Record<number, bigint> }
let stockAnalysis: Analyse
beforeAll(async () => {
  const { prototype } = await findStockInterpreter()
  const { _getValidJumpDestinations: analyse } = prototype as unknown as {
    _getValidJumpDestinations: Analyse
  }
  const self = { lookupOpInfo: () => undefined, common: { isActivatedEIP: () => false } }
  stockAnalysis = (code) => analyse.call(self, code)
})

const code = fc
  .array(fc.oneof(fc.constantFrom(0x5b, 0x5b, 0x60, 0x61, 0x67, 0x7f), fc.nat(255)), {
    maxLength: 90,
  })
  .map((bytes) => Uint8Array.from(bytes))

describe('the analysis of code', () => {
  it(`has stock's jump destinations and pushes, also at the end (seed ${seed})`, () => {
    fc.assert(
      fc.property(code, (bytes) => {
        const stock = stockAnalysis(bytes)
        const ours = new CodeAnalysis(bytes)
        expect(ours.jumps).toEqual(stock.jumps)
        for (const [at, value] of Object.entries(stock.pushes)) {
          const length = bytes[Number(at) - 1]! - 0x5f
          expect(ours.push(Number(at), length)).toBe(value)
          expect(ours.push(Number(at), length)).toBe(value)
        }
      }),
      { numRuns: 2000, seed },
    )
  })
})

describe('kept analyses', () => {
  it('are made once per array, and not shared between arrays', () => {
    const cache = new CodeAnalysisCache(1 << 20)
    const one = Uint8Array.of(0x5b, 0)
    const other = Uint8Array.of(0, 0x5b)
    expect(cache.of(one)).toBe(cache.of(one))
    expect(cache.of(other).jumps).toEqual(Uint8Array.of(0, 1))
    expect(cache.of(one).jumps).toEqual(Uint8Array.of(1, 0))
  })

  it('are forgotten when others need the room, unless they are asked for', () => {
    const cache = new CodeAnalysisCache(1 << 16)
    const codes = Array.from({ length: 100 }, () => new Uint8Array(1024))
    const first = cache.of(codes[0]!)
    const second = cache.of(codes[1]!)
    for (const other of codes.slice(2)) {
      cache.of(other)
      expect(cache.of(codes[0]!)).toBe(first)
    }
    expect(cache.of(codes[1]!)).not.toBe(second)
  })
})
