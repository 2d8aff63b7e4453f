// Random sequences of calls on a state manager, and the small state that they are about.
// Authority on which calls there are and how often; what stock and the overlay make of them is the
// duel's matter. It must stay small: calls say something about each other only where they meet.
import { Common, Mainnet } from '@ethereumjs/common'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Address, bytesToHex, setLengthLeft } from '@ethereumjs/util'
import fc from 'fast-check'
import { ForgetfulStateManager } from '../../../support/forgetful-state-manager.ts'
import { buildStateTemplate } from '../../../support/state-template.ts'

export const addresses = [1, 2, 3, 4, 5].map((name) => new Address(new Uint8Array(20).fill(name)))
/** The first three exist: one with a balance, and two contracts with storage and the same code. */
export const [plain, contract, twin, , absent] = addresses as [
  Address,
  Address,
  Address,
  Address,
  Address,
]
export const keys = [0, 1, 2].map((slot) => setLengthLeft(Uint8Array.of(slot), 32))
/** Zero and a number with a leading zero among them: values are kept without. */
export const values = [
  new Uint8Array(0),
  Uint8Array.of(1),
  Uint8Array.of(0, 0, 2),
  new Uint8Array(32).fill(255),
  new Uint8Array(32),
]
export const codes = [new Uint8Array(0), Uint8Array.of(0x60, 1), new Uint8Array(100).fill(0x5b)]
export const amounts = [0n, 1n, 10n ** 18n, 2n ** 64n, 2n ** 254n]

const common = new Common({ chain: Mainnet, hardfork: 'shanghai' })
const template = await buildStateTemplate(common, {
  [plain.toString()]: { balance: 5n, nonce: 7n },
  [contract.toString()]: {
    balance: 10n ** 20n,
    nonce: 1n,
    code: bytesToHex(codes[1]!),
    storage: { '0x00': '0x11', '0x01': '0x2222' },
  },
  [twin.toString()]: { code: bytesToHex(codes[1]!), storage: { '0x02': '0x33' } },
})

export function newState(): MerkleStateManager {
  return template.copy(common.copy(), true, ForgetfulStateManager)
}

/**
 * `of`, `key`, `value`, `code` and `amount` are positions in the lists above; `held` is one of the
 * accounts that were got in the transaction. `next` ends it, and `compare` looks at everything first,
 * which no call before did; `endBlock` ends the block too.
 */
export type Call =
  | { call: 'getAccount'; of: number; whole: boolean }
  | { call: 'getCode' | 'getCodeSize'; of: number }
  | { call: 'getStorage' | 'original'; of: number; key: number }
  | { call: 'putNew'; of: number; nonce: number; amount: number }
  | { call: 'putHeld'; held: number; how: number; amount: number }
  | { call: 'look'; held: number; field: number }
  | { call: 'credit' | 'fee'; of: number; amount: number }
  | { call: 'modify'; of: number; nonce: number; amount: number }
  | { call: 'deleteAccount' | 'clearStorage'; of: number }
  | { call: 'putCode'; of: number; code: number }
  | { call: 'putStorage'; of: number; key: number; value: number }
  | { call: 'checkpoint' | 'commit' | 'revert' | 'clearOriginals' | 'endBlock' }
  | { call: 'next'; compare: boolean }

const key = fc.nat(keys.length - 1)
const value = fc.nat(values.length - 1)
const code = fc.nat(codes.length - 1)
const amount = fc.nat(amounts.length - 1)
const small = fc.nat(7)
const named = <Name extends string>(...names: Name[]) => ({ call: fc.constantFrom(...names) })

function often<Kind>(weight: number, fields: { [Key in keyof Kind]: fc.Arbitrary<Kind[Key]> }) {
  return { weight, arbitrary: fc.record(fields) as unknown as fc.Arbitrary<Call> }
}

function callsAbout(of: fc.Arbitrary<number>): fc.Arbitrary<Call[]> {
  return fc.array(
    fc.oneof(
      often(4, { ...named('getAccount'), of, whole: fc.boolean() }),
      often(2, { ...named('getCode', 'getCodeSize'), of }),
      often(4, { ...named('getStorage', 'original'), of, key }),
      often(1, { ...named('putNew'), of, nonce: small, amount }),
      often(5, { ...named('putHeld'), held: small, how: small, amount }),
      often(3, { ...named('look'), held: small, field: small }),
      often(4, { ...named('credit', 'fee'), of, amount }),
      often(1, { ...named('modify'), of, nonce: small, amount: small }),
      often(3, { ...named('deleteAccount', 'clearStorage'), of }),
      often(2, { ...named('putCode'), of, code }),
      often(4, { ...named('putStorage'), of, key, value }),
      often(6, named('checkpoint')),
      often(2, named('commit')),
      often(4, named('revert')),
      often(3, { ...named('next'), compare: fc.boolean() }),
      often(1, named('clearOriginals', 'endBlock')),
    ),
    { maxLength: 80, size: 'max' },
  )
}

/** About everything, or about one account, so that what is rare happens to it more than once. */
export const calls: fc.Arbitrary<Call[]> = fc.oneof(
  { weight: 3, arbitrary: callsAbout(fc.nat(addresses.length - 1)) },
  { weight: 1, arbitrary: callsAbout(fc.constant(0)) },
  { weight: 2, arbitrary: callsAbout(fc.constant(1)) },
  { weight: 1, arbitrary: callsAbout(fc.constant(4)) },
)
