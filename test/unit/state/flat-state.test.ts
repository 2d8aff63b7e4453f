// Holds a flat state to stock's MerkleStateManager, call by call: answers, roots, proofs, dumps.
// Authority on what of stock's manager a flat state keeps, and where it says so that it does not.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Common, Hardfork, Mainnet, type StateManagerInterface } from '@ethereumjs/common'
import { Caches, getMerkleStateProof, MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, bytesToHex, KECCAK256_RLP } from '@ethereumjs/util'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import type { FlatStateOptions } from '../../../src/state/flat-options.ts'
import type { FlatState } from '../../../src/state/flat-state.ts'
import {
  ADDRESSES,
  calls,
  readEverything,
  type Side,
  SLOTS,
  takeRoot,
} from './support/flat-calls.ts'

const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun })

function sideOf(manager: Side['manager'], isStock: boolean): Side {
  return { manager, isStock, depth: 0, roots: [] }
}

async function leaveCheckpoints(side: Side): Promise<void> {
  for (; side.depth > 0; side.depth--) await side.manager.commit()
}

describe.each(['in memory', 'on disk'] as const)('a flat state %s', (form) => {
  const made: FlatState[] = []
  const paths: string[] = []
  afterEach(async () => {
    for (const state of made.splice(0)) await state.close()
    for (const path of paths.splice(0)) rmSync(path, { recursive: true, force: true })
  })

  async function make(options: Partial<FlatStateOptions> = {}): Promise<FlatState> {
    if (form === 'in memory') return createFlatState({ common, ...options })
    const path = mkdtempSync(join(tmpdir(), 'flat-state-'))
    const state = await createFlatState({
      common,
      store: { path },
      memoryBytes: 65_536,
      ...options,
    })
    made.push(state)
    paths.push(path)
    return state
  }

  async function bothSides(): Promise<{ flat: FlatState; ours: Side; stock: Side }> {
    const flat = await make()
    const stock = new MerkleStateManager({ common })
    return { flat, ours: sideOf(flat, false), stock: sideOf(stock, true) }
  }

  /** Each on disk opens a store. */
  const runs = (inMemory: number): number => (form === 'in memory' ? inMemory : inMemory / 3)

  it('answers as MerkleStateManager does, on any sequence of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { maxLength: 120, size: 'max' }), async (sequence) => {
        const { ours, stock } = await bothSides()
        for (const call of sequence) expect(await call(ours)).toEqual(await call(stock))
        expect(await takeRoot(ours)).toEqual(await takeRoot(stock))
        await leaveCheckpoints(ours)
        await leaveCheckpoints(stock)
        expect(await readEverything(ours)).toEqual(await readEverything(stock))
      }),
      { numRuns: runs(120) },
    )
  }, 180_000)

  it('proves and dumps what MerkleStateManager proves and dumps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { maxLength: 80, size: 'max' }), async (sequence) => {
        const { flat, ours, stock } = await bothSides()
        for (const call of sequence) {
          await call(ours)
          await call(stock)
        }
        await leaveCheckpoints(ours)
        await leaveCheckpoints(stock)
        const merkle = stock.manager as MerkleStateManager
        for (const address of ADDRESSES) {
          expect(await flat.getProof(address, SLOTS)).toEqual(
            await getMerkleStateProof(merkle, address, [...SLOTS]),
          )
          if ((await flat.getAccount(address)) === undefined) continue
          const dump = await merkle.dumpStorage(address)
          expect(await flat.dumpStorage(address)).toEqual(dump)
          const [, second = '0x0'] = Object.keys(dump).sort()
          for (const limit of [0, 1, 3, 100]) {
            const ours = await flat.dumpStorageRange(address, BigInt(second), limit)
            const { storage } = await merkle.dumpStorageRange(address, BigInt(second), limit)
            expect(ours.storage).toEqual(storage)
            // Stock names the very last key where it should name the next.
            const rest = Object.keys(dump)
              .sort()
              .filter((key) => BigInt(key) >= BigInt(second))
            expect(ours.nextKey).toBe(rest[limit] ?? null)
          }
        }
      }),
      { numRuns: runs(21) },
    )
  }, 180_000)

  it('has copies that neither see what comes later nor are seen', async () => {
    const sequences = fc.array(calls, { maxLength: 40, size: 'max' })
    await fc.assert(
      fc.asyncProperty(sequences, sequences, sequences, async (before, onCopy, onOriginal) => {
        const { flat, ours, stock } = await bothSides()
        for (const call of before) expect(await call(ours)).toEqual(await call(stock))
        await leaveCheckpoints(ours)
        await leaveCheckpoints(stock)
        await stock.manager.getStateRoot()
        const twin = sideOf((stock.manager as MerkleStateManager).shallowCopy(), true)
        const copy = sideOf(flat.shallowCopy(), false)
        for (let i = 0; i < Math.max(onCopy.length, onOriginal.length); i++) {
          expect(await onCopy[i]?.(copy)).toEqual(await onCopy[i]?.(twin))
          expect(await onOriginal[i]?.(ours)).toEqual(await onOriginal[i]?.(stock))
        }
        for (const [a, b] of [
          [copy, twin],
          [ours, stock],
        ]) {
          await leaveCheckpoints(a)
          await leaveCheckpoints(b)
          expect(await readEverything(a)).toEqual(await readEverything(b))
        }
        const again = sideOf((copy.manager as FlatState).shallowCopy(), false)
        expect(await readEverything(again)).toEqual(await readEverything(twin))
      }),
      { numRuns: runs(60) },
    )
  }, 180_000)

  it('copies what was committed, not what is under way', async () => {
    const { flat } = await bothSides()
    const [a, b] = ADDRESSES
    await flat.putAccount(a, new Account(1n, 5n))
    const root = await flat.getStateRoot()
    await flat.putAccount(b, new Account(2n, 6n))
    await flat.checkpoint()
    await flat.putAccount(a, new Account(3n, 7n))
    await flat.putStorage(b, SLOTS[1], Uint8Array.of(1))
    const copy = flat.shallowCopy()
    expect((await copy.getAccount(a))?.nonce).toBe(1n)
    expect((await copy.getAccount(b))?.nonce).toBe(2n)
    expect(await copy.getStorage(b, SLOTS[1])).toHaveLength(0)
    await flat.revert()
    expect(await copy.getStateRoot()).toEqual(await flat.getStateRoot())
    await copy.setStateRoot(root)
    expect(await copy.getAccount(b)).toBeUndefined()
    expect((await flat.getAccount(b))?.nonce).toBe(2n)

    await copy.putAccount(b, new Account(9n))
    await copy.checkpoint()
    await copy.putStorage(b, SLOTS[1], Uint8Array.of(1))
    await copy.deleteAccount(b)
    expect((await copy.shallowCopy().getAccount(b))?.nonce).toBe(9n)
  })

  it('has copies whose storage roots go back with what is reverted', async () => {
    const { flat } = await bothSides()
    const [a] = ADDRESSES
    await flat.putAccount(a, new Account())
    const copy = flat.shallowCopy()
    await copy.checkpoint()
    await copy.putStorage(a, SLOTS[1], Uint8Array.of(1))
    await copy.getStateRoot()
    expect((await copy.getAccount(a))?.storageRoot).not.toEqual(KECCAK256_RLP)
    await copy.revert()
    expect((await copy.getAccount(a))?.storageRoot).toEqual(KECCAK256_RLP)
  })

  it('keeps slots that were committed since the last root, whatever root is put with their account', async () => {
    for (const isCopy of [false, true]) {
      const { flat } = await bothSides()
      const [a] = ADDRESSES
      await flat.putAccount(a, new Account())
      await flat.putStorage(a, SLOTS[1], Uint8Array.of(1))
      await flat.getStateRoot()
      const state = isCopy ? flat.shallowCopy() : flat
      await state.checkpoint()
      await state.putStorage(a, SLOTS[2], Uint8Array.of(2))
      await state.commit()
      await state.putAccount(a, new Account(2n))
      expect(await state.getStorage(a, SLOTS[1])).toEqual(Uint8Array.of(1))
      expect(await state.getStorage(a, SLOTS[2])).toEqual(Uint8Array.of(2))
      await state.getStateRoot()
      await state.putAccount(a, new Account(3n))
      expect(await state.getStorage(a, SLOTS[2])).toHaveLength(0)
    }
  })

  it('has copies of copies that can go back to where these were', async () => {
    const { flat } = await bothSides()
    const [a] = ADDRESSES
    const copy = flat.shallowCopy()
    const roots: Uint8Array[] = []
    for (const nonce of [1n, 2n]) {
      await copy.putAccount(a, new Account(nonce))
      await copy.putStorage(a, SLOTS[1], Uint8Array.of(Number(nonce)))
      roots.push(await copy.getStateRoot())
    }
    const again = copy.shallowCopy()
    await again.putAccount(a, new Account(3n))
    const own = await again.getStateRoot()
    for (const [i, root] of roots.entries()) {
      await again.setStateRoot(root)
      expect(await again.getStateRoot()).toEqual(root)
      expect((await again.getAccount(a))?.nonce).toBe(BigInt(i + 1))
      expect(await again.getStorage(a, SLOTS[1])).toEqual(Uint8Array.of(i + 1))
    }
    expect(await copy.hasStateRoot(own)).toBe(false)
    expect(await flat.hasStateRoot(roots[1])).toBe(false)
  })

  it('goes back to the last roots, and says which it does not keep', async () => {
    const state = await make({ keptRoots: 3 })
    const roots: Uint8Array[] = []
    for (let i = 0; i < 6; i++) {
      await state.putAccount(ADDRESSES[i], new Account(1n, BigInt(i)))
      await state.putStorage(ADDRESSES[i], SLOTS[i], Uint8Array.of(i + 1))
      roots.push(await state.getStateRoot())
    }
    for (const i of [3, 5, 4, 3, 5]) {
      expect(await state.hasStateRoot(roots[i])).toBe(true)
      await state.setStateRoot(roots[i])
      expect(await state.getStateRoot()).toEqual(roots[i])
      expect((await state.getAccount(ADDRESSES[i]))?.balance).toBe(BigInt(i))
      expect(await state.getAccount(ADDRESSES[i + 1])).toBeUndefined()
    }
    expect(await state.hasStateRoot(roots[2])).toBe(false)
    await expect(state.setStateRoot(roots[2])).rejects.toThrow(
      `${bytesToHex(roots[2])} is not one of those that the flat state keeps`,
    )
    await state.checkpoint()
    await expect(state.setStateRoot(roots[4])).rejects.toThrow('while a checkpoint is open')
    await expect(state.revert()).resolves.toBeUndefined()
    await expect(state.revert()).rejects.toThrow('trying to revert when not checkpointed')
    await expect(state.commit()).rejects.toThrow('trying to commit when not checkpointed')
  })

  it('keeps the root that was taken inside of a checkpoint, once that is committed', async () => {
    const state = await make()
    await state.checkpoint()
    await state.putAccount(ADDRESSES[0], new Account(1n))
    const root = await state.getStateRoot()
    expect(await state.hasStateRoot(root)).toBe(false)
    await state.commit()
    expect(await state.hasStateRoot(root)).toBe(true)
    await state.checkpoint()
    await state.putAccount(ADDRESSES[1], new Account(1n))
    const other = await state.getStateRoot()
    await state.revert()
    expect(await state.hasStateRoot(other)).toBe(false)
    expect(await state.getStateRoot()).toEqual(root)
  })

  it('empties the storage of an account that is destroyed, or put with the root of nothing', async () => {
    const state = await make()
    const [address] = ADDRESSES
    for (const end of ['delete', 'put', 'root'] as const) {
      await state.putAccount(address, new Account(1n))
      await state.putStorage(address, SLOTS[0], Uint8Array.of(1))
      await state.getStateRoot()
      if (end === 'delete') await state.deleteAccount(address)
      else if (end === 'put') await state.putAccount(address, undefined)
      await state.putAccount(address, new Account(2n, 0n, KECCAK256_RLP))
      expect(await state.getStorage(address, SLOTS[0])).toHaveLength(0)
      expect((await state.getAccount(address))?.storageRoot).toEqual(KECCAK256_RLP)
    }
  })

  it('keeps what was written after the account that is put was read, as stock with caches does', async () => {
    const act = fc.record({
      kind: fc.constantFrom(
        'read',
        'read',
        'put',
        'put',
        'put',
        'slot',
        'slot',
        'slot',
        'delete',
        'clear',
        'checkpoint',
        'revert',
        'root',
      ),
      slot: fc.nat({ max: 3 }),
      value: fc.nat({ max: 2 }),
    })
    const [address] = ADDRESSES
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.boolean(), async (acts, isCopy) => {
        const stock = new MerkleStateManager({ common, caches: new Caches() })
        const state = await make()
        const flat = isCopy ? state.shallowCopy() : state
        const held = new Map<StateManagerInterface, Account | undefined>()
        let depth = 0
        for (const { kind, slot, value } of [...acts, { kind: 'root', slot: 0, value: 0 }]) {
          if (kind === 'checkpoint' && depth > 0) continue
          if (kind === 'revert' && depth === 0) continue
          // Stock does not take back that its caches forgot a storage.
          if ((kind === 'delete' || kind === 'clear') && depth > 0) continue
          const answers: unknown[] = []
          for (const manager of [stock, flat]) {
            const account = await manager.getAccount(address)
            if (kind === 'read') held.set(manager, account ?? new Account())
            else if (kind === 'put') {
              const old = held.get(manager) ?? account ?? new Account()
              old.balance += 1n
              await manager.putAccount(address, old)
              held.set(manager, old)
            } else if (kind === 'slot' && account !== undefined) {
              // As an EVM does it, which asks before it writes.
              answers.push(await manager.getStorage(address, SLOTS[slot]))
              const bytes = value === 0 ? new Uint8Array() : Uint8Array.of(value)
              await manager.putStorage(address, SLOTS[slot], bytes)
            } else if (kind === 'delete' || kind === 'clear') {
              if (account !== undefined) await manager.clearStorage(address)
              if (kind === 'delete') await manager.deleteAccount(address)
            } else if (kind === 'checkpoint') await manager.checkpoint()
            else if (kind === 'revert') await manager.revert()
            else if (kind === 'root' && depth === 0) {
              answers.push(bytesToHex(await manager.getStateRoot()))
            }
            for (const key of SLOTS.slice(0, 4)) {
              answers.push(bytesToHex(await manager.getStorage(address, key)))
            }
          }
          // Older ones have another root than that of storage that is there, which only stock goes back to.
          if (!['read', 'put', 'slot'].includes(kind)) held.clear()
          if (kind === 'checkpoint') depth++
          if (kind === 'revert') depth--
          const half = answers.length / 2
          expect(answers.slice(half)).toEqual(answers.slice(0, half))
        }
      }),
      { numRuns: runs(300) },
    )
  })

  it('empties nothing that was written since the last root where an older account is put', async () => {
    const [address] = ADDRESSES
    for (const copies of [false, true]) {
      const original = await make()
      const state = copies ? original.shallowCopy() : original
      const old = new Account(1n)
      await state.putAccount(address, old)
      await state.putStorage(address, SLOTS[0], Uint8Array.of(1))
      await state.getStateRoot()
      await state.putStorage(address, SLOTS[1], Uint8Array.of(2))
      await state.putAccount(address, old)
      expect(await state.getStorage(address, SLOTS[0])).toEqual(Uint8Array.of(1))
      expect(await state.getStorage(address, SLOTS[1])).toEqual(Uint8Array.of(2))
      // Destroyed and made again: its old storage's root is the last that was computed.
      await state.deleteAccount(address)
      await state.putAccount(address, old)
      await state.putStorage(address, SLOTS[2], Uint8Array.of(3))
      await state.putAccount(address, old)
      expect(await state.getStorage(address, SLOTS[2])).toEqual(Uint8Array.of(3))
    }
  })

  it('has copies that keep as many roots as it does', async () => {
    const state = await make({ keptRoots: 3 })
    const copy = state.shallowCopy()
    const roots: Uint8Array[] = []
    for (let i = 0; i < 6; i++) {
      await copy.putAccount(ADDRESSES[i], new Account(1n, BigInt(i)))
      roots.push(await copy.getStateRoot())
    }
    const kept = await Promise.all(roots.map((root) => copy.hasStateRoot(root)))
    expect(kept).toEqual([false, false, false, true, true, true])
    await copy.setStateRoot(roots[3])
    expect((await copy.getAccount(ADDRESSES[3]))?.balance).toBe(3n)
    expect(await copy.getAccount(ADDRESSES[4])).toBeUndefined()
  })

  it('refuses what it cannot hold, and options that are not allowed', async () => {
    const state = await make()
    const huge = new Account(0n, 2n ** 256n)
    await expect(state.putAccount(ADDRESSES[0], huge)).rejects.toThrow('below 2^256 wei')
    const many = new Account(2n ** 64n)
    await expect(state.putAccount(ADDRESSES[0], many)).rejects.toThrow('below 2^64')
    await expect(state.putStorage(ADDRESSES[0], SLOTS[0], Uint8Array.of(1))).rejects.toThrow(
      'putStorage() called on non-existing account',
    )
    await expect(state.getStorage(ADDRESSES[0], new Uint8Array(31))).rejects.toThrow('32 bytes')
    for (const options of [
      { keptRoots: 0 },
      { maxStateMiB: 1.5 },
      { cache: 1 },
      { memoryBytes: 100_000 },
      { memoryBytes: 1_000, store: { path: 'nowhere' } },
    ]) {
      const refused = createFlatState({ common, ...options })
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    }
  })
})
