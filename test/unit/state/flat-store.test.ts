// A flat state that is stored is there again, whole, whatever ended the process.
// Authority on crash safety: processes are killed between commits and within them.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Account, bytesToHex, KECCAK256_RLP } from '@ethereumjs/util'
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

/** Runs the program until it ends itself, or is killed after so many rounds; returns the last it told. */
async function killed(how: { afterRounds: number } | { withinPages: number }): Promise<number> {
  const program = join(import.meta.dirname, 'support/stored-rounds.ts')
  const pages = 'withinPages' in how ? [String(how.withinPages)] : []
  const child = spawn(process.execPath, [program, path, ...pages])
  let told = 0
  let rounds = 0
  let errors = ''
  child.stderr.on('data', (data) => {
    errors += data
  })
  child.stdout.on('data', (data: Buffer) => {
    const lines = data.toString().trim().split('\n')
    told = Number(lines.at(-1))
    rounds += lines.length
    if ('afterRounds' in how && rounds >= how.afterRounds) child.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => child.on('exit', (_, by) => resolve(by)))
  expect(signal, errors).toBe('SIGKILL')
  return told
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

describe('a stored flat state', () => {
  it('is whole after the process was killed, between commits or within one', async () => {
    const expected = await createFlatState({ common })
    let done = 0
    for (const how of [
      { afterRounds: 3 },
      { withinPages: 1 },
      { withinPages: 40 },
      { afterRounds: 20 },
      { withinPages: 200 },
    ]) {
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
    expect(done).toBeGreaterThan(20)
  }, 120_000)

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
