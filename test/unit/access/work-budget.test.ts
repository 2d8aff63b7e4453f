// What learning and predicting may cost, counted in looks and hashes: no input makes them go on.
// Authority on the bounds, not on what is learned within them. No clocks: machines differ.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { AccessSink } from '../../../src/access/access-sink.ts'
import { explain } from '../../../src/access/explain.ts'
import { LocationSet } from '../../../src/access/location-set.ts'
import type { Observation, ObservedAccess, ObservedHash } from '../../../src/access/observation.ts'
import { framesOf } from '../../../src/access/observed-frames.ts'
import { formatRule } from '../../../src/access/rule.ts'
import { importTemplates } from '../../../src/access/template-json.ts'
import { TemplateLibrary } from '../../../src/access/template-library.ts'
import type { TransactionFacts } from '../../../src/access/transaction-facts.ts'
import { HashIndex } from '../../../src/access/word-index.ts'
import {
  MOST_LESSON_WORK,
  MOST_PREDICTION_WORK,
  WORK,
  WorkBudget,
} from '../../../src/access/work-budget.ts'
import { addressOf, factsWith, hexOf, keccak, listed, toWord } from './support/facts.ts'

const to = addressOf(0xc1)
const code = keccak(Uint8Array.of(1))
const arrayStart = BigInt(hexOf(keccak(toWord(0n))))

/** A call that reads an array's length, and then every so many slots behind its start. */
function arrayCall(
  slots: number,
  step: bigint,
  kind: 'read' | 'write',
  isHashed: boolean,
): Observation {
  const accesses: ObservedAccess[] = [
    { field: 'slot', address: to, key: toWord(0n), kind, value: toWord(1_000n) },
  ]
  for (let i = 1n; i < slots; i++) {
    const key = toWord(arrayStart + i * step)
    accesses.push({ field: 'slot', address: to, key, kind: 'read', value: toWord(7n) })
  }
  const preimage = toWord(0n)
  return { accesses, hashes: isHashed ? [{ hash: keccak(preimage), preimage }] : [] }
}

/** How often the keys of the accesses are looked at. */
function countLooks(accesses: readonly ObservedAccess[], run: (watched: ObservedAccess[]) => void) {
  let looks = 0
  const watched = accesses.map(({ key, ...rest }) => ({
    ...rest,
    get key() {
      looks++
      return key
    },
  }))
  run(watched as ObservedAccess[])
  return looks
}

function explained(
  { accesses, hashes }: Observation,
  work: WorkBudget,
  facts: TransactionFacts = factsWith(),
): string[] {
  const [frame] = framesOf(facts, code, { accesses, hashes }, keccak)
  return explain(frame!, new HashIndex(hashes), keccak, work).map(({ rule }) => formatRule(rule))
}

