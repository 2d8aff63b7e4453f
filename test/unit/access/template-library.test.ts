// Learning over many executions: what is credited, what is forgotten, and how much is kept.
// Authority on statistics and bounds. Executions are hand-made: a contract is a function from a call to
// what it touches.
import { describe, expect, it } from 'vitest'

import type { AccessKind } from '../../../src/access/access-sink.ts'
import { selectorOf } from '../../../src/access/call-shape.ts'
import { LocationSet } from '../../../src/access/location-set.ts'
import type { ObservedAccess, ObservedHash } from '../../../src/access/observation.ts'
import { TemplateLibrary } from '../../../src/access/template-library.ts'
import type { TransactionFacts } from '../../../src/access/transaction-facts.ts'
import {
  addressOf,
  callWith,
  entryOf,
  factsWith,
  hexOf,
  keccak,
  listed,
  toWord,
} from './support/facts.ts'

const to = addressOf(0xc1)
const code = keccak(Uint8Array.of(1))
const nothing = (): undefined => undefined

interface Done {
  readonly accesses: ObservedAccess[]
  readonly hashes: ObservedHash[]
}

/** Touches slots by their keys; a mapping's entry comes with the hash that gives its place. */
class Execution implements Done {
  readonly accesses: ObservedAccess[] = []
  readonly hashes: ObservedHash[] = []

  slot(number: bigint, kind: AccessKind = 'read', value = 0n): this {
    const key = toWord(number)
    this.accesses.push({ field: 'slot', address: to, key, kind, value: toWord(value) })
    return this
  }

  entry(slot: bigint, key: bigint | Uint8Array, kind: AccessKind = 'write'): this {
    const word = typeof key === 'bigint' ? toWord(key) : toWord(hexOf(key))
    const hash = entryOf(slot, word)
    this.hashes.push({ hash, preimage: Buffer.concat([word, toWord(slot)]) })
    this.accesses.push({ field: 'slot', address: to, key: hash, kind })
    return this
  }
}

function predicted(library: TemplateLibrary, facts: TransactionFacts, codeHash = code): string[] {
  const set = new LocationSet()
  library.predict(facts, codeHash, set, nothing)
  return listed(set)
}

function touched(execution: Done): string[] {
  const set = new LocationSet()
  for (const { field, address, key, kind } of execution.accesses) set.add(field, address, key, kind)
  return listed(set)
}

const call = (...words: bigint[]): TransactionFacts => factsWith(callWith('f()', ...words))

/** Runs a contract over many calls and counts how many were predicted exactly, as it learns. */
function exactOver(
  library: TemplateLibrary,
  calls: readonly TransactionFacts[],
  contract: (facts: TransactionFacts, index: number) => Execution,
): boolean[] {
  return calls.map((facts, index) => {
    const execution = contract(facts, index)
    const isExact = `${predicted(library, facts)}` === `${touched(execution)}`
    library.observe(facts, code, execution)
    return isExact
  })
}

const argumentOf = ({ data }: TransactionFacts, k: number): bigint =>
  BigInt(hexOf(data.slice(4 + 32 * k, 36 + 32 * k)))

