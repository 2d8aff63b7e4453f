// The marks that a worker makes around the user's functions, by which the main thread finds it lost.
// Authority on when a call counts as being in the user's code.
import type { EVMOpts } from '@ethereumjs/evm'
import { describe, expect, it } from 'vitest'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { controlWords, pulseIndex, userCallsIndex } from '../../../src/memory/layout.ts'
import { UserCodeMarker } from '../../../src/workers/user-code.ts'

type Precompile = (input: { data: Uint8Array }) => unknown

function setUp(original: Precompile) {
  const control = new Int32Array(new SharedArrayBuffer(controlWords(1) * 4))
  const marker = new UserCodeMarker(nativeAtomics)
  marker.begin(control, 3)
  const options = {
    customPrecompiles: [{ address: '0x99', function: original }, { address: '0x01' }],
    customOpcodes: [
      { opcode: 0x21, opcodeName: 'ODD', baseFee: 1, logicFunction: original },
      { opcode: 0x20 },
    ],
    allowUnlimitedContractSize: true,
  } as unknown as EVMOpts
  const marked = marker.mark(options) as unknown as {
    customPrecompiles: [{ function: Precompile }, object]
    customOpcodes: [{ logicFunction: Precompile }, object]
    allowUnlimitedContractSize: boolean
  }
  return {
    options,
    marked,
    calls: () => control[userCallsIndex(3)],
    pulse: () => control[pulseIndex(3)],
  }
}

const input = { data: new Uint8Array(0) }

describe('a marked function', () => {
  it('counts while it runs, and gives what it gives', () => {
    const seen: unknown[] = []
    const { marked, calls, pulse } = setUp((given) => {
      seen.push(given, calls())
      return 'answer'
    })
    expect(marked.customPrecompiles[0].function(input)).toBe('answer')
    expect(marked.customOpcodes[0].logicFunction(input)).toBe('answer')
    expect(seen).toEqual([input, 1, input, 1])
    expect([calls(), pulse()]).toEqual([0, 4])
  })

  it('counts until its promise settles, either way', async () => {
    for (const fails of [false, true]) {
      const gate = Promise.withResolvers<string>()
      const { marked, calls } = setUp(() => gate.promise)
      const answer = marked.customPrecompiles[0].function(input) as Promise<string>
      expect(calls()).toBe(1)
      if (fails) gate.reject(new Error('late'))
      else gate.resolve('late')
      const outcome = await answer.catch((error: Error) => error.message)
      expect(outcome).toBe('late')
      expect(calls()).toBe(0)
    }
  })

  it('does not count any more when it has thrown', () => {
    const { marked, calls } = setUp(() => {
      throw new Error('no')
    })
    expect(() => marked.customPrecompiles[0].function(input)).toThrow('no')
    expect(calls()).toBe(0)
  })

  it('counts calls that it makes to another', () => {
    let depth = 0
    const { marked, calls } = setUp(() => {
      if (depth++ > 0) return calls()
      return marked.customPrecompiles[0].function(input)
    })
    expect(marked.customPrecompiles[0].function(input)).toBe(2)
    expect(calls()).toBe(0)
  })
})

describe('other options', () => {
  it('stay as they are, and the user keeps his own objects', () => {
    const original: Precompile = () => 'mine'
    const { marked, options } = setUp(original)
    expect(marked.allowUnlimitedContractSize).toBe(true)
    expect(marked.customPrecompiles[1]).toEqual({ address: '0x01' })
    expect(marked.customOpcodes[1]).toEqual({ opcode: 0x20 })
    const kept = options as unknown as { customPrecompiles: [{ function: Precompile }] }
    expect(kept.customPrecompiles[0].function).toBe(original)
  })

  it('may be absent altogether', () => {
    expect(new UserCodeMarker(nativeAtomics).mark(undefined)).toEqual({})
  })
})