describe('a lesson', () => {
  it.each([
    ['scattered slots of an array', 100_003n, 'read', true],
    ['scattered slots of an array that grows', 100_003n, 'write', true],
    ['an array from start to end', 1n, 'read', true],
    ['an array whose place the compiler computed', 1n, 'write', false],
  ] as const)('looks at each access a few times with %s', (_, step, kind, isHashed) => {
    const slots = 900
    const { accesses, hashes } = arrayCall(slots, step, kind, isHashed)
    const looks = countLooks(accesses, (watched) => {
      const unlimited = new WorkBudget(Number.POSITIVE_INFINITY)
      expect(explained({ accesses: watched, hashes }, unlimited)).toHaveLength(slots)
    })
    expect(looks).toBeLessThan(20 * slots)
  })

  it('looks at accounts that it made once, and not for each location without a source', () => {
    const accesses: ObservedAccess[] = []
    for (let i = 0n; i < 200n; i++) {
      const address = keccak(toWord(i)).slice(12)
      accesses.push({ field: 'code', address, kind: 'read' })
    }
    let looks = 0
    const watched = accesses.map(({ field, ...rest }) => ({
      ...rest,
      get field() {
        looks++
        return field
      },
    }))
    new TemplateLibrary(keccak).observe(factsWith(), code, { accesses: watched, hashes: [] })
    expect(looks).toBeLessThan(10 * accesses.length)
  })

  it('reads no more of the calldata than its work allows', () => {
    // Nearly every place of the calldata begins like every address.
    const data = new Uint8Array(4_096).fill(7)
    const accesses = Array.from({ length: 64 }, (_, i): ObservedAccess => {
      const address = new Uint8Array(20).fill(7)
      address[19] = 100 + i
      return { field: 'code', address, kind: 'read' }
    })
    let reads = 0
    const watched = new Proxy(data, {
      get(target, name) {
        if (name === 'length') return target.length
        reads++
        return target[Number(name)]
      },
    })
    const work = new WorkBudget(4_000)
    const facts = factsWith()
    const [frame] = framesOf(facts, code, { accesses, hashes: [] }, keccak)
    explain({ ...frame!, facts: { ...facts, data: watched } }, new HashIndex([]), keccak, work)
    expect(reads).toBeGreaterThan(data.length)
    // One step more than the budget is begun at most: the search of all calldata for one address.
    expect(reads).toBeLessThan(4_000 * 32 + data.length * 21)
  })

  it('composes no more hashes than its work allows, however they hang together', () => {
    const hashes: ObservedHash[] = []
    const all = [keccak(toWord(5n))]
    for (let i = 0; i < 400; i++) {
      const parts = Array.from({ length: 8 }, (_, k) => all[Math.max(0, all.length - 1 - 3 * k)]!)
      const preimage = Uint8Array.from(Buffer.concat(parts))
      all.push(keccak(preimage))
      hashes.push({ hash: all.at(-1)!, preimage })
    }
    const key = all.at(-1)!
    const accesses: ObservedAccess[] = [{ field: 'slot', address: to, key, kind: 'write' }]
    const observation = { accesses, hashes }
    expect(explained(observation, new WorkBudget(2_000))).toEqual([])
    expect(explained(observation, new WorkBudget(Number.POSITIVE_INFINITY))).toHaveLength(1)
  })

  it('with less work teaches the first of what it teaches with more', () => {
    const word = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.bigInt({ min: 0n, max: 9n }).map(toWord),
      fc.bigInt({ min: 0n, max: 30n }).map((distance) => toWord(arrayStart + distance)),
    )
    const access = fc.record({
      field: fc.constant('slot' as const),
      address: fc.constant(to),
      key: word,
      kind: fc.constantFrom('read' as const, 'write' as const),
      value: fc.option(word, { nil: undefined }),
    })
    fc.assert(
      fc.property(
        fc.array(access, { minLength: 1, maxLength: 20 }),
        fc.nat(10_000),
        (accesses, units) => {
          const observation = { accesses, hashes: [] }
          const whole = explained(observation, new WorkBudget(Number.POSITIVE_INFINITY))
          const part = explained(observation, new WorkBudget(units))
          expect(part).toEqual(whole.slice(0, part.length))
          if (units < WORK.ACCESS) expect(part).toEqual([])
        },
      ),
    )
  })

  it('has room for far more than a template holds', () => {
    const accesses = Array.from({ length: 200 }, (_, i): ObservedAccess => {
      const key = keccak(toWord(BigInt(i)))
      return { field: 'slot', address: to, key, kind: 'write', value: keccak(key) }
    })
    const rules = explained({ accesses, hashes: [] }, new WorkBudget(MOST_LESSON_WORK))
    expect(rules.length).toBeGreaterThan(128)
  })
})

const nothing = (): undefined => undefined
const facts = factsWith({ data: Uint8Array.of(0, 0, 0, 0) })

function templates(rules: readonly object[]) {
  const template = { codeHash: hexOf(code), function: '0x00000000', patience: 0, forgotten: 0 }
  return { version: 1, templates: [{ ...template, rules }] }
}

