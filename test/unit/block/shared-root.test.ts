// Roots of a flat state that threads hash together, held to those of stock's MerkleStateManager.
// Authority on what may happen meanwhile: questions, writes, copies, and the death of workers.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Common, Mainnet } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, bytesToHex, equalsBytes, setLengthLeft } from '@ethereumjs/util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashOnWorkers } from '../../../src/block/shared-root.ts'
import { FLAT_HELPER, FLAT_PARTS } from '../../../src/memory/flat-layout.ts'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import type { FlatData } from '../../../src/state/flat-data.ts'
import { areHashed } from '../../../src/state/flat-parts.ts'
import { type FlatState, flatDataOf } from '../../../src/state/flat-state.ts'
import { WorkerPool } from '../../../src/workers/pool.ts'
import type { HashTask } from '../../../src/workers/protocol.ts'

const common = new Common({ chain: Mainnet })
const ACCOUNTS = 300
/** Their storage changes most. */
const BIG = 3

let pool: WorkerPool
beforeAll(async () => {
  pool = new WorkerPool(2, undefined)
  await pool.warm(60_000)
})
afterAll(() => pool.close())

function addressOf(number: number): Address {
  return new Address(setLengthLeft(Uint8Array.of(number >> 8, number), 20))
}

function keyOf(number: number): Uint8Array {
  return setLengthLeft(Uint8Array.of(number >> 8, number), 32)
}

type Manager = FlatState | MerkleStateManager

/** Changes that follow from `seed`; the same on every manager. */
async function change(manager: Manager, seed: number, count: number): Promise<void> {
  let state = seed
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  for (let i = 0; i < count; i++) {
    const at = next(3) === 0 ? next(BIG) : next(ACCOUNTS)
    const address = addressOf(at)
    const account = await manager.getAccount(address)
    if (account === undefined || next(4) === 0) {
      await manager.putAccount(address, account ?? new Account())
      await manager.modifyAccountFields(address, { nonce: BigInt(next(1000)), balance: 7n })
    } else if (at >= BIG && next(8) === 0) {
      // Stock's forgets to empty the storage.
      await manager.clearStorage(address)
      await manager.deleteAccount(address)
    } else {
      const value = next(3) === 0 ? new Uint8Array() : Uint8Array.of(1 + next(255))
      await manager.putStorage(address, keyOf(next(at < BIG ? 600 : 6)), value)
    }
  }
}

async function bothSides(): Promise<{
  flat: FlatState
  data: FlatData
  stock: MerkleStateManager
}> {
  const flat = await createFlatState({ common })
  const data = flatDataOf(flat)
  if (data === undefined) throw new Error('a flat state has no memory')
  return { flat, data, stock: new MerkleStateManager({ common }) }
}

async function rootOf(manager: Manager): Promise<string> {
  return bytesToHex(await manager.getStateRoot())
}

/** A round, whether it is taken back, and whether the calling thread helps. */
const rounds = fc.array(
  fc.record({
    seed: fc.nat(),
    count: fc.constantFrom(0, 1, 10, 200, 700),
    isReverted: fc.boolean(),
    helps: fc.boolean(),
  }),
  { minLength: 2, maxLength: 6 },
)

