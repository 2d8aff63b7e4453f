// A flat state that lies on disk, of which memory has a part: it may be many times as large as that.
// Authority on what is read from disk, and on what is there after the process has ended. That it answers as
// stock does is flat-state.test.ts' matter.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, bytesToHex, equalsBytes, KECCAK256_RLP } from '@ethereumjs/util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import { DiskBase } from '../../../src/state/disk-base.ts'
import type { FlatState } from '../../../src/state/flat-state.ts'
import { addressOf, common, keyOf, makeRound, roundsOf } from './support/stored-rounds.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'disk-state-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(path, { recursive: true, force: true })
})

const BUDGET = 65_536
const ACCOUNTS = 3_400

function open(): Promise<FlatState> {
  return createFlatState({ common, store: { path }, memoryBytes: BUDGET })
}

type Manager = FlatState | MerkleStateManager

/** Numbers below bounds, the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A block: some accounts and slots of all that there are change, and sometimes that is taken back. */
async function makeBlock(manager: Manager, seed: number, changes: number): Promise<Uint8Array> {
  const next = generator(seed)
  await manager.checkpoint()
  for (let i = 0; i < changes; i++) {
    const address = addressOf(next(ACCOUNTS))
    const account = await manager.getAccount(address)
    const kind = next(8)
    if (account === undefined || kind === 0) {
      const fresh = account ?? new Account()
      fresh.balance += BigInt(next(1_000))
      await manager.putAccount(address, fresh)
    } else if (kind === 1 && next(4) === 0) {
      // Stock's forgets to empty the storage.
      await manager.clearStorage(address)
      await manager.deleteAccount(address)
    } else if (kind === 2) {
      await manager.putCode(address, Uint8Array.of(seed, next(256), 1))
    } else {
      const value = next(4) === 0 ? new Uint8Array() : Uint8Array.of(1 + next(255), next(256))
      await manager.putStorage(address, keyOf(next(5)), value)
    }
  }
  if (seed % 5 === 4) {
    await manager.revert()
    return manager.getStateRoot()
  }
  const root = await manager.getStateRoot()
  await manager.commit()
  return root
}

function alloc(): [string, { balance: bigint; storage: Record<string, string> }][] {
  return Array.from({ length: ACCOUNTS }, (_, i) => [
    addressOf(i).toString(),
    {
      balance: BigInt(i + 1),
      storage: { [bytesToHex(keyOf(1))]: '0x1234', [bytesToHex(keyOf(2))]: '0x56' },
    },
  ])
}

/** Roots are compared, and every `step`th account with its storage. */
async function expectEqual(state: FlatState, stock: Manager, step = 1): Promise<void> {
  expect(await state.getStateRoot()).toEqual(await stock.getStateRoot())
  for (let i = 0; i < ACCOUNTS; i += step) {
    const [ours, theirs] = await Promise.all(
      [state, stock].map((it) => it.getAccount(addressOf(i))),
    )
    expect(ours?.serialize()).toEqual(theirs?.serialize())
    if (ours === undefined) continue
    for (let key = 0; key < 5; key++) {
      const [a, b] = await Promise.all(
        [state, stock].map((it) => it.getStorage(addressOf(i), keyOf(key))),
      )
      if (!equalsBytes(a!, b!)) expect(a).toEqual(b)
    }
    expect(await state.getCode(addressOf(i))).toEqual(await stock.getCode(addressOf(i)))
  }
}