const counts = { counts: [60, 0, 60, 0], conditions: [0, 0, 0, 0] }

/** As dear as a legal template can be: 64 rules of hashes of hashes, no two the same. */
const dear = templates(
  Array.from({ length: 64 }, (_, rule) => {
    const chain = (end: string): string => {
      let text = 'sender'
      for (let k = 1; k < 31; k++) text = `keccak(${text}, 0x${rule.toString(16)}, ${end}${k})`
      return text
    }
    return { field: 'slot', account: chain('0xa'), key: chain('0xb'), ...counts }
  }),
)

/** Counts what a library hashes and reports. */
function watchedLibrary(json: unknown) {
  const count = { hashes: 0, reports: 0 }
  const library = importTemplates(json, (bytes) => {
    count.hashes++
    return keccak(bytes)
  })
  const report = (): void => void count.reports++
  const sink: AccessSink = {
    balance: report,
    nonce: report,
    code: report,
    existence: report,
    slot: report,
  }
  return { library, sink, count }
}

describe('a prediction', () => {
  it('ends with the work that it may take, and says the same every time', () => {
    const { library, sink, count } = watchedLibrary(dear)
    library.predict(facts, code, sink, nothing)
    expect(count.hashes).toBeGreaterThan(200)
    expect(count.hashes).toBeLessThanOrEqual(MOST_PREDICTION_WORK / WORK.HASH)
    expect(count.reports).toBeGreaterThan(0)
    expect(count.reports).toBeLessThan(64)
    const lists = Array.from({ length: 2 }, () => {
      const set = new LocationSet()
      // Not known for good: nothing that could be loaded would help.
      expect(library.predict(facts, code, set, nothing)).toBe('whole')
      return listed(set)
    })
    expect(lists[0]).toHaveLength(count.reports)
    expect(lists[1]).toEqual(lists[0])
  })

  it('ends where a function calls itself in every rule', () => {
    const args = Array.from({ length: 24 }, (_, k) => `keccak(sender, 0x${(k + 1).toString(16)})`)
    const call = { function: '0x00000000', delegate: true, value: true, forwarded: false, args }
    const rule = { field: 'call', account: 'to', call, ...counts }
    const { library, sink, count } = watchedLibrary(templates(Array(64).fill(rule)))
    library.predict(facts, code, sink, nothing, () => code)
    expect(count.reports).toBeGreaterThan(64)
    expect(count.reports).toBeLessThan((3 * MOST_PREDICTION_WORK) / WORK.REPORT / 2)
  })

  it('takes what it costs from the allowance of the block, and ends with that', () => {
    const { library, sink, count } = watchedLibrary(dear)
    const allowance = new WorkBudget(2.5 * MOST_PREDICTION_WORK)
    for (let index = 0; index < 100; index++) {
      library.predict(
        { ...facts, sender: addressOf(index) },
        code,
        sink,
        nothing,
        nothing,
        allowance,
      )
    }
    expect(allowance.isSpent).toBe(true)
    expect(count.hashes).toBeGreaterThan(2 * 200)
    expect(count.hashes).toBeLessThanOrEqual((2.5 * MOST_PREDICTION_WORK) / WORK.HASH)
  })

  it('of 64 rules for entries of mappings of mappings is far from its end', () => {
    const key = (slot: number): string => `keccak(sender, keccak(data[0], 0x${slot.toString(16)}))`
    const rules = Array.from({ length: 64 }, (_, slot) => {
      return { field: 'slot', account: 'to', key: key(slot), ...counts }
    })
    const { library, sink, count } = watchedLibrary(templates(rules))
    const allowance = new WorkBudget(MOST_PREDICTION_WORK)
    const asked = factsWith({ data: new Uint8Array(36) })
    library.predict(asked, code, sink, nothing, nothing, allowance)
    expect(count.reports).toBe(64)
    expect(allowance.left).toBeGreaterThan(MOST_PREDICTION_WORK / 2)
  })
})
