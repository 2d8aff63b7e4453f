// A flat state that is stored is there again, whole, whatever ended the process.
// Authority on crash safety: processes are killed between commits, within them, and at random moments.
// STORE_KILLS sets how many of the latter, STORE_SEED repeats their moments as far as clocks do.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Account, bytesToHex, KECCAK256_RLP } from '@ethereumjs/util'
import fc from 'fast-check'
import { open } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import type { FlatState } from '../../../src/state/flat-state.ts'
import { addressOf, common, keyOf, makeRound, roundsOf } from './support/stored-rounds.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'flat-store-'))
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

const kills = Number(process.env.STORE_KILLS ?? 6)
const seed = Number(process.env.STORE_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** After so many rounds, and then so many ms; or in a commit, before the given page of all is stored. */
type Kill = { afterRounds: number; ms?: number } | { withinPages: number }

/** Runs the program until it ends itself, or is killed; returns the last round that it told. */
async function killed(how: Kill): Promise<number> {
  const program = join(import.meta.dirname, 'support/stored-rounds.ts')
  const pages = 'withinPages' in how ? [String(how.withinPages)] : []
  const child = spawn(process.execPath, [program, path, ...pages])
  let told = 0
  let rounds = 0
  let isDue = false
  let errors = ''
  child.stderr.on('data', (data) => {
    errors += data
  })
  child.stdout.on('data', (data: Buffer) => {
    const lines = data.toString().trim().split('\n')
    told = Number(lines.at(-1))
    rounds += lines.length
    if (!('afterRounds' in how) || rounds < how.afterRounds || isDue) return
    isDue = true
    setTimeout(() => child.kill('SIGKILL'), how.ms ?? 0)
  })
  const signal = await new Promise((resolve) => child.on('exit', (_, by) => resolve(by)))
  expect(signal, errors).toBe('SIGKILL')
  return told
}

/** What is stored, without how often it was written. */
async function readStore(): Promise<[number, string][]> {
  const database = open<Buffer, number>({ path, encoding: 'binary', readOnly: true })
  const entries = [...database.getRange({})].map(({ key, value }): [number, string] => [
    key,
    key === 0
      ? value.toString().replace(/"sequence":\d+/, '')
      : createHash('sha256').update(value).digest('hex'),
  ])
  await database.close()
  return entries
}

async function contentsOf(state: FlatState): Promise<unknown> {
  const accounts = []
  for (let i = 0; i < 998; i++) {
    const account = await state.getAccount(addressOf(i))
    if (account === undefined) continue
    const dump = await state.dumpStorage(addressOf(i))
    const code = bytesToHex(await state.getCode(addressOf(i)))
    accounts.push([i, account.nonce, account.balance, bytesToHex(account.storageRoot), dump, code])
  }
  return { root: bytesToHex(await state.getStateRoot()), accounts }
}

/** Kills one program after the other on one store, which must always be a committed state, wholly. */
async function expectWhole(ways: readonly Kill[]): Promise<number> {
  const expected = await createFlatState({ common })
  let done = 0
  for (const how of ways) {
    const told = await killed(how)
    const state = await createFlatState({ common, store: { path } })
    const rounds = await roundsOf(state)
    // What was told is there; a commit that was under way may be.
    expect(rounds).toBeGreaterThanOrEqual(told)
    for (; done < rounds; done++) await makeRound(expected, done + 1)
    expect(await contentsOf(state)).toEqual(await contentsOf(expected))
    // It goes on from there.
    done++
    expect(await makeRound(state, done)).toEqual(await makeRound(expected, done))
    await state.close()
  }
  return done
}

describe('a stored flat state', () => {
  it('is whole after the process was killed, between commits or within one', async () => {
    const done = await expectWhole([
      { afterRounds: 3 },
      { withinPages: 1 },
      { withinPages: 40 },
      { afterRounds: 20 },
      { withinPages: 200 },
    ])
    expect(done).toBeGreaterThan(20)
  }, 120_000)

  it(
    `is whole after ${kills} kills at random moments`,
    async () => {
      console.log(`kills of stores: STORE_SEED=${seed}`)
      const moments = fc.array(
        fc.oneof(
          fc.record({ afterRounds: fc.nat({ max: 8 }), ms: fc.nat({ max: 12 }) }),
          fc.record({ withinPages: fc.integer({ min: 1, max: 400 }) }),
        ),
        { minLength: kills, maxLength: kills, size: 'max' },
      )
      const [ways] = fc.sample(moments, { seed, numRuns: 1 })
      await expectWhole(ways!)
    },
    Math.max(120_000, kills * 30_000),
  )

  it('stays what it is when a commit changes nothing', async () => {
    const state = await createFlatState({ common, store: { path } })
    const root = await makeRound(state, 1)
    await state.flushed()
    const stored = await readStore()
    await state.checkpoint()
    expect(await state.getStateRoot()).toEqual(root)
    await state.commit()
    await state.checkpoint()
    await state.putAccount(addressOf(0), new Account(9n))
    await state.revert()
    expect(await state.getStateRoot()).toEqual(root)
    await state.close()
    // Its pages may have been written again, but say the same.
    expect(await readStore()).toEqual(stored)
    const again = await createFlatState({ common, store: { path } })
    expect(await again.getStateRoot()).toEqual(root)
    await again.close()
  })

  it('is the committed state, without what was under way or was taken back', async () => {
    const state = await createFlatState({ common, store: { path } })
    expect(await state.getStateRoot()).toEqual(KECCAK256_RLP)
    await makeRound(state, 1)
    const before = await makeRound(state, 2)
    await makeRound(state, 3)
    await state.setStateRoot(before)
    const copy = state.shallowCopy()
    await copy.putAccount(addressOf(3), new Account(77n))
    await copy.getStateRoot()
    await state.checkpoint()
    await state.putStorage(addressOf(0), keyOf(1), Uint8Array.of(1))
    await state.getStateRoot()
    await state.close()
    const again = await createFlatState({ common, store: { path } })
    expect(await again.getStateRoot()).toEqual(before)
    expect(await roundsOf(again)).toBe(2)
    const third = await makeRound(again, 3)
    await again.close()
    const last = await createFlatState({ common, store: { path } })
    expect(await last.getStateRoot()).toEqual(third)
    await last.close()
  })

  it('that cannot be stored is as it was before, and says why', async () => {
    const state = await createFlatState({ common, store: { path } })
    const expected = await createFlatState({ common })
    for (const each of [state, expected]) await makeRound(each, 1)
    const before = await contentsOf(state)
    let stored = await readStore()
    for (const pages of [1, 5, 10]) {
      const cause = new Error('the disk is full')
      const from = Buffer.from
      let left = pages
      Buffer.from = ((...args: Parameters<typeof from>) => {
        if (args[0] instanceof ArrayBuffer && --left === 0) throw cause
        return from(...args)
      }) as typeof Buffer.from
      try {
        await expect(makeRound(state, 2)).rejects.toMatchObject({
          code: 'STORE_WRITE_FAILED',
          cause,
        })
      } finally {
        Buffer.from = from
      }
      await state.revert()
      expect(await readStore()).toEqual(stored)
      expect(await contentsOf(state)).toEqual(before)
      stored = await readStore()
    }
    await expect(state.revert()).rejects.toThrow('not checkpointed')
    for (const round of [2, 3]) {
      expect(await makeRound(state, round)).toEqual(await makeRound(expected, round))
    }
    await state.close()
    const again = await createFlatState({ common, store: { path } })
    expect(await contentsOf(again)).toEqual(await contentsOf(expected))
    await again.close()
  })

  it('goes nowhere when that cannot be stored', async () => {
    const state = await createFlatState({ common, store: { path } })
    const first = await makeRound(state, 1)
    await makeRound(state, 2)
    const before = await contentsOf(state)
    const from = Buffer.from
    Buffer.from = ((...args: Parameters<typeof from>) => {
      if (args[0] instanceof ArrayBuffer) throw new Error('the disk is full')
      return from(...args)
    }) as typeof Buffer.from
    try {
      await expect(state.setStateRoot(first)).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' })
    } finally {
      Buffer.from = from
    }
    expect(await contentsOf(state)).toEqual(before)
    await state.setStateRoot(first)
    expect(await state.getStateRoot()).toEqual(first)
    await state.close()
  })

  it('is refused where it is none, or somebody else writes to it', async () => {
    const state = await createFlatState({ common, store: { path } })
    const other = await createFlatState({ common, store: { path } })
    await makeRound(state, 1)
    await expect(makeRound(other, 1)).rejects.toMatchObject({ code: 'BROKEN_STORE' })
    await state.flushed()
    await state.close()
    await other.close()
    const database = open<Buffer, number>({ path, encoding: 'binary' })
    await database.put(0, Buffer.from('{"format":0}'))
    await database.close()
    await expect(createFlatState({ common, store: { path } })).rejects.toMatchObject({
      code: 'BROKEN_STORE',
    })
    const nowhere = createFlatState({ common, store: { path: '' } })
    await expect(nowhere).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})
