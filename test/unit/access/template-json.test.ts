// Learned templates as data: what is kept predicts what was learned, and nothing broken is taken in.
// Authority on the persisted form and on its errors.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { LocationSet } from '../../../src/access/location-set.ts'
import type { Observation } from '../../../src/access/observation.ts'
import {
  describeTemplates,
  exportTemplates,
  importTemplates,
  type TemplatesJson,
} from '../../../src/access/template-json.ts'
import { TemplateLibrary } from '../../../src/access/template-library.ts'
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

const [to, token] = [addressOf(0xc1), addressOf(0xd1)]
const [code, tokenCode] = [keccak(Uint8Array.of(1)), keccak(Uint8Array.of(2))]

/** A call that reads a counter, writes an entry, and calls another contract with an amount. */
function observed(
  sender: Uint8Array,
  flag: bigint,
): { facts: ReturnType<typeof factsWith>; observation: Observation } {
  const facts = factsWith({ sender, ...callWith('f(address,uint256)', hexOf(token), flag) })
  const key = entryOf(7n, hexOf(sender))
  const inner = entryOf(3n, hexOf(to))
  const word = (bytes: Uint8Array): Uint8Array => toWord(hexOf(bytes))
  return {
    facts,
    observation: {
      accesses: [
        { field: 'slot', address: to, key: toWord(1n), kind: 'read', value: toWord(5n) },
        ...(flag === 0n ? [] : [{ field: 'slot', address: to, key, kind: 'write' } as const]),
        { field: 'slot', address: token, key: inner, kind: 'write', call: 1 },
      ],
      hashes: [
        { hash: key, preimage: Buffer.concat([word(sender), toWord(7n)]) },
        { hash: inner, preimage: Buffer.concat([word(to), toWord(3n)]) },
      ],
      calls: [
        {
          parent: 0,
          after: 1,
          sender: to,
          account: token,
          codeAccount: token,
          codeHash: tokenCode,
          data: callWith('g(uint256)', 2n ** 70n).data!,
          sendsValue: true,
          isCreation: false,
        },
      ],
    },
  }
}

function learned(): TemplateLibrary {
  const library = new TemplateLibrary(keccak)
  for (const [sender, flag] of [
    [1, 1n],
    [2, 0n],
    [3, 1n],
    [4, 0n],
  ] as const) {
    const { facts, observation } = observed(addressOf(0x90 + sender), flag)
    library.observe(facts, code, observation)
  }
  library.observe(factsWith(), code, { accesses: [], hashes: [] })
  return library
}

const copyOf = (json: unknown): TemplatesJson => JSON.parse(JSON.stringify(json))