describe('learning', () => {
  it('finds the flag that a branch depends on', () => {
    const library = new TemplateLibrary(keccak)
    const calls = Array.from({ length: 40 }, (_, index) =>
      call(BigInt(index % 3 === 0), 90_000n + BigInt(index)),
    )
    const exact = exactOver(library, calls, (facts) => {
      const id = argumentOf(facts, 1)
      return argumentOf(facts, 0) === 0n
        ? new Execution().entry(1n, id)
        : new Execution().entry(2n, id)
    })
    expect(exact.slice(4)).toEqual(Array(36).fill(true))
  })

  it('takes a location that is often written for written', () => {
    const library = new TemplateLibrary(keccak)
    const facts = call()
    library.observe(facts, code, new Execution().slot(1n, 'read').slot(2n, 'read'))
    for (let round = 0; round < 9; round++) {
      const kind = round % 2 === 0 ? 'write' : 'read'
      library.observe(facts, code, new Execution().slot(1n, kind).slot(2n, 'read'))
    }
    expect(predicted(library, facts).map((line) => line.split(' ').at(-1))).toEqual([
      'write',
      'read',
    ])
  })

  it('drops a rule that goes wrong more often than not, and takes it back when it is right again', () => {
    const library = new TemplateLibrary(keccak)
    const facts = call()
    const withExtra = (): Execution => new Execution().slot(1n).slot(2n)
    library.observe(facts, code, withExtra())
    expect(predicted(library, facts)).toHaveLength(2)
    for (let round = 0; round < 4; round++) library.observe(facts, code, new Execution().slot(1n))
    expect(predicted(library, facts)).toHaveLength(1)
    for (let round = 0; round < 6; round++) library.observe(facts, code, withExtra())
    expect(predicted(library, facts)).toHaveLength(2)
  })

  it('explains away a rule that was right by chance', () => {
    const library = new TemplateLibrary(keccak)
    const mine = factsWith(callWith('f(address)', hexOf(addressOf(0xa1))))
    // The key is the argument, which at first is always the sender.
    const contract = (facts: TransactionFacts): Execution =>
      new Execution().entry(0n, argumentOf(facts, 0))
    for (let round = 0; round < 12; round++) library.observe(mine, code, contract(mine))
    const others = Array.from({ length: 12 }, (_, index) =>
      factsWith(callWith('f(address)', hexOf(keccak(Uint8Array.of(index)).subarray(12)))),
    )
    const calls = others.flatMap((other) => [other, mine])
    const exact = exactOver(library, calls, contract)
    expect(exact.slice(-8)).toEqual(Array(8).fill(true))
  })

  it('rests longer and longer where what it learns is of no use', () => {
    const library = new TemplateLibrary(keccak)
    let curious = 0
    for (let round = 0; round < 400; round++) {
      if (library.isCurious(call(), code)) curious++
      // Three slots that are always right, and a key that nothing explains.
      const random = BigInt(hexOf(keccak(toWord(BigInt(round)))))
      const execution = new Execution().slot(1n).slot(2n).slot(3n).entry(1n, random)
      library.observe(call(), code, execution)
    }
    expect(curious).toBeLessThan(16)
  })

  it('forgets all where a contract has become another', () => {
    const library = new TemplateLibrary(keccak)
    const before = new Execution().slot(1n).slot(2n)
    const after = new Execution().slot(9n)
    for (let round = 0; round < 50; round++) library.observe(call(), code, before)
    for (let round = 0; round < 10; round++) library.observe(call(), code, after)
    // Each rule alone would be believed until it has gone wrong as often as it was right.
    expect(predicted(library, call())).toEqual([])
    expect(library.isCurious(call(), code)).toBe(false)
    for (let round = 0; round < 40; round++) library.observe(call(), code, after)
    expect(predicted(library, call())).toEqual(touched(after))
  })

  it('learns again at once after predictions that were right', () => {
    const library = new TemplateLibrary(keccak)
    const execution = new Execution()
    // One more slot each time: each lesson makes the rest after the next one longer.
    for (let slot = 0; slot < 40; slot++)
      library.observe(call(), code, execution.slot(BigInt(slot)))
    expect(library.isCurious(call(), code)).toBe(false)
    for (let round = 0; round < 200; round++) library.observe(call(), code, execution)
    library.observe(call(), code, execution.slot(100n))
    expect(library.isCurious(call(), code)).toBe(true)
  })

  it('does not expect what it sees late of calls with flags that went by without it', () => {
    const library = new TemplateLibrary(keccak)
    for (const flag of [0n, 1n, 1n]) library.observe(call(flag), code, new Execution().slot(1n))
    const more = new Execution().slot(1n).slot(2n)
    library.observe(call(0n), code, more)
    expect(predicted(library, call(1n))).toEqual(touched(new Execution().slot(1n)))
    expect(predicted(library, call(0n))).toEqual(touched(more))
  })

  it('counts a confirmed prediction as right', () => {
    const library = new TemplateLibrary(keccak)
    const facts = call()
    library.observe(facts, code, new Execution().slot(1n, 'write'))
    const confidences: number[] = []
    const sink = new LocationSet()
    sink.slot = (_address, _key, _kind, confidence?: number) => {
      confidences.push(confidence!)
    }
    library.predict(facts, code, sink, nothing)
    for (let round = 0; round < 20; round++) library.confirm(facts, code)
    library.predict(facts, code, sink, nothing)
    expect(confidences[1]).toBeGreaterThan(confidences[0]!)
    expect(confidences[1]).toBeLessThan(100)
  })

  it('leaves out accounts that the execution itself made', () => {
    const library = new TemplateLibrary(keccak)
    const made = keccak(Uint8Array.of(5)).slice(12)
    library.observe(call(), code, {
      accesses: [
        { field: 'existence', address: made, kind: 'write' },
        { field: 'slot', address: made, key: toWord(1n), kind: 'write' },
        { field: 'slot', address: to, key: toWord(1n), kind: 'write' },
      ],
      hashes: [],
    })
    expect(predicted(library, call())).toEqual([`slot ${hexOf(to)}/${hexOf(toWord(1n))} write`])
  })
})