describe('a state on disk', () => {
  it('is right when it is ten times as large as its memory, and when it is opened again', async () => {
    const bases: DiskBase[] = []
    const account = DiskBase.prototype.account
    vi.spyOn(DiskBase.prototype, 'account').mockImplementation(function (this: DiskBase, ...args) {
      if (!bases.includes(this)) bases.push(this)
      return account.apply(this, args)
    })
    let state = await open()
    await state.importAlloc(alloc())
    const stock = new MerkleStateManager({ common })
    for (const [i, [, { balance }]] of alloc().entries()) {
      await stock.putAccount(addressOf(i), new Account(0n, balance))
      await stock.putStorage(addressOf(i), keyOf(1), Uint8Array.of(0x12, 0x34))
      await stock.putStorage(addressOf(i), keyOf(2), Uint8Array.of(0x56))
    }
    // Keys and values alone, without what leads to them.
    expect(ACCOUNTS * (20 + 70 + 2 * (52 + 1))).toBeGreaterThan(10 * BUDGET)
    for (let seed = 0; seed < 24; seed++) {
      expect(await makeBlock(state, seed, 60)).toEqual(await makeBlock(stock, seed, 60))
      for (const base of bases) expect(base.cachedBytes).toBeLessThanOrEqual(BUDGET)
      if (seed % 8 !== 7) continue
      await expectEqual(state, stock, 5)
      await state.close()
      state = await open()
      await expectEqual(state, stock, seed === 23 ? 1 : 7)
    }
    await state.close()
    expect(bases.length).toBeGreaterThan(2)
  }, 300_000)

  it('goes back and forth between its roots, and says what it does not keep', async () => {
    const state = await createFlatState({
      common,
      store: { path },
      memoryBytes: BUDGET,
      keptRoots: 5,
    })
    const twin = await createFlatState({ common })
    const roots: Uint8Array[] = []
    for (let seed = 0; seed < 9; seed++) {
      const root = await makeBlock(state, seed, 200)
      expect(root).toEqual(await makeBlock(twin, seed, 200))
      if (seed % 5 !== 4) roots.push(root)
    }
    const copies = new Map<Uint8Array, FlatState>()
    for (const i of [3, 6, 4, 5, 6, 2, 3]) {
      const root = roots[i]!
      if (i === 2) {
        await expect(state.setStateRoot(root)).rejects.toMatchObject({ code: 'UNKNOWN_STATE_ROOT' })
        continue
      }
      await state.setStateRoot(root)
      await twin.setStateRoot(root)
      await expectEqual(state, twin, 3)
      copies.set(root, state.shallowCopy())
    }
    for (const [root, copy] of copies) {
      expect(await copy.getStateRoot()).toEqual(root)
      await twin.setStateRoot(root)
      await expectEqual(copy, twin, 2)
      // A branch of its own.
      const other = twin.shallowCopy()
      expect(await makeBlock(copy, 77, 50)).toEqual(await makeBlock(other, 77, 50))
    }
    await state.setStateRoot(roots[4]!)
    await state.close()
    const again = await open()
    await twin.setStateRoot(roots[4]!)
    await expectEqual(again, twin)
    await again.close()
  }, 120_000)

  it('that cannot be stored is as it was before, and says why', async () => {
    const state = await open()
    const twin = await createFlatState({ common })
    for (const each of [state, twin]) await makeRound(each, 1)
    const cause = new Error('the disk is full')
    const from = Buffer.from
    for (const entries of [1, 30, 150]) {
      let left = entries
      Buffer.from = ((...args: Parameters<typeof from>) => {
        if (args[0]?.constructor === Uint8Array && --left === 0) throw cause
        return from(...args)
      }) as typeof Buffer.from
      try {
        const failed = makeRound(state, 2)
        await expect(failed).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED', cause })
      } finally {
        Buffer.from = from
      }
      await state.revert()
      await expectEqual(state, twin)
    }
    for (const round of [2, 3]) {
      expect(await makeRound(state, round)).toEqual(await makeRound(twin, round))
    }
    await state.close()
    const again = await open()
    await expectEqual(again, twin)
    await again.close()
  })

  it('is whole after the process was killed, between commits or within one', async () => {
    const twin = await createFlatState({ common })
    const program = join(import.meta.dirname, 'support/stored-rounds.ts')
    let done = 0
    for (const entries of [0, 1, 40, 200, 0, 900]) {
      const args = [program, path, String(entries), String(BUDGET)]
      const child = spawn(process.execPath, args)
      let errors = ''
      child.stderr.on('data', (data) => {
        errors += data
      })
      let told = 0
      child.stdout.on('data', (data: Buffer) => {
        told = Number(data.toString().trim().split('\n').at(-1))
        if (entries === 0) child.kill('SIGKILL')
      })
      const signal = await new Promise((resolve) => child.on('exit', (_, by) => resolve(by)))
      expect(signal, errors).toBe('SIGKILL')
      const state = await open()
      const rounds = await roundsOf(state)
      expect(rounds).toBeGreaterThanOrEqual(told)
      for (; done < rounds; done++) await makeRound(twin, done + 1)
      await expectEqual(state, twin)
      done++
      expect(await makeRound(state, done)).toEqual(await makeRound(twin, done))
      await state.close()
    }
    expect(done).toBeGreaterThan(6)
  }, 120_000)

  it('has nothing of an import that did not come to its end', async () => {
    const state = await open()
    const middle = join(path, 'middle')
    let told = 0
    // What the disk has when the process ends there.
    const onProgress = (): void => {
      if (++told === 2) cpSync(join(path, 'entries'), join(middle, 'entries'), { recursive: true })
    }
    const root = await state.importAlloc(alloc(), { onProgress })
    expect(told).toBe(4)
    await state.close()
    const options = { common, store: { path: middle }, memoryBytes: BUDGET }
    const interrupted = await createFlatState(options)
    expect(await interrupted.getStateRoot()).toEqual(KECCAK256_RLP)
    expect(await interrupted.getAccount(addressOf(3))).toBeUndefined()
    expect(await interrupted.getStorage(addressOf(3), keyOf(1))).toHaveLength(0)
    expect(await interrupted.importAlloc(alloc())).toEqual(root)
    await interrupted.close()
    const again = await createFlatState(options)
    expect(await again.getStateRoot()).toEqual(root)
    await again.close()
  })

  it('is refused where another form is, or somebody else writes to it', async () => {
    const state = await open()
    const other = await open()
    await makeRound(state, 1)
    await expect(makeRound(other, 1)).rejects.toMatchObject({ code: 'BROKEN_STORE' })
    await state.close()
    await other.close()
    const inMemory = createFlatState({ common, store: { path } })
    await expect(inMemory).rejects.toMatchObject({ code: 'BROKEN_STORE' })
    rmSync(path, { recursive: true })
    await (await createFlatState({ common, store: { path } })).close()
    await expect(open()).rejects.toMatchObject({ code: 'BROKEN_STORE' })
  })
})
