// What a flat state takes from elsewhere has the root that it has there, or is refused.
// Authority on imports; the state itself is flat-state.test.ts' matter.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Common, type GenesisState, Mainnet } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, hexToBytes, setLengthLeft } from '@ethereumjs/util'
import { afterEach, describe, expect, it } from 'vitest'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import type { AllocAccount } from '../../../src/state/flat-import.ts'
import type { FlatState } from '../../../src/state/flat-state.ts'

const common = new Common({ chain: Mainnet })
const addressOf = (number: number): Address =>
  new Address(setLengthLeft(Uint8Array.of(1 + (number >> 8), number), 20))
const keyOf = (number: number): Uint8Array => setLengthLeft(Uint8Array.of(number), 32)

const genesis: GenesisState = {
  [addressOf(1).toString()]: '0x1234',
  [addressOf(2).toString()]: [
    '0x1',
    '0x6001',
    [
      [`0x${'00'.repeat(32)}`, '0x05'],
      [`0x${'00'.repeat(31)}02`, '0x0007'],
    ],
    '0x3',
  ],
  [addressOf(3).toString()]: ['0x00'],
}

describe.each(['in memory', 'on disk'] as const)('an import %s', (form) => {
  const made: FlatState[] = []
  const paths: string[] = []
  afterEach(async () => {
    for (const state of made.splice(0)) await state.close()
    for (const path of paths.splice(0)) rmSync(path, { recursive: true, force: true })
  })

  async function make(): Promise<FlatState> {
    if (form === 'in memory') return createFlatState({ common })
    const path = mkdtempSync(join(tmpdir(), 'flat-import-'))
    const state = await createFlatState({ common, store: { path }, memoryBytes: 65_536 })
    made.push(state)
    paths.push(path)
    return state
  }

  it('of a genesis state leaves what MerkleStateManager has of it', async () => {
    const stock = new MerkleStateManager({ common })
    await stock.generateCanonicalGenesis(genesis)
    const state = await make()
    await state.generateCanonicalGenesis(genesis)
    expect(await state.getStateRoot()).toEqual(await stock.getStateRoot())
    await state.checkpoint()
    await expect(state.generateCanonicalGenesis(genesis)).rejects.toThrow('uncommitted checkpoints')
  })

  it('of an alloc tells how far it is, and keeps no root from before', async () => {
    const accounts: [string, AllocAccount][] = Array.from({ length: 2_345 }, (_, i) => [
      addressOf(i)
        .toString()
        .slice(i % 2 === 0 ? 0 : 2),
      {
        balance: i % 3 === 0 ? BigInt(i) : `0x${i.toString(16)}`,
        nonce: BigInt(i % 5),
        ...(i % 100 === 0
          ? { code: '0x6002', storage: { '0x1': '0x0200', '02': '1', '0x3': '0x' } }
          : {}),
      },
    ])
    const stock = new MerkleStateManager({ common })
    for (const [name, { balance = 0n, nonce = 0n, code }] of accounts) {
      const address = new Address(hexToBytes(`0x${name.replace('0x', '')}`))
      await stock.putAccount(address, new Account(BigInt(nonce), BigInt(balance)))
      if (code === undefined) continue
      await stock.putCode(address, hexToBytes('0x6002'))
      await stock.putStorage(address, keyOf(1), Uint8Array.of(2, 0))
      await stock.putStorage(address, keyOf(2), Uint8Array.of(1))
    }
    const root = await stock.getStateRoot()

    const state = await make()
    await state.putAccount(addressOf(1), new Account(7n))
    const before = await state.getStateRoot()
    const told: unknown[] = []
    const imported = await state.importAlloc(accounts, { onProgress: (at) => told.push(at) })
    expect(imported).toEqual(root)
    expect(told).toEqual([
      { accounts: 1000, slots: 30 },
      { accounts: 2000, slots: 60 },
      { accounts: 2345, slots: 72 },
    ])
    expect(await state.hasStateRoot(before)).toBe(false)
    expect(await state.hasStateRoot(root)).toBe(true)

    async function* oneByOne(): AsyncGenerator<[string, AllocAccount]> {
      yield* accounts
    }
    const again = await make()
    expect(await again.importAlloc(oneByOne())).toEqual(root)
    const byName = await make()
    expect(await byName.importAlloc(Object.fromEntries(accounts))).toEqual(root)
  })

  it('of another state needs all keys, and says when some are missing', async () => {
    const stock = new MerkleStateManager({ common })
    await stock.generateCanonicalGenesis(genesis)
    const keys = [1, 2, 3, 4].map((i) => ({ address: addressOf(i), slots: [0, 1, 2].map(keyOf) }))
    const state = await make()
    expect(await state.importState(stock, keys)).toEqual(await stock.getStateRoot())
    expect(await state.getCode(addressOf(2))).toEqual(hexToBytes('0x6001'))
    const other = await make()
    await expect(other.importState(stock, keys.slice(1))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('that is refused leaves the state as it was', async () => {
    const many = (from: number): [string, AllocAccount][] =>
      Array.from({ length: 2_100 }, (_, i) => [
        addressOf(from + i).toString(),
        { balance: BigInt(i + 1), storage: { '0x1': '0x07', [`0x${i.toString(16)}`]: '0x02' } },
      ])
    const bad: [string, AllocAccount] = [
      addressOf(7).toString(),
      { storage: { '0x1': `0x${'01'.repeat(33)}` } },
    ]
    const stock = new MerkleStateManager({ common })
    await stock.generateCanonicalGenesis(genesis)
    const keys = [1, 2].map((i) => ({ address: addressOf(i), slots: [0, 1, 2].map(keyOf) }))
    for (const isEmpty of [true, false]) {
      const state = await make()
      const roots = [await state.getStateRoot()]
      if (!isEmpty) {
        await state.generateCanonicalGenesis(genesis)
        roots.push(await state.getStateRoot())
        await state.importAlloc(many(1_000).slice(0, 5))
        roots.splice(0, 2, await state.getStateRoot())
        await state.putStorage(addressOf(1_000), keyOf(1), Uint8Array.of(9))
        roots.push(await state.getStateRoot())
        await state.putAccount(addressOf(5), new Account(3n))
      }
      const root = await state.getStateRoot()
      for (const refused of [
        () => state.importAlloc([...many(1_003), bad]),
        () => state.importAlloc([bad]),
        () => state.importState(stock, keys),
      ]) {
        await expect(refused()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
        expect(await state.getStateRoot()).toEqual(root)
        expect(await state.getAccount(addressOf(2_500))).toBeUndefined()
        expect(await state.getStorage(addressOf(1_003), keyOf(1))).toEqual(
          isEmpty ? new Uint8Array() : Uint8Array.of(7),
        )
        for (const earlier of [...roots, root]) {
          await state.setStateRoot(earlier)
          expect(await state.getStateRoot()).toEqual(earlier)
        }
      }
      const whole = await make()
      await whole.importAlloc(many(1))
      if (isEmpty) {
        expect(await state.importAlloc(many(1))).toEqual(await whole.getStateRoot())
      }
    }
  })

  it('refuses slots and values that are longer than 32 bytes', async () => {
    const state = await make()
    const long = `0x${'01'.repeat(33)}`
    for (const storage of [{ [long]: '0x1' }, { '0x1': long }]) {
      const imported = state.importAlloc({ [addressOf(1).toString()]: { storage } })
      await expect(imported).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })

  it('is for a state itself, and for one that is at rest', async () => {
    const state = await make()
    await expect(state.shallowCopy().importAlloc({})).rejects.toThrow('no copy')
    await state.checkpoint()
    await expect(state.importAlloc({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
