// Transactions that cross to workers as their fields, and the hash that their signatures are over, against
// stock's own decoding and methods. Authority on random transactions of the kinds that cross so.
import { Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createTx, createTxFromRLP, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFields, encodeFields } from '../../../src/execution/transaction-fields.ts'
import { signingHash, transactionBytes } from '../../../src/execution/transaction-rlp.ts'
import { authorize } from '../../support/hand-made-block.ts'
import { actors } from '../../support/random-world.ts'

const common = new Common({ chain: Mainnet, hardfork: 'prague' })
const beforeEip155 = new Common({ chain: Mainnet, hardfork: 'homestead' })
const largeChain = createCustomCommon({ chainId: 2 ** 40 + 7 }, Mainnet, { hardfork: 'prague' })
const signer = actors[0]!

const word = fc.uint8Array({ minLength: 32, maxLength: 32 })
const accessList = fc.array(
  fc.tuple(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.array(word, { maxLength: 3 })),
  { maxLength: 3 },
)
const call = {
  nonce: fc.bigInt(0n, 2n ** 64n - 2n),
  gasLimit: fc.bigInt(0n, 2n ** 24n),
  to: fc.option(fc.uint8Array({ minLength: 20, maxLength: 20 }), { nil: undefined }),
  value: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 256n - 1n)),
  data: fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.constant(new Uint8Array(70_000).fill(3))),
}
const fee = fc.oneof(fc.bigInt(0n, 200n), fc.bigInt(0n, 2n ** 220n))
const rules = fc.constantFrom(common, largeChain)
const transactions = fc.oneof(
  fc.record({
    rules: fc.constantFrom(common, largeChain, beforeEip155),
    data: fc.record({ ...call, gasPrice: fee }),
  }),
  fc.record({
    rules,
    data: fc.record({ ...call, gasPrice: fee, accessList, type: fc.constant(1) }),
  }),
  fc
    .record({
      rules,
      data: fc.record({
        ...call,
        maxFeePerGas: fee,
        maxPriorityFeePerGas: fee,
        accessList,
        type: fc.constant(2),
      }),
    })
    .filter(({ data }) => data.maxPriorityFeePerGas <= data.maxFeePerGas),
)

/** Signed, and as somebody else has it who got it as RLP: `encodeFields` is for such, frozen or not. */
function received({ rules: own, data }: { rules: Common; data: object }): TypedTransaction {
  const options = { common: own, allowUnlimitedInitCodeSize: true }
  const signed = createTx(data as TypedTxData, options).sign(signer.privateKey)
  return createTxFromRLP(signed.serialize(), options)
}

/** Of a kind that does not cross as its fields (EIP-7702). */
function delegating(): TypedTransaction {
  const to = actors[2]!.address
  const authorizationList = [authorize(actors[1]!, to, 0n)]
  return received({ rules: common, data: { type: 4, to, maxFeePerGas: 9n, authorizationList } })
}

describe('the fields of a transaction', () => {
  it('make the same transaction again', () => {
    fc.assert(
      fc.property(transactions, (plan) => {
        const tx = received(plan)
        const fields = encodeFields(tx)
        expect(fields).toBeDefined()
        const again = decodeFields(fields!.slice(), tx.common)
        expect(again.constructor).toBe(tx.constructor)
        const own = (one: TypedTransaction): object => ({
          ...one,
          txOptions: undefined,
          cache: undefined,
        })
        expect(own(again)).toEqual(own(tx))
        expect(again.serialize()).toEqual(tx.serialize())
        expect(again.hash()).toEqual(tx.hash())
        expect(again.getSenderAddress()).toEqual(tx.getSenderAddress())
        expect(again.getIntrinsicGas()).toBe(tx.getIntrinsicGas())
      }),
      { numRuns: 60 },
    )
  })

  it('do not change when the next transaction is encoded', () => {
    const one = received({
      rules: common,
      data: { nonce: 1n, gasPrice: 5n, data: new Uint8Array(40).fill(7) },
    })
    const other = received({
      rules: common,
      data: { nonce: 2n, gasPrice: 9n, data: new Uint8Array(40).fill(8) },
    })
    const decoded = decodeFields(encodeFields(one)!, common)
    encodeFields(other)
    expect(decoded.serialize()).toEqual(one.serialize())
  })

  it('are not told of transactions of other kinds, with fields of their own, or without a signature', () => {
    expect(encodeFields(delegating())).toBeUndefined()
    const data = { type: 2, gasLimit: 21_000n } as TypedTxData
    const unsigned = createTx(data, { common, freeze: false })
    expect(encodeFields(unsigned)).toBeUndefined()
    const marked = createTxFromRLP(createTx(data, { common }).sign(signer.privateKey).serialize(), {
      common,
      freeze: false,
    })
    expect(encodeFields(marked)).toBeDefined()
    expect(encodeFields(Object.assign(marked, { mark: 1 }))).toBeUndefined()
  })
})

describe('the hash that a signature is over', () => {
  it('is the one of stock', () => {
    fc.assert(
      fc.property(transactions, (plan) => {
        const tx = received(plan)
        expect(signingHash(tx, keccak_256)).toEqual(tx.getMessageToVerifySignature())
      }),
      { numRuns: 100 },
    )
  })

  it('is left to stock where the transaction is of another kind', () => {
    expect(signingHash(delegating(), keccak_256)).toBeUndefined()
  })
})

describe('the bytes of a transaction', () => {
  it('are the ones of stock', () => {
    fc.assert(
      fc.property(transactions, (plan) => {
        const tx = received(plan)
        expect(transactionBytes(tx)).toEqual(tx.serialize())
      }),
      { numRuns: 100 },
    )
  })

  it('are left to stock where it is of another kind, not signed, or serializes itself', () => {
    const delegation = delegating()
    expect(transactionBytes(delegation)).toEqual(delegation.serialize())
    const unsigned = createTx({ type: 2, gasLimit: 21_000n } as TypedTxData, { common })
    expect(transactionBytes(unsigned)).toEqual(unsigned.serialize())
    const own = createTx({ gasLimit: 21_000n }, { common, freeze: false }).sign(signer.privateKey)
    const marked = Object.create(own, { serialize: { value: () => Uint8Array.of(1) } })
    expect(transactionBytes(marked)).toEqual(Uint8Array.of(1))
  })
})