describe('a root that workers help to hash', () => {
  it('is the root of the tries of stock, after any history', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (history) => {
        const { flat, data, stock } = await bothSides()
        for (const { seed, count, isReverted, helps } of history) {
          for (const manager of [flat, stock]) {
            await manager.checkpoint()
            await change(manager, seed, count)
          }
          await hashOnWorkers(data, pool, helps, 1)
          expect(await rootOf(flat)).toBe(await rootOf(stock))
          for (const manager of [flat, stock]) {
            if (isReverted) await manager.revert()
            else await manager.commit()
          }
          await hashOnWorkers(data, pool, helps, 1)
          expect(await rootOf(flat)).toBe(await rootOf(stock))
        }
        for (let i = 0; i < ACCOUNTS; i++) {
          const [ours, theirs] = [flat, stock].map((it) => it.getAccount(addressOf(i)))
          expect((await ours)?.storageRoot).toEqual((await theirs)?.storageRoot)
        }
      }),
      { numRuns: 6 },
    )
  }, 300_000)

  it('waits for no worker where few have changed something, and is right for what is empty', async () => {
    const { flat, data } = await bothSides()
    await change(flat, 5, 20)
    const runs: unknown[] = []
    const silent = { size: 2, run: async (task: unknown) => runs.push(task) }
    await hashOnWorkers(data, silent as unknown as WorkerPool)
    expect(runs).toEqual([])
    const { flat: empty, data: none } = await bothSides()
    await hashOnWorkers(none, pool, true, 0)
    expect(await rootOf(empty)).toBe(await rootOf(new MerkleStateManager({ common })))
  })

  it('is waited for by who writes, copies or asks meanwhile', async () => {
    const { flat, data, stock } = await bothSides()
    for (let round = 0; round < 8; round++) {
      for (const manager of [flat, stock]) await change(manager, round, 900)
      const before = await rootOf(stock)
      // Once before workers have begun, once while they are at it or have just ended.
      const { promise: opened, resolve: open } = Promise.withResolvers<void>()
      const run: WorkerPool['run'] = (task) => opened.then(() => pool.run(task))
      const late = { size: 2, run } as unknown as WorkerPool
      const hashing = hashOnWorkers(data, round < 4 ? late : pool, false, 1)
      if (round < 4) expect(data.tries.isShared).toBe(true)
      if (round % 4 === 0) {
        const copy = flat.shallowCopy()
        expect(await rootOf(copy)).toBe(before)
      } else if (round % 4 === 1) {
        for (const manager of [flat, stock]) await change(manager, 100 + round, 50)
      } else if (round % 4 === 2) {
        for (let i = 0; i < ACCOUNTS; i++) {
          const [ours, theirs] = [flat, stock].map((it) => it.getAccount(addressOf(i)))
          expect((await ours)?.storageRoot).toEqual((await theirs)?.storageRoot)
        }
      } else {
        expect(await rootOf(flat)).toBe(before)
      }
      open()
      await hashing
      expect(data.tries.isShared).toBe(false)
      expect(await rootOf(flat)).toBe(await rootOf(stock))
    }
  }, 120_000)

  it('is right although workers die while they hash it', async () => {
    const mortal = new WorkerPool(2, undefined)
    await mortal.warm(60_000)
    try {
      const { flat, data, stock } = await bothSides()
      for (let round = 0; round < 6; round++) {
        for (const manager of [flat, stock]) await change(manager, round, 900)
        const hashing = hashOnWorkers(data, mortal, round % 2 === 0, 1)
        await new Promise((resolve) => setTimeout(resolve, round / 2))
        for (const thread of mortal.workerThreads) void thread.terminate()
        await hashing
        expect(await rootOf(flat)).toBe(await rootOf(stock))
      }
    } finally {
      await mortal.close()
    }
  }, 120_000)

  it('is finished by the calling thread where no worker comes, or one gives up', async () => {
    const { flat, data, stock } = await bothSides()
    const pools = [
      { size: 2, run: () => new Promise(() => {}) },
      { size: 2, run: async () => ({ kind: 'failed', error: {} }) },
      { size: 1, run: () => Promise.reject(new Error('closed')) },
    ]
    for (const [round, silent] of pools.entries()) {
      for (const manager of [flat, stock]) await change(manager, round, 400)
      await hashOnWorkers(data, silent as unknown as WorkerPool, true, 1)
      expect(await rootOf(flat)).toBe(await rootOf(stock))
    }
    // A part that somebody has begun and never ends.
    for (const manager of [flat, stock]) await change(manager, 77, 400)
    const parts = data.shareRoot(1)!
    Atomics.add(parts, FLAT_PARTS.NEXT, 1)
    expect(areHashed(parts)).toBe(false)
    expect(await rootOf(flat)).toBe(await rootOf(stock))
  }, 120_000)

  it('is told, and changed, while a dead worker is waited for', async () => {
    const { flat, data, stock } = await bothSides()
    for (const how of ['ask', 'write', 'wait'] as const) {
      for (const manager of [flat, stock]) await change(manager, how.length, 700)
      // It dies at a part that it has begun.
      const { promise: death, reject: die } = Promise.withResolvers<never>()
      const run = ({ parts, helper }: HashTask): Promise<never> => {
        const words = new Int32Array(parts)
        Atomics.store(words, FLAT_PARTS.HELPERS + helper, FLAT_HELPER.BUSY)
        Atomics.add(words, FLAT_PARTS.NEXT, 1)
        return death
      }
      const mortal = { size: 2, run } as unknown as WorkerPool
      const hashing = hashOnWorkers(data, mortal, true, 1)
      die(new Error('dead'))
      // By then the death is known, and what is under way is waited for.
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (how === 'ask') expect(await rootOf(flat)).toBe(await rootOf(stock))
      if (how === 'write') for (const manager of [flat, stock]) await change(manager, 100, 50)
      expect(await hashing).toContain('A worker ended')
      expect(await rootOf(flat)).toBe(await rootOf(stock))
    }
  })

  it('reaches the store with all nodes that changed', async () => {
    const path = mkdtempSync(join(tmpdir(), 'shared-root-'))
    try {
      const state = await createFlatState({ common, store: { path } })
      let root = new Uint8Array()
      for (let round = 0; round < 5; round++) {
        await state.checkpoint()
        await change(state, round, 400)
        await hashOnWorkers(flatDataOf(state)!, pool, round % 2 === 0, 1)
        root = Uint8Array.from(await state.getStateRoot())
        await state.commit()
      }
      await state.close()
      // Only what is stored is left to find the root by, and a proof needs every node.
      const again = await createFlatState({ common, store: { path } })
      expect(equalsBytes(await again.getStateRoot(), root)).toBe(true)
      const expected = new MerkleStateManager({ common })
      for (let round = 0; round < 5; round++) await change(expected, round, 400)
      expect(await rootOf(expected)).toBe(bytesToHex(root))
      await change(again, 9, 400)
      await change(expected, 9, 400)
      expect(await rootOf(again)).toBe(await rootOf(expected))
      await again.close()
    } finally {
      rmSync(path, { recursive: true, force: true })
    }
  }, 60_000)
})
