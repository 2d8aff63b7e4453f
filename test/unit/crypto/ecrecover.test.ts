// Holds public-key recovery by each library to ethereumjs' own: every key, every refusal, every error.
// Authority on nothing else. Most inputs are made up and not signed: half of all made-up signatures have
// a key, and the others must be refused alike.
import {
  bigIntToBytes,
  bigIntToUnpaddedBytes,
  bytesToHex,
  ecrecover,
  hexToBytes,
  SECP256K1_ORDER,
  SECP256K1_ORDER_DIV_2,
  setLengthLeft,
} from '@ethereumjs/util'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Ecrecover, ecrecoverBy } from '../../../src/crypto/ecrecover.ts'
import { type RecoverKey, SECP256K1_LOADERS } from '../../../src/crypto/secp256k1.ts'

type Call = Parameters<Ecrecover>

const FIELD_PRIME = 2n ** 256n - 2n ** 32n - 977n
const GENERATOR_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n
const word = (value: bigint): Uint8Array => setLengthLeft(bigIntToBytes(value), 32)

const extremes = [
  0n,
  1n,
  2n,
  GENERATOR_X,
  SECP256K1_ORDER_DIV_2,
  SECP256K1_ORDER_DIV_2 + 1n,
  SECP256K1_ORDER - 1n,
  SECP256K1_ORDER,
  SECP256K1_ORDER + 1n,
  FIELD_PRIME - SECP256K1_ORDER,
  FIELD_PRIME,
  2n ** 256n - 1n,
]
const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: 1n, max: SECP256K1_ORDER - 1n }) },
  { weight: 1, arbitrary: fc.constantFrom(...extremes) },
)
/** As precompiles give them (32 bytes), and as transactions do (without leading zeros). */
const scalarBytes = fc
  .tuple(scalar, fc.boolean())
  .map(([value, isPadded]) => (isPadded ? word(value) : bigIntToUnpaddedBytes(value)))
const call: fc.Arbitrary<Call> = fc.oneof(
  // What a chain sees.
  fc.tuple(
    scalar.map(word),
    fc.constantFrom(27n, 28n),
    scalarBytes,
    scalarBytes,
    fc.constant(undefined),
  ),
  // Replay protection (EIP-155), with the right chain and with another.
  fc.tuple(
    scalar.map(word),
    fc.constantFrom(0n, 1n, 2n, 27n, 28n, 35n, 36n, 37n, 38n, 39n, 2709n, 2710n, 2n ** 300n),
    scalarBytes,
    scalarBytes,
    fc.constantFrom(undefined, 0n, 1n, 1337n),
  ),
)

function outcome(recover: Ecrecover, args: Call): string {
  try {
    const key = recover(...args)
    return `${key.constructor.name} of ${key.buffer.byteLength}: ${bytesToHex(key)}`
  } catch (error) {
    return `throws ${error}`
  }
}

for (const { kind, load } of SECP256K1_LOADERS) {
  describe(`${kind} recovery`, () => {
    let library: RecoverKey
    let ours: Ecrecover
    beforeAll(async () => {
      library = await load()
      ours = ecrecoverBy(library)
    })

    it('gives the key that ethereumjs gives, and refuses what it refuses', () => {
      fc.assert(
        fc.property(call, (args) => {
          expect(outcome(ours, args)).toBe(outcome(ecrecover, args))
        }),
        { numRuns: Number(process.env.RECOVERY_RUNS ?? 300) },
      )
    }, 3_600_000)

    it('finds the key itself wherever there is one, and never where there is none', () => {
      let found = 0
      fc.assert(
        fc.property(
          scalar.map(word),
          fc.constantFrom(0, 1),
          scalar.map(word),
          scalar.map(word),
          (hash, recovery, r, s) => {
            let theirs: string | undefined
            let its: string | undefined
            try {
              theirs = bytesToHex(ecrecover(hash, BigInt(recovery), r, s))
            } catch {}
            try {
              const key = library(hash, recovery as 0 | 1, Uint8Array.of(...r, ...s))
              if (key !== undefined) its = bytesToHex(key)
            } catch {}
            expect(its).toBe(theirs)
            if (its !== undefined) found++
          },
        ),
        { numRuns: 60 },
      )
      expect(found).toBeGreaterThan(0)
    })

    it('refuses a signature whose key is the point at infinity', () => {
      const args: Call = [word(5n), 27n, word(GENERATOR_X), word(5n)]
      expect(outcome(ours, args)).toMatch(/^throws/)
      expect(outcome(ours, args)).toBe(outcome(ecrecover, args))
    })

    it('leaves arguments of other kinds and lengths to ethereumjs', () => {
      const one = word(1n)
      const [hash, r, s] = [word(7n), word(GENERATOR_X), word(9n)]
      const odd: unknown[][] = [
        [hash.subarray(1), 27n, r, s],
        [Uint8Array.of(...hash, 1), 27n, r, s],
        [new Uint8Array(0), 27n, r, s],
        [hash, 27n, Uint8Array.of(0, ...r), s],
        [hash, 27n, r, Uint8Array.of(0, ...s)],
        [hash, 27n, new Uint8Array(0), s],
        [hash, 27, r, s],
        [hash, undefined, r, s],
        [hash, 27n, r, s, 1],
        [bytesToHex(hash), 27n, r, s],
        [hash, 27n, bytesToHex(r), s],
        [hash, 27n, r, [...one]],
      ]
      for (const args of odd) {
        expect(outcome(ours, args as Call)).toBe(outcome(ecrecover, args as Call))
      }
    })

    it('reads views into other memory, shared memory too, and leaves them as they are', () => {
      const shared = new Uint8Array(new SharedArrayBuffer(200))
      shared.set(word(12_345n), 3)
      shared.set(word(GENERATOR_X), 50)
      shared.set(word(99n), 120)
      const before = shared.slice()
      const views = [3, 50, 120].map((at) => shared.subarray(at, at + 32)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      const key = ours(views[0], 28n, views[1], views[2])
      expect(key).toEqual(ecrecover(word(12_345n), 28n, word(GENERATOR_X), word(99n)))
      expect(shared).toEqual(before)
    })

    it('gives a new array each time', () => {
      const args: Call = [word(3n), 27n, word(GENERATOR_X), word(4n)]
      const first = ours(...args)
      const copy = first.slice()
      ours(word(8n), 28n, word(GENERATOR_X), word(4n))
      expect(first).toEqual(copy)
      expect(ours(...args)).not.toBe(first)
    })
  })
}

it('signatures of transactions recover alike by every library', async () => {
  // EIP-155's own example.
  const args: Call = [
    hexToBytes('0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53'),
    37n,
    hexToBytes('0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276'),
    hexToBytes('0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83'),
    1n,
  ]
  for (const { load } of SECP256K1_LOADERS) {
    expect(outcome(ecrecoverBy(await load()), args)).toBe(outcome(ecrecover, args))
  }
})