describe('exported templates', () => {
  it('predict what they predicted before, through JSON', () => {
    const library = learned()
    const copy = importTemplates(copyOf(exportTemplates(library)), keccak)
    for (const flag of [0n, 1n]) {
      const { facts } = observed(addressOf(0x77), flag)
      const lists = [library, copy].map((each) => {
        const set = new LocationSet()
        const coverage = each.predict(
          facts,
          code,
          set,
          () => toWord(5n),
          () => tokenCode,
        )
        return [coverage, ...listed(set)]
      })
      expect(lists[1]).toEqual(lists[0])
      expect(lists[0]!.length).toBe(flag === 0n ? 6 : 7)
    }
    expect(exportTemplates(copy)).toEqual(exportTemplates(library))
  })

  it('are cut to what the options allow, the last used kept', () => {
    const json = copyOf(exportTemplates(learned()))
    expect(json.templates.length).toBeGreaterThan(1)
    const small = importTemplates(json, keccak, { maxTemplates: 1, maxEntries: 1 })
    expect(exportTemplates(small).templates).toEqual([
      { ...json.templates.at(-1)!, rules: json.templates.at(-1)!.rules.slice(0, 1) },
    ])
  })

  it('are told in words', () => {
    const lines = describeTemplates(learned().templates()).split('\n')
    const selector = hexOf(callWith('f(address,uint256)').data!.slice(0, 4))
    expect(lines).toContain(`code ${hexOf(code)} function ${selector}`)
    expect(lines).toContain(`code ${hexOf(code)} function receive`)
    expect(lines).toContain('  read slot to 0x1  4 of 4')
    expect(lines).toContain('  write slot to keccak(sender, 0x7)  2 of 2, on conditions')
    const inner = hexOf(callWith('g(uint256)').data!.slice(0, 4))
    expect(lines).toContain(`  call data[0] ${inner}(?) with value  4 of 4`)
    expect(lines).toContain('  write slot to keccak(sender, 0x3)  4 of 4')
  })

  type Path = readonly (string | number)[]
  const rule: Path = ['templates', 0, 'rules', 0]
  it.each<[string, Path, unknown]>([
    ['version', ['version'], 2],
    ['templates', ['templates'], {}],
    ['templates[0]', ['templates', 0], null],
    ['templates[0].codeHash', ['templates', 0, 'codeHash'], '0x12'],
    ['templates[0].function', ['templates', 0, 'function'], 'transfer'],
    ['templates', ['templates'], new Array(3)],
    ['templates[0].patience', ['templates', 0, 'patience'], -1],
    ['templates[0].patience', ['templates', 0, 'patience'], 9],
    ['templates[0].forgotten', ['templates', 0, 'forgotten'], 9],
    ['templates[0].forgotten', ['templates', 0, 'forgotten'], 'often'],
    ['templates[0].rules', ['templates', 0, 'rules'], 'none'],
    ['templates[0].rules', ['templates', 0, 'rules'], new Array(2)],
    ['templates[0].rules[0].field', [...rule, 'field'], 'storage'],
    ['templates[0].rules[0].account', [...rule, 'account'], 7],
    ['templates[0].rules[0].counts', [...rule, 'counts'], [1, 2, 3]],
    ['templates[0].rules[0].counts', [...rule, 'counts'], [1, 2, 3, 1e9]],
    ['templates[0].rules[0].counts', [...rule, 'counts'], new Array(4)],
    ['templates[0].rules[0].conditions', [...rule, 'conditions'], [0, 0, 0, 2 ** 40]],
    ['templates[0].rules[0].conditions', [...rule, 'conditions'], new Array(4)],
  ])('are refused with a bad %s', (name, path, value) => {
    const json = copyOf(exportTemplates(learned())) as unknown as Record<string | number, unknown>
    const parent = path.slice(0, -1).reduce((at, key) => at[key] as typeof json, json)
    parent[path.at(-1)!] = value
    expect(() => importTemplates(json, keccak)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TEMPLATES',
        message: expect.stringContaining(`${name} must be`),
      }),
    )
  })

  it('are taken in with the longest pause and the longest silence that a library has', () => {
    const json = copyOf(exportTemplates(learned()))
    Object.assign(json.templates[0]!, { patience: 8, forgotten: 8 })
    expect(exportTemplates(importTemplates(json, keccak))).toEqual(json)
  })

  it.each<[string, unknown]>([
    ['call', undefined],
    ['call.args', 5],
    ['call.args', Array(99).fill(null)],
    ['call.args', new Array(2)],
    ['call.args[0]', 5],
    ['call.delegate', 'no'],
    ['call.function', '0x1'],
  ])('are refused with a bad %s of a rule', (name, value) => {
    const json = copyOf(exportTemplates(learned()))
    const found = json.templates.flatMap(({ rules }) => rules).find(({ field }) => field === 'call')
    const fields = found as unknown as Record<string, Record<string, unknown>>
    const part = name.split('.')[1]
    if (part === undefined) delete fields.call
    else if (part === 'args[0]') fields.call!.args = [value]
    else fields.call![part] = value
    expect(() => importTemplates(json, keccak)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TEMPLATES',
        message: expect.stringContaining(`${name} must be`),
      }),
    )
  })

  it('are refused with texts that are no expressions', () => {
    const json = copyOf(exportTemplates(learned()))
    Object.assign(json.templates[0]!.rules[0]!, { account: 'nobody' })
    expect(() => importTemplates(json, keccak)).toThrow(
      expect.objectContaining({ code: 'INVALID_EXPRESSION' }),
    )
  })

  it('are refused with a typed error, whatever they are', () => {
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        expect(() => importTemplates(anything, keccak)).toThrow(
          expect.objectContaining({ code: 'INVALID_TEMPLATES' }),
        )
      }),
    )
  })
})
