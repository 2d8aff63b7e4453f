// Holds recovery to the sender that stock finds, for every kind of signature, and to saying so when there
// is none. Recovers from bytes, as workers do: what crosses to them is the transaction as it is encoded.
import { Common, Mainnet } from '@ethereumjs/common'
import { createTx, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx'
import { publicToAddress } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'

import { decodeTransaction, encodeTransaction } from '../../../src/execution/chain-data.ts'
import { recoverSender } from '../../../src/execution/sender-recovery.ts'
import type { TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { NO_SENDER } from '../../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../../src/memory/shared-region.ts'
import { LocationTable } from '../../../src/mvcc/location-table.ts'
import { authorize } from '../../support/hand-made-block.ts'
import { testKzg } from '../../support/kzg.ts'
import { type Actor, actors } from '../../support/random-world.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const [alice, bob] = actors as [Actor, Actor]
const common = new Common({
  chain: Mainnet,
  hardfork: 'prague',
  customCrypto: { kzg: testKzg() },
})
const at = 3 as TxIndex

/** A signed transaction whose signer is not known beforehand. */
function signed(fields: Partial<TypedTxData>, rules = common): TypedTransaction {
  const data = { nonce: 0n, gasLimit: 100_000n, to: bob.address, ...fields } as TypedTxData
  return createTx(data, { common: rules }).sign(alice.privateKey)
}

/** What recovery leaves of the sender of `tx`: its account record. */
function recovered(tx: TypedTransaction, rules = common) {
  const memory = new VersionMemory()
  const keys: Uint8Array[] = []
  const decoded = decodeTransaction(
    encodeTransaction(tx),
    rules,
    publicToAddress,
    () => undefined,
    (key) => keys.push(key),
  )
  recoverSender(memory.control, nativeAtomics, memory.table, at, decoded)
  return { memory, keys, record: memory.field(at, 'SENDER') }
}

const fees = { maxFeePerGas: 20n, maxPriorityFeePerGas: 1n }
const blobs = { maxFeePerBlobGas: 1n, blobVersionedHashes: [new Uint8Array(32).fill(1)] }
const beforeEip155 = new Common({ chain: Mainnet, hardfork: 'homestead' })

describe('the sender of a transaction', () => {
  const kinds: Record<string, [Partial<TypedTxData>, Common?]> = {
    'that names its chain (EIP-155)': [{ type: 0, gasPrice: 10n }],
    'of before EIP-155': [{ type: 0, gasPrice: 10n }, beforeEip155],
    'with an access list': [{ type: 1, gasPrice: 10n, accessList: [] }],
    'with a priority fee': [{ type: 2, ...fees }],
    'with blobs': [{ type: 3, ...fees, ...blobs } as Partial<TypedTxData>],
    // Whoever authorizes is somebody else.
    'with authorizations': [
      {
        type: 4,
        ...fees,
        authorizationList: [authorize(bob, alice.address, 0n)],
      } as Partial<TypedTxData>,
    ],
  }
  it.each(Object.entries(kinds))('%s is who signed it', (_, [fields, rules]) => {
    const tx = signed(fields, rules)
    const { memory, keys, record } = recovered(tx, rules)
    expect(record).toBe(memory.table.account(alice.address.bytes))
    expect(keys).toEqual([alice.publicKey])
  })

  it('is known where the main thread knew its key, and nothing is recovered', () => {
    const tx = signed({ type: 2, ...fees })
    tx.cache.senderPubKey = bob.publicKey
    const { memory, keys, record } = recovered(tx)
    expect(record).toBe(memory.table.account(bob.address.bytes))
    expect(keys).toEqual([])
  })

  it('is known where the transaction has a way of its own to say it', () => {
    const tx = createTx({ type: 2, ...fees, gasLimit: 100_000n }, { common, freeze: false })
    tx.getSenderAddress = () => bob.address
    const { memory, record } = recovered(tx)
    expect(record).toBe(memory.table.account(bob.address.bytes))
  })
})

describe('a signature that is invalid', () => {
  const invalid: Record<string, Partial<TypedTxData>> = {
    // No point of the curve has this coordinate.
    'names no point': { r: 5n, s: 1n, v: 0n },
    'has a coordinate of zero': { r: 0n, s: 1n, v: 0n },
  }
  it.each(Object.entries(invalid))(
    'because it %s has no sender, and is no error yet',
    (_, fields) => {
      const tx = createTx(
        { type: 2, ...fees, gasLimit: 100_000n, to: bob.address, ...fields } as TypedTxData,
        { common },
      )
      expect(() => tx.getSenderAddress()).toThrow()
      expect(recovered(tx).record).toBe(NO_SENDER)
    },
  )
})

describe('recovery', () => {
  it('writes the one word of its transaction', () => {
    const { memory, record } = recovered(signed({ type: 2, ...fees }))
    memory.setField(at, 'SENDER', 0)
    expect(record).not.toBe(0)
    expect(memory.control).toEqual(new VersionMemory().control)
  })

  it('that finds no room for the account is refused with STORE_FULL, and leaves nothing', () => {
    const region = SharedRegion.create(128)
    const memory = new VersionMemory()
    const buckets = new Int32Array(4)
    const full = new LocationTable(buckets, 7, region, new RegionAllocator(region), nativeAtomics)
    const tx = signed({ type: 2, ...fees })
    const recover = (): void => recoverSender(memory.control, nativeAtomics, full, at, tx)
    expect(recover).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
    expect(memory.field(at, 'SENDER')).toBe(0)
  })

  it('asks the signature once, however often the sender is wanted, and not at all after another worker', () => {
    const tx = signed({ type: 2, ...fees })
    let asked = 0
    const found = (): number => asked++
    const decoded = decodeTransaction(
      encodeTransaction(tx),
      common,
      publicToAddress,
      () => undefined,
      found,
    )
    decoded.getSenderAddress()
    decoded.getSenderAddress()
    expect(asked).toBe(1)
    const other = decodeTransaction(
      encodeTransaction(tx),
      common,
      publicToAddress,
      () => bob.address.bytes,
      found,
    )
    expect(other.getSenderAddress()).toEqual(bob.address)
    expect(asked).toBe(1)
  })
})
