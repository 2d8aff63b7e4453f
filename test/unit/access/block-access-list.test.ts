// The writes that a block access list declares, by transaction.
// Authority on the mapping of access indexes to transactions and on keys without leading zeros.
import { createBlockLevelAccessList } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'

import { declaredWrites, predictListed } from '../../../src/access/block-access-list.ts'
import { addressOf, coinbase, factsWith, hexOf, reported, toWord } from './support/facts.ts'

const [sender, token] = [addressOf(0xa1), addressOf(0xc1)]

function list() {
  const bal = createBlockLevelAccessList()
  const of = (address: Uint8Array): `0x${string}` => hexOf(address)
  bal.addStorageWrite(of(token), toWord(9n), toWord(1n), 0)
  bal.addStorageWrite(of(token), toWord(0n), toWord(5n), 1)
  bal.addStorageWrite(of(token), toWord(2n), toWord(6n), 2)
  bal.addStorageRead(of(token), toWord(3n))
  bal.addNonceChange(of(sender), 1n, 1)
  for (const address of [sender, token, coinbase]) bal.addBalanceChange(of(address), 7n, 1)
  bal.addCodeChange(of(token), Uint8Array.of(1), 2)
  return bal
}

describe('a block access list', () => {
  const writes = declaredWrites(list())
  const of = (index: number): string[] =>
    reported((sink) => predictListed(writes, index, factsWith(), sink))

  it('gives transaction i what is listed under i + 1', () => {
    expect(of(0)).toEqual([
      `balance ${hexOf(sender)} write`,
      `balance ${hexOf(token)} delta`,
      `balance ${hexOf(coinbase)} delta`,
      `nonce ${hexOf(sender)} write`,
      `slot ${hexOf(token)}/${hexOf(toWord(0n))} write`,
    ])
    expect(of(1)).toEqual([
      `code ${hexOf(token)} write`,
      `slot ${hexOf(token)}/${hexOf(toWord(2n))} write`,
    ])
  })

  it('gives transactions neither what happens before them nor what is only read', () => {
    expect([...writes.keys()].sort()).toEqual([0, 1])
    expect([...of(0), ...of(1)].join()).not.toContain(hexOf(toWord(3n)))
    expect(of(7)).toEqual([])
  })
})
