// Committed changes that lie where only a worker has looked: shared memory grew while the block ran, and
// the main thread's views are from before. Authority on what it must reach before it reads.
// It must not let the main thread look there by itself: the worker's part has views of its own.
import { Account, Address } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { BlockMemory } from '../../../src/block/block-memory.ts'
import { CommittedWrites } from '../../../src/block/committed-writes.ts'
import { applyWrites, foldIntoBase } from '../../../src/block/write-back.ts'
import { ACCOUNT, BASE, LOCATION, SLOT } from '../../../src/memory/layout.ts'
import { readStripped32 } from '../../../src/memory/word-codec.ts'
import { makeWorld } from '../../support/hand-made-block.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const name = 5
const address = new Address(new Uint8Array(20).fill(name))
const key = new Uint8Array(32).fill(1)
const value = 9

/** A worker creates an account with a slot, each behind what the main thread has in view. */
function created() {
  const memory = new BlockMemory(32, 32)
  memory.beginBlock(1)
  const worker = VersionMemory.besideMain(memory, 1)
  const inView = memory.state.words.length
  worker.state.allocate(inView)
  worker.block.allocate(memory.block.words.length)
  const account = worker.account(name, { exists: false })
  const slot = worker.slot(account, 1)
  expect(Math.min(account, slot)).toBeGreaterThan(inView)
  const writeSet = worker.writeSet([
    [LOCATION.EXISTS, account + ACCOUNT.EXISTS_HEAD, worker.publishExists(account, 0, true)],
    [LOCATION.RESET, account + ACCOUNT.RESET_HEAD, worker.publishReset(account, 0)],
    [LOCATION.SLOT, slot + SLOT.HEAD, worker.publishSlot(slot, 0, value)],
  ])
  const writes = new CommittedWrites(memory)
  writes.add(writeSet)
  return { memory, worker, writes, account, slot }
}

describe('changes behind what the main thread has in view', () => {
  it('are of the account that they were made to', () => {
    const { writes, account, slot } = created()
    expect([...writes.accounts.keys()]).toEqual([account])
    expect(writes.accounts.get(account)).toMatchObject({ exists: true, reset: true })
    expect(writes.accounts.get(account)?.slots).toEqual(new Map([[slot, Uint8Array.of(value)]]))
  })

  it('reach the state manager under their address and key', async () => {
    const { memory, writes } = created()
    const { stateManager } = await (await makeWorld()).vm()
    await applyWrites(memory, writes, writes, stateManager)
    expect(await stateManager.getAccount(address)).toBeInstanceOf(Account)
    expect(await stateManager.getStorage(address, key)).toEqual(Uint8Array.of(value))
  })

  it('are the base of the next block', () => {
    const { memory, worker, writes, account, slot } = created()
    foldIntoBase(memory, writes)
    const words = worker.state.reach(slot + SLOT.WORDS)
    expect(words[account + ACCOUNT.EXISTS]).toBe(1)
    expect(words[slot + SLOT.STATUS]).toBe(BASE.PRESENT)
    expect(words[slot + SLOT.HEAD]).toBe(0)
    expect(readStripped32(worker.state.bytes, slot + SLOT.VALUE)).toEqual(Uint8Array.of(value))
  })

  it('are forgotten with the rest of the storage when their account is destroyed', () => {
    const { memory, worker, writes, account, slot } = created()
    foldIntoBase(memory, writes)
    memory.beginBlock(1)
    const fresh = VersionMemory.besideMain(memory, 1)
    fresh.state.allocate(fresh.state.words.length)
    const later = fresh.slot(account, 2, 7)
    const writeSet = fresh.writeSet([
      [LOCATION.EXISTS, account + ACCOUNT.EXISTS_HEAD, fresh.publishExists(account, 0, false)],
      [LOCATION.RESET, account + ACCOUNT.RESET_HEAD, fresh.publishReset(account, 0)],
    ])
    const destroyed = new CommittedWrites(memory)
    destroyed.add(writeSet)
    foldIntoBase(memory, destroyed)
    const words = worker.state.reach(later + SLOT.WORDS)
    for (const record of [slot, later]) {
      expect(words[record + SLOT.STATUS]).toBe(BASE.PRESENT)
      expect(readStripped32(worker.state.bytes, record + SLOT.VALUE)).toEqual(new Uint8Array(0))
    }
  })
})
