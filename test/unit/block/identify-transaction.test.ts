// What others know a transaction by, against stock's own methods. Authority on what is refused; random
// transactions are written in execution/transaction-fields.test.ts.
import { Common, type CustomCrypto, Mainnet } from '@ethereumjs/common'
import { createTx, createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx'
import { sha3_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'
import { identifyTransaction, recoverSenders } from '../../../src/index.ts'
import { actors } from '../../support/random-world.ts'

const [alice, bob] = actors

function received(type: number, customCrypto: CustomCrypto = {}, freeze = true): TypedTransaction {
  const common = new Common({ chain: Mainnet, hardfork: 'prague', customCrypto })
  const fees = type === 2 ? { maxFeePerGas: 9n } : { gasPrice: 9n }
  const data = { type, to: bob!.address, value: 1n, gasLimit: 21_000n, ...fees }
  const signed = createTx(data, { common }).sign(alice!.privateKey)
  return createTxFromRLP(signed.serialize(), { common, freeze })
}

describe('a transaction', () => {
  it.each([0, 1, 2])('of type %i has the bytes, hash and sender that stock says', async (type) => {
    const tx = received(type)
    const twin = received(type)
    await recoverSenders([tx])
    const { bytes, hash, sender } = await identifyTransaction(tx)
    expect(bytes).toEqual(twin.serialize())
    expect(hash).toEqual(twin.hash())
    expect(tx.hash()).toBe(hash)
    expect(sender).toEqual(twin.getSenderAddress().bytes)
    expect(sender).toEqual(alice!.address.bytes)
  })

  it('that is hashed by a function of the user has the hash that this gives', async () => {
    const keccak256 = (bytes: Uint8Array): Uint8Array => sha3_256(bytes)
    const { hash } = await identifyTransaction(received(2, { keccak256 }))
    expect(hash).toEqual(received(2, { keccak256 }).hash())
    expect(hash).not.toEqual(received(2).hash())
  })

  it('that can still change remembers nothing', async () => {
    const tx = received(2, {}, false)
    const { hash } = await identifyTransaction(tx)
    expect(hash).toEqual(received(2).hash())
    expect(tx.cache.hash).toBeUndefined()
  })

  it('that nobody has signed is refused', async () => {
    const common = new Common({ chain: Mainnet, hardfork: 'prague' })
    const unsigned = createTx({ type: 2, gasLimit: 21_000n, maxFeePerGas: 9n }, { common })
    await expect(identifyTransaction(unsigned)).rejects.toThrow()
  })
})
