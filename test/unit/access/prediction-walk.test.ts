// Following predictions from call to call: where it leads, what it asks for, and where it ends.
// Authority on calls between templates; observations are hand-made.
import { describe, expect, it } from 'vitest'

import { LocationSet } from '../../../src/access/location-set.ts'
import type { Observation, ObservedCall } from '../../../src/access/observation.ts'
import { type CodeHashOf, NO_CODE } from '../../../src/access/prediction-walk.ts'
import { TemplateLibrary } from '../../../src/access/template-library.ts'
import { addressOf, callWith, factsWith, hexOf, keccak, listed, toWord } from './support/facts.ts'

const [caller, called, implementation] = [addressOf(0xc1), addressOf(0xd1), addressOf(0xd2)]
const [callerCode, calledCode] = [keccak(Uint8Array.of(1)), keccak(Uint8Array.of(2))]
const facts = factsWith(callWith('f(address,uint256)', hexOf(called), 900_000n))
const nothing = (): undefined => undefined

function callTo(call: Partial<ObservedCall> = {}): ObservedCall {
  return {
    parent: 0,
    after: 0,
    sender: caller,
    account: called,
    codeAccount: called,
    codeHash: calledCode,
    data: callWith('g(uint256,uint256)', 900_000n, 123_456_789n).data!,
    sendsValue: false,
    isCreation: false,
    ...call,
  }
}

/** The called function touches the slot that its first argument names, of its own account. */
function observationOf(call: ObservedCall): Observation {
  return {
    accesses: [
      { field: 'slot', address: call.account, key: toWord(3n), kind: 'write', call: 1 },
      { field: 'slot', address: caller, key: toWord(4n), kind: 'read', call: 0 },
    ],
    hashes: [],
    calls: [call],
  }
}

function learned(call = callTo()): TemplateLibrary {
  const library = new TemplateLibrary(keccak)
  library.observe(facts, callerCode, observationOf(call))
  return library
}

function walk(library: TemplateLibrary, codeHashOf?: CodeHashOf, asked = facts) {
  const set = new LocationSet()
  const coverage = library.predict(asked, callerCode, set, nothing, codeHashOf)
  return { coverage, locations: listed(set) }
}

const own = `slot ${hexOf(caller)}/${hexOf(toWord(4n))} read`
const inner = (account: Uint8Array): string => `slot ${hexOf(account)}/${hexOf(toWord(3n))} write`
const codeOf = (account: Uint8Array): string => `code ${hexOf(account)} read`

describe('a predicted call', () => {
  it('leads to what the called function touches, in whichever account it is', () => {
    expect(walk(learned(), () => calledCode)).toEqual({
      coverage: 'whole',
      locations: [codeOf(called), own, inner(called)].sort(),
    })
    const elsewhere = factsWith(callWith('f(address,uint256)', hexOf(implementation), 900_000n))
    expect(walk(learned(), () => calledCode, elsewhere).locations).toContain(inner(implementation))
  })

  it('asks for the code that it leads to, and is not followed without', () => {
    const asked: string[] = []
    const first = walk(learned(), (address) => {
      asked.push(hexOf(address))
      return undefined
    })
    expect(first).toEqual({ coverage: 'partial', locations: [codeOf(called), own].sort() })
    expect(asked).toEqual([hexOf(called)])
    expect(walk(learned())).toEqual({ coverage: 'whole', locations: [codeOf(called), own].sort() })
  })

  it('ends at accounts without code, and is open at code that nobody has seen', () => {
    expect(walk(learned(), () => NO_CODE).coverage).toBe('whole')
    expect(walk(learned(), () => keccak(calledCode)).coverage).toBe('open')
  })

  it('uses the storage of its caller where it is delegated', () => {
    const delegated = callTo({ account: caller, codeAccount: called })
    const { locations } = walk(learned(delegated), () => calledCode)
    expect(locations).toContain(inner(caller))
    expect(locations).not.toContain(inner(called))
  })

  it('takes value from its caller and gives it to who is called', () => {
    const { locations } = walk(learned(callTo({ sendsValue: true })), () => calledCode)
    expect(locations).toContain(`balance ${hexOf(caller)} write`)
    expect(locations).toContain(`balance ${hexOf(called)} delta`)
  })

  it('passes the whole calldata on where that is what was seen', () => {
    const forwarded = callTo({ account: caller, codeAccount: called, data: facts.data })
    const library = new TemplateLibrary(keccak)
    library.observe(facts, callerCode, {
      ...observationOf(forwarded),
      accesses: [
        { field: 'slot', address: caller, key: facts.data.slice(4, 36), kind: 'write', call: 1 },
      ],
    })
    const other = factsWith({ data: Uint8Array.from(facts.data).fill(9, 20, 30) })
    const { locations } = walk(library, () => calledCode, other)
    expect(locations).toContain(`slot ${hexOf(caller)}/${hexOf(other.data.slice(4, 36))} write`)
  })

  it('is not taken for precompiles and creations', () => {
    for (const call of [
      callTo({ codeAccount: toWord(4n).slice(12), account: toWord(4n).slice(12) }),
      callTo({ isCreation: true }),
    ]) {
      expect(walk(learned(call), () => calledCode).locations).toEqual([own])
    }
  })

  it('is not followed for ever where functions call each other', () => {
    const library = new TemplateLibrary(keccak)
    const self = { account: caller, codeAccount: caller, codeHash: undefined }
    const second = callWith('f(address,uint256)', hexOf(called), 0n).data!
    const twice = [callTo({ ...self, data: facts.data }), callTo({ ...self, data: second })]
    // Often enough to be trusted over many levels.
    for (let round = 0; round < 50; round++) {
      library.observe(facts, callerCode, { accesses: [], hashes: [], calls: twice })
    }
    let asked = 0
    const count = (): Uint8Array => {
      asked++
      return callerCode
    }
    expect(walk(library, count).coverage).not.toBe('partial')
    expect(asked).toBeGreaterThan(16)
    expect(asked).toBeLessThanOrEqual(64)
  })
})
