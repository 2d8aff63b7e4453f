// Rules from hand-made observations: the shapes that are recognized, and which source is believed.
// Authority on explaining; that rules are right in real executions is shown in learning.test.ts.
import { concatBytes } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Word } from '../../../plugin/bench/solidity.ts'
import { explain } from '../../../src/access/explain.ts'
import type { ObservedAccess, ObservedHash } from '../../../src/access/observation.ts'
import { framesOf } from '../../../src/access/observed-frames.ts'
import { formatRule } from '../../../src/access/rule.ts'
import type { TransactionFacts } from '../../../src/access/transaction-facts.ts'
import { HashIndex } from '../../../src/access/word-index.ts'
import { addressOf, callWith, coinbase, factsWith, hexOf, keccak, toWord } from './support/facts.ts'

const [sender, to] = [addressOf(0xa1), addressOf(0xc1)]
/** Addresses as they are: bytes that differ. */
const someAddress = (seed: number): Uint8Array => keccak(Uint8Array.of(seed)).slice(12)
const [token, other, pool] = [someAddress(1), someAddress(2), someAddress(3)]

/** As constants are written: without leading zeros. */
const short = (bytes: Uint8Array): string => hexOf(bytes).replace(/^0x0+/, '0x')

function slot(address: Uint8Array, key: Uint8Array, value?: Word): ObservedAccess {
  const held = value === undefined ? {} : { value: toWord(value) }
  return { field: 'slot', address, key, kind: 'read', ...held }
}

const hashed: ObservedHash[] = []
/** A hash that the execution computed. */
function hash(...parts: Uint8Array[]): Uint8Array {
  const preimage = concatBytes(...parts)
  hashed.push({ hash: keccak(preimage), preimage })
  return keccak(preimage)
}

function explained(
  accesses: readonly ObservedAccess[],
  facts: Partial<TransactionFacts> = {},
  hashes: readonly ObservedHash[] = hashed.splice(0),
): string[] {
  const all = factsWith(facts)
  const [frame] = framesOf(all, toWord(1n), { accesses, hashes }, keccak)
  return explain(frame!, new HashIndex(hashes), keccak).map(({ rule }) => formatRule(rule))
}

describe('an account', () => {
  const code = (address: Uint8Array): ObservedAccess => ({ field: 'code', address, kind: 'read' })

  it('is the recipient, the sender or the coinbase', () => {
    expect(explained([code(to), code(sender), code(coinbase)])).toEqual([
      'code to',
      'code sender',
      'code coinbase',
    ])
  })

  it('is the first argument that names it, or a packed one', () => {
    const call = callWith('f(uint256,address,address)', 7n, hexOf(token), hexOf(token))
    expect(explained([code(token)], call)).toEqual(['code data[1]'])
    const packed = concatBytes(Uint8Array.of(1, 2, 3, 4, 5), token, Uint8Array.of(6), other)
    expect(explained([code(token), code(other)], { data: packed })).toEqual([
      'code data(5, 20)',
      'code data(26, 20)',
    ])
  })

  it('is read from a slot, wherever in it', () => {
    const packed = (BigInt(hexOf(token)) << 48n) | 0x1234n
    expect(explained([slot(to, toWord(6n), packed), code(token)])).toEqual([
      'slot to 0x6',
      'code bytes(load(to, 0x6), 6, 20)',
    ])
  })

  it('is not explained by what was read after it', () => {
    const accesses = [code(token), slot(to, toWord(6n), hexOf(token))]
    expect(explained(accesses)[0]).toBe(`code ${short(token)}`)
  })

  it('is computed by CREATE2 from two tokens in order', () => {
    const [low, high] = Buffer.compare(token, other) < 0 ? [token, other] : [other, token]
    const call = callWith('f(address,address)', hexOf(high), hexOf(low))
    const initHash = keccak(Uint8Array.of(9))
    const made = hash(Uint8Array.of(0xff), pool, hash(low, high), initHash).slice(12)
    expect(explained([code(made)], call)).toEqual([
      `code bytes(keccak(0xff:1, ${short(pool)}:20, keccak(min(data[0], data[1]):20, ` +
        `max(data[0], data[1]):20), ${short(initHash)}), 12, 20)`,
    ])
  })

  it('is a constant where nothing else explains it, and for precompiles', () => {
    expect(explained([code(token)])).toEqual([`code ${short(token)}`])
    const precompile = toWord(4n).slice(12)
    expect(explained([code(precompile)], callWith('f(uint256)', 4n))).toEqual(['code 0x4'])
  })
})

