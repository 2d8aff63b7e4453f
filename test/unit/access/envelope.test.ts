// What follows from a transaction's envelope and its own lists.
// Authority on the protocol's part of a prediction, against ethereumjs where it computes the same.
import { Common, Mainnet } from '@ethereumjs/common'
import { createFeeMarket1559Tx } from '@ethereumjs/tx'
import { Address, generateAddress } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { creationAddress, predictDeclared, predictEnvelope } from '../../../src/access/envelope.ts'
import { factsOf } from '../../../src/access/transaction-facts.ts'
import { addressOf, coinbase, factsWith, hexOf, keccak, reported, toWord } from './support/facts.ts'

const [sender, recipient] = [addressOf(0xa1), addressOf(0xc1)]
const envelope = (facts: Parameters<typeof factsWith>[0]): string[] =>
  reported((sink) => predictEnvelope(factsWith(facts), keccak, sink))

describe('the envelope', () => {
  it('demands the sender, the code of the recipient and the fee', () => {
    expect(envelope({})).toEqual([
      `balance ${hexOf(sender)} write`,
      `balance ${hexOf(coinbase)} delta`,
      `code ${hexOf(recipient)} read`,
      `nonce ${hexOf(sender)} write`,
    ])
  })

  it('lets the balance of the recipient grow where value is sent', () => {
    expect(envelope({ value: 1n })).toContain(`balance ${hexOf(recipient)} delta`)
  })

  it('keeps the write where the sender is the coinbase or pays itself', () => {
    expect(envelope({ coinbase: sender })).toContain(`balance ${hexOf(sender)} write`)
    expect(envelope({ to: sender, value: 1n })).toContain(`balance ${hexOf(sender)} write`)
  })

  it('leaves out what depends on a sender that nobody has recovered', () => {
    expect(envelope({ sender: undefined })).toEqual([
      `balance ${hexOf(coinbase)} delta`,
      `code ${hexOf(recipient)} read`,
    ])
    expect(envelope({ sender: undefined, to: undefined })).toHaveLength(1)
  })

  it('names the account that a creation makes', () => {
    const created = hexOf(generateAddress(sender, Uint8Array.of(5)))
    const listed = envelope({ to: undefined, nonce: 5n, value: 1n })
    for (const location of [
      `existence ${created} write`,
      `nonce ${created} write`,
      `code ${created} write`,
      `balance ${created} delta`,
    ]) {
      expect(listed).toContain(location)
    }
  })

  it('computes the address of a creation as ethereumjs does, for every nonce', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }), (nonce) => {
        const digits = nonce === 0n ? '' : nonce.toString(16)
        const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
        const expected = generateAddress(sender, bytes)
        expect(hexOf(creationAddress(sender, nonce, keccak))).toBe(hexOf(expected))
      }),
      { examples: [[0n], [1n], [127n], [128n], [255n], [256n], [2n ** 64n - 2n]] },
    )
  })
})

describe('declared lists', () => {
  it('warm reads of what an access list names', () => {
    const key = toWord(7n)
    const list = reported((sink) =>
      predictDeclared(factsWith({ accessList: [[recipient, [key]]] }), sink),
    )
    expect(list).toEqual([
      `code ${hexOf(recipient)} read`,
      `slot ${hexOf(recipient)}/${hexOf(key)} read`,
    ])
  })

  it('give the signers of authorizations a nonce and code', () => {
    const authority = addressOf(0x77)
    const list = reported((sink) => predictDeclared(factsWith({ authorities: [authority] }), sink))
    expect(list).toEqual([`code ${hexOf(authority)} write`, `nonce ${hexOf(authority)} write`])
  })
})

describe('the facts of a transaction', () => {
  it('are those of its fields and of what is known around it', () => {
    const common = new Common({ chain: Mainnet, hardfork: 'prague' })
    const accessList: [Uint8Array, Uint8Array[]][] = [[addressOf(1), [toWord(2n)]]]
    const data = Uint8Array.of(1, 2, 3, 4)
    const tx = createFeeMarket1559Tx(
      { nonce: 3n, to: new Address(recipient), value: 9n, data, accessList },
      { common },
    )
    expect(factsOf(tx, { coinbase, sender })).toEqual({
      sender,
      to: recipient,
      value: 9n,
      data,
      nonce: 3n,
      accessList,
      authorities: undefined,
      coinbase,
    })
    expect(factsOf(tx, { coinbase }).sender).toBeUndefined()
  })
})