describe('the library', () => {
  it('keeps at most so many rules of a template, writes before reads', () => {
    const library = new TemplateLibrary(keccak, { maxEntries: 3 })
    const execution = new Execution().slot(1n).slot(2n).slot(3n, 'write').slot(4n).slot(5n, 'write')
    library.observe(call(), code, execution)
    const kinds = predicted(library, call()).map((line) => line.split(' ').at(-1))
    expect(kinds.sort()).toEqual(['read', 'write', 'write'])
  })

  it('keeps at most so many templates, and those used last', () => {
    const library = new TemplateLibrary(keccak, { maxTemplates: 16 })
    const codeOf = (number: number): Uint8Array => keccak(Uint8Array.of(number))
    const first = codeOf(0)
    for (let number = 0; number < 60; number++) {
      library.observe(call(), codeOf(number), new Execution().slot(1n))
      expect(predicted(library, call(), first)).toHaveLength(1)
      expect(library.size).toBeLessThanOrEqual(16)
    }
    expect(library.knows(call(), codeOf(59))).toBe(true)
    expect(library.knows(call(), codeOf(1))).toBe(false)
  })

  it.each([
    ['maxTemplates', { maxTemplates: 0 }],
    ['maxEntries', { maxEntries: 1.5 }],
  ])('refuses a bad %s', (name, options) => {
    expect(() => new TemplateLibrary(keccak, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })

  it('tells functions apart, and calls without one', () => {
    const library = new TemplateLibrary(keccak)
    const datas = [[], [1], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 5], [255, 255, 255, 255]]
    const selectors = datas.map((data) => selectorOf(Uint8Array.from(data)))
    expect(new Set(selectors).size).toBe(5)
    for (const [index, data] of datas.entries()) {
      const facts = factsWith({ data: Uint8Array.from(data) })
      library.observe(facts, code, new Execution().slot(BigInt(index === 2 ? 1 : index)))
    }
    for (const [index, data] of datas.entries()) {
      const slot = BigInt(index === 2 ? 1 : index)
      const facts = factsWith({ data: Uint8Array.from(data) })
      expect(predicted(library, facts)).toEqual(touched(new Execution().slot(slot)))
    }
  })

  it('says what was not known, and speaks of the rest', () => {
    const library = new TemplateLibrary(keccak)
    const counter = 80_000n
    library.observe(call(), code, new Execution().slot(1n, 'write', counter).entry(2n, counter))
    const set = new LocationSet()
    expect(library.predict(call(), code, set, nothing)).toBe('partial')
    expect(set.size).toBe(1)
    expect(library.predict(call(), code, set, () => toWord(81_000n))).toBe('whole')
    expect(set.size).toBe(2)
    expect(library.predict(call(), keccak(code), set, nothing)).toBe('none')
  })
})