describe('the key of a slot', () => {
  const call = callWith('f(address,uint256)', hexOf(token), 900n)

  it('is a variable of its own', () => {
    expect(explained([slot(to, toWord(900n))], call)).toEqual(['slot to 0x384'])
  })

  it('is an entry of a mapping, as Solidity and as Vyper order it', () => {
    const byAddress = hash(toWord(hexOf(token)), toWord(3n))
    const vyper = hash(toWord(3n), toWord(hexOf(sender)))
    const nested = hash(toWord(900n), hash(toWord(hexOf(sender)), toWord(4n)))
    expect(
      explained(
        [byAddress, vyper, nested].map((key) => slot(to, key)),
        call,
      ),
    ).toEqual([
      'slot to keccak(data[0], 0x3)',
      'slot to keccak(0x3, sender)',
      'slot to keccak(data[1], keccak(sender, 0x4))',
    ])
  })

  it('is a field of a struct behind an entry', () => {
    const entry = hash(toWord(hexOf(token)), toWord(3n))
    const field = toWord(BigInt(hexOf(entry)) + 2n)
    expect(explained([slot(to, field)], call)).toEqual(['slot to add(keccak(data[0], 0x3), 0x2)'])
  })

  it('is of a counter, or of the number before or after', () => {
    const of = (id: bigint): Uint8Array => hash(toWord(id), toWord(9n))
    const counter = slot(to, toWord(1n), 70_000n)
    expect(explained([counter, slot(to, of(70_000n)), slot(to, of(70_001n))])).toEqual([
      'slot to 0x1',
      'slot to keccak(load(to, 0x1), 0x9)',
      'slot to keccak(add(load(to, 0x1), 0x1), 0x9)',
    ])
    const minusOne = `0x${'f'.repeat(64)}`
    expect(explained([counter, slot(to, of(69_999n))])[1]).toBe(
      `slot to keccak(add(load(to, 0x1), ${minusOne}), 0x9)`,
    )
  })

  it('is an element of an array whose place the compiler computed', () => {
    const length: ObservedAccess = { ...slot(to, toWord(5n), 10n), kind: 'write' }
    const start = BigInt(hexOf(keccak(toWord(5n))))
    const pushed = [20n, 21n].map((index) => slot(to, toWord(start + index)))
    expect(explained([length, ...pushed])).toEqual([
      'slot to 0x5',
      'slot to add(keccak(0x5), times(load(to, 0x5), 2))',
      'slot to add(keccak(0x5), add(times(load(to, 0x5), 2), 0x1))',
    ])
    const named = callWith('f(uint256)', 6n)
    const read = [slot(to, toWord(5n), 10n), slot(to, toWord(start + 13n))]
    expect(explained(read, named)[1]).toBe('slot to add(keccak(0x5), add(times(data[0], 2), 0x1))')
  })

  it('is an element whose number is packed into a slot, or the new one behind many', () => {
    const length: ObservedAccess = { ...slot(to, toWord(5n), 1_000n), kind: 'write' }
    const start = BigInt(hexOf(keccak(toWord(5n))))
    const packed = slot(to, toWord(6n), (70_001n << 64n) | (2n ** 200n + 12n))
    const keys = [2_000n, 2n * 70_001n + 1n].map((distance) => slot(to, toWord(start + distance)))
    expect(explained([length, packed, ...keys])).toEqual([
      'slot to 0x5',
      'slot to 0x6',
      'slot to add(keccak(0x5), times(load(to, 0x5), 2))',
      'slot to add(keccak(0x5), add(times(bytes(load(to, 0x6), 20, 4), 2), 0x1))',
    ])
  })

  it('is believed to be the sender rather than an argument that equals it', () => {
    const toMyself = callWith('f(address)', hexOf(sender))
    const key = hash(toWord(hexOf(sender)), toWord(0n))
    expect(explained([slot(to, key)], toMyself)).toEqual(['slot to keccak(sender, 0x0)'])
  })

  it('is believed to be computed rather than read from a slot that holds it', () => {
    const key = hash(toWord(hexOf(sender)), toWord(0n))
    const accesses = [slot(to, toWord(1n), hexOf(key)), slot(to, key)]
    expect(explained(accesses)[1]).toBe('slot to keccak(sender, 0x0)')
  })

  it('is the same words for nobody: without a source it is a constant', () => {
    const unknown = keccak(Uint8Array.of(77))
    expect(explained([slot(to, unknown)])).toEqual([`slot to ${short(unknown)}`])
  })
})

describe('explaining', () => {
  it('ends with chains of hashes, also where each is used twice', () => {
    // Putting every part together anew would take 2^3000 steps; following all, 3000 calls in calls.
    for (const twice of [true, false]) {
      let last = toWord(hexOf(sender))
      for (let round = 0; round < 3_000; round++) last = hash(last, twice ? last : toWord(7n))
      expect(explained([slot(to, last)])).toHaveLength(1)
    }
  })

  it('ends where a forged observation says that a hash contains itself', () => {
    const self = keccak(Uint8Array.of(1))
    const forged = [{ hash: self, preimage: concatBytes(self, toWord(0n)) }]
    expect(explained([slot(to, self)], {}, forged)).toHaveLength(1)
  })

  it('never throws, and gives each access one rule, whatever was recorded', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const word = fc.oneof(bytes(32), fc.bigInt({ min: 0n, max: 9n }).map(toWord))
    const access = fc.record({
      field: fc.constant('slot' as const),
      address: fc.oneof(bytes(20), fc.constantFrom(to, sender)),
      key: word,
      kind: fc.constantFrom('read' as const, 'write' as const),
      value: fc.option(word, { nil: undefined }),
    })
    const observedHash = fc.record({ hash: word, preimage: fc.uint8Array({ maxLength: 300 }) })
    fc.assert(
      fc.property(
        fc.array(access),
        fc.array(observedHash),
        fc.uint8Array({ maxLength: 200 }),
        (accesses, hashes, data) => {
          expect(explained(accesses, { data }, hashes)).toHaveLength(accesses.length)
        },
      ),
    )
  })
})
