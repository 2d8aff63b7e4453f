// Senders that are found before stock's code asks for them: the same keys, kept where stock keeps them,
// and nothing done where stock might find another, or none.
// Authority on the transactions that are left alone. The libraries themselves: crypto/ecrecover.test.ts.
import { Common, type CustomCrypto, Mainnet } from '@ethereumjs/common'
import {
  createTx,
  createTxFromRLP,
  LegacyTx,
  type TxOptions,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { bytesToHex, ecrecover, SECP256K1_ORDER, SECP256K1_ORDER_DIV_2 } from '@ethereumjs/util'
import { keccak_256, sha3_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'
import { recoverAhead } from '../../../src/block/recover-ahead.ts'
import { recoverAll } from '../../../src/crypto/recover-all.ts'
import { loadSecp256k1 } from '../../../src/crypto/secp256k1.ts'
import { encodeTransaction, SENDER } from '../../../src/execution/chain-data.ts'
import type { WorkerPool } from '../../../src/workers/pool.ts'
import type { WorkerReport, WorkerTask } from '../../../src/workers/protocol.ts'
import { authorize } from '../../support/hand-made-block.ts'
import { testKzg } from '../../support/kzg.ts'
import { actors } from '../../support/random-world.ts'

const [alice, bob] = actors

function commonOf(customCrypto: CustomCrypto = {}, hardfork = 'prague'): Common {
  return new Common({
    chain: Mainnet,
    hardfork,
    customCrypto: { kzg: testKzg(), ...customCrypto },
  })
}

const fees = { maxFeePerGas: 20n, maxPriorityFeePerGas: 1n }
const kinds: Record<string, object> = {
  legacy: { type: 0, gasPrice: 20n },
  'access list': { type: 1, gasPrice: 20n },
  'fee market': { type: 2, ...fees },
  blob: { type: 3, ...fees, maxFeePerBlobGas: 9n, blobVersionedHashes: [`0x01${'11'.repeat(31)}`] },
  delegation: { type: 4, ...fees, authorizationList: [authorize(bob, alice.address, 0n)] },
}

function signed(common: Common, fields: object = kinds.legacy!, nonce = 0): TypedTransaction {
  const data = { nonce, to: bob.address, value: 1n, gasLimit: 100_000n, ...fields }
  return createTx(data, { common }).sign(alice.privateKey)
}

/** As it arrives from elsewhere: nobody has recovered its sender yet. */
function arrived(tx: TypedTransaction, options: TxOptions = {}): TypedTransaction {
  return createTxFromRLP(tx.serialize(), { common: tx.common, ...options })
}

/** The same signature with the other s, which Frontier allowed and EIP-2 does not. */
function flipped(tx: TypedTransaction): TypedTransaction {
  const v = tx.v as bigint
  return createTx(
    { ...tx.toJSON(), v: v % 2n === 0n ? v - 1n : v + 1n, s: SECP256K1_ORDER - (tx.s as bigint) },
    { common: tx.common },
  )
}

const keyOf = (tx: TypedTransaction): string | undefined =>
  tx.cache.senderPubKey === undefined ? undefined : bytesToHex(tx.cache.senderPubKey)
const aliceKey = bytesToHex(alice.publicKey)

/** The lower half of the first byte; the upper one says how the transaction itself is encoded. */
function senderKind(tx: TypedTransaction): number {
  return encodeTransaction(tx)[0]! & 0x0f
}

describe('a sender that stock would recover', () => {
  it.each(Object.entries(kinds))('is found before, in a %s transaction', async (_, fields) => {
    const tx = arrived(signed(commonOf(), fields))
    await recoverAhead([tx], undefined)
    expect(keyOf(tx)).toBe(aliceKey)
    expect(tx.getSenderAddress()).toEqual(alice.address)
  })

  it('is found with and without replay protection', async () => {
    const old = commonOf({}, 'homestead')
    const unprotected = arrived(signed(old))
    expect([27n, 28n]).toContain(unprotected.v)
    const later = arrived(unprotected, { common: commonOf() })
    await recoverAhead([unprotected, later], undefined)
    expect([unprotected, later].map(keyOf)).toEqual([aliceKey, aliceKey])
  })

  it('is not recovered again for a block, whose workers are handed the key', async () => {
    const tx = arrived(signed(commonOf()))
    expect(senderKind(tx)).toBe(SENDER.RECOVER)
    await recoverAhead([tx], undefined)
    const key = tx.cache.senderPubKey
    await recoverAhead([tx], undefined)
    expect(tx.cache.senderPubKey).toBe(key)
    expect(senderKind(tx)).toBe(SENDER.PUBLIC_KEY)
  })

  it('is found by the hash function of the user, where there is one', async () => {
    // Only the message that is signed, so that all else stays what it is.
    const keccak256 = (bytes: Uint8Array): Uint8Array => sha3_256(bytes)
    for (const fields of [kinds.legacy, kinds['fee market']]) {
      const common = commonOf({ keccak256 })
      const tx = arrived(signed(common, fields))
      const twin = arrived(tx)
      await recoverAhead([tx], undefined)
      expect(keyOf(tx)).toBe(bytesToHex(twin.getSenderPublicKey()))
      expect(keyOf(tx)).toBe(aliceKey)
      const plain = arrived(tx, { common: commonOf() })
      await recoverAhead([plain], undefined)
      expect(keyOf(plain)).not.toBe(aliceKey)
    }
  })

  it('leaves the Common of the user as it is', async () => {
    const customCrypto = Object.freeze({ keccak256: keccak_256 })
    const common = new Common({ chain: Mainnet, hardfork: 'prague', customCrypto })
    const tx = arrived(signed(commonOf()), { common })
    const before = tx.common.customCrypto
    await recoverAhead([tx], undefined)
    expect(keyOf(tx)).toBe(aliceKey)
    expect(tx.common.customCrypto).toBe(before)
    expect(common.customCrypto).toBe(customCrypto)
  })
})

describe('a transaction is left to stock', () => {
  async function expectUntouched(tx: TypedTransaction): Promise<void> {
    const twin = arrived(signed(commonOf()))
    await recoverAhead([tx, twin], undefined)
    expect(keyOf(tx)).toBeUndefined()
    // And does not keep others from being recovered.
    expect(keyOf(twin)).toBe(aliceKey)
  }

  it('that is not frozen: stock keeps nothing of those', async () => {
    await expectUntouched(arrived(signed(commonOf()), { freeze: false }))
  })

  it('whose Common recovers with a function of the user', async () => {
    let calls = 0
    const own: CustomCrypto['ecrecover'] = (...args) => {
      calls++
      return ecrecover(...args)
    }
    const tx = arrived(signed(commonOf()), { common: commonOf({ ecrecover: own }) })
    await expectUntouched(tx)
    expect(calls).toBe(0)
    expect(tx.getSenderAddress()).toEqual(alice.address)
    expect(calls).toBe(1)
  })

  it('whose s is high, which a later hardfork refuses', async () => {
    for (const hardfork of ['chainstart', 'prague']) {
      const tx = flipped(signed(commonOf({}, hardfork)))
      expect(tx.s).toBeGreaterThan(SECP256K1_ORDER_DIV_2)
      await expectUntouched(tx)
      const recover = () => tx.getSenderAddress()
      if (hardfork === 'prague') expect(recover).toThrow('s-values greater than')
      else expect(recover()).toEqual(alice.address)
    }
  })

  it.each([
    ['r of zero', { r: 0n }],
    ['s of zero', { s: 0n }],
    ['an r beyond the order', { r: SECP256K1_ORDER + 1n }],
    ['an r that is on no point', { r: 5n }],
  ])('with %s', async (_, fields) => {
    const tx = createTx({ ...signed(commonOf()).toJSON(), ...fields }, { common: commonOf() })
    await expectUntouched(tx)
    expect(() => tx.getSenderAddress()).toThrow('Invalid Signature')
  })

  it('that is not signed', async () => {
    await expectUntouched(createTx({ type: 2, ...fees }, { common: commonOf() }))
  })

  it('that is of a class of its own, or recovers by a method of its own', async () => {
    const tx = arrived(signed(commonOf()), { freeze: false })
    tx.getSenderPublicKey = () => bob.publicKey
    Object.freeze(tx)
    await expectUntouched(tx)
    class Own extends LegacyTx {}
    const { nonce, gasPrice, gasLimit, to, value, v, r, s } = signed(commonOf()) as LegacyTx
    const own = new Own({ nonce, gasPrice, gasLimit, to, value, v, r, s }, { common: commonOf() })
    await expectUntouched(own)
  })
})

describe('many senders', () => {
  const common = commonOf()
  const many = Array.from({ length: 21 }, (_, nonce) => signed(common, kinds.legacy, nonce))

  function poolOf(
    size: number,
    run: (task: WorkerTask, call: number) => Promise<WorkerReport>,
  ): { pool: WorkerPool; shares: () => number[] } {
    const shares: number[] = []
    const pool = {
      size,
      run: (task: WorkerTask) => {
        if (task.kind !== 'recover') throw new Error(`a ${task.kind} task`)
        shares.push(task.signatures.length / 97)
        return run(task, shares.length)
      },
    }
    return { pool: pool as unknown as WorkerPool, shares: () => shares }
  }

  const recovered = async (task: WorkerTask): Promise<WorkerReport> => {
    if (task.kind !== 'recover') throw new Error(`a ${task.kind} task`)
    const { recover } = await loadSecp256k1()
    return { kind: 'recovered', keys: recoverAll(recover, structuredClone(task.signatures)) }
  }

  it('are shared between the workers, and those that cannot be found change nothing', async () => {
    const broken = createTx({ ...many[0]!.toJSON(), r: 5n }, { common })
    const transactions = [...many.map((tx) => arrived(tx)), broken]
    const { pool, shares } = poolOf(3, recovered)
    await recoverAhead([broken, ...transactions], pool)
    expect(shares()).toEqual([7, 8, 8])
    expect(transactions.map(keyOf)).toEqual([...many.map(() => aliceKey), undefined])
  })

  it('are recovered here where a worker dies or fails', async () => {
    const { pool, shares } = poolOf(3, (task, call) => {
      if (call === 1) return Promise.reject(new Error('died'))
      if (call === 2) {
        const error = { name: 'Error', message: 'failed', code: undefined, stack: undefined }
        return Promise.resolve({ kind: 'failed', error } as unknown as WorkerReport)
      }
      return recovered(task)
    })
    const transactions = many.map((tx) => arrived(tx))
    await recoverAhead(transactions, pool)
    expect(shares()).toEqual([7, 7, 7])
    expect(transactions.map(keyOf)).toEqual(many.map(() => aliceKey))
  })

  it('stay here where there are few, and where there is one worker', async () => {
    for (const [count, size] of [
      [7, 4],
      [21, 1],
      [21, 0],
    ] as const) {
      const { pool, shares } = poolOf(size, recovered)
      const transactions = many.slice(0, count).map((tx) => arrived(tx))
      await recoverAhead(transactions, pool)
      expect(shares()).toEqual([])
      expect(transactions.map(keyOf)).toEqual(transactions.map(() => aliceKey))
    }
  })
})
