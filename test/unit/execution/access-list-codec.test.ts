// Parts of access lists as bytes: what is written is what is read.
// Authority on the fields that cross; the parts are made up, and need not make sense.
import type { PrefixedHexString } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { ListedAccesses, ListedAccount } from '../../../src/access/listed-accesses.ts'
import { AccessListEncoder, decodeAccesses } from '../../../src/execution/access-list-codec.ts'

const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as PrefixedHexString)
const slot = fc.constantFrom<PrefixedHexString[]>('0x', '0x01', `0x${'ff'.repeat(32)}`)
const bytes = fc.uint8Array({ maxLength: 40 })
const amount = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const account: fc.Arbitrary<ListedAccount> = fc.record({
  address,
  nonce: maybe(amount),
  balance: maybe(fc.oneof(amount, fc.record({ added: amount }))),
  code: maybe(bytes),
  changes: fc.array(fc.tuple(slot, bytes), { maxLength: 3 }),
  reads: fc.array(slot, { maxLength: 3 }),
  destroyed: fc.boolean(),
  voidsBalances: fc.boolean(),
  rewritten: fc.constant([]),
})
/** A slot can only be among those written and left as they were if it is among those read. */
const part: fc.Arbitrary<ListedAccesses> = fc.record({
  accounts: fc.array(
    account.map((one) => ({ ...one, rewritten: one.reads.slice(1) })),
    { maxLength: 5 },
  ),
  codesBefore: fc.array(fc.tuple(address, bytes), { maxLength: 2 }),
})

describe('the access list codec', () => {
  it('gives back what it was given, with one encoder for all', () => {
    const encoder = new AccessListEncoder()
    fc.assert(
      fc.property(part, (one) => {
        expect(decodeAccesses(Uint8Array.from(encoder.encode(one)))).toEqual(one)
      }),
    )
  })
})
