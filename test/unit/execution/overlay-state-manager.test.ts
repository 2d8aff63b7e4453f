// The state that a worker's EVM sees, against stock's MerkleStateManager with caches: every answer equal,
// over random sequences of calls, transactions and blocks; and what it publishes gives stock's root.
// It must not retry: fast-check prints the seed and the shortest sequence that it finds.
import { Account } from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  absent,
  calls,
  codes,
  contract,
  keys,
  newState,
  plain,
  twin,
} from './support/overlay-calls.ts'
import { OverlayDuel } from './support/overlay-duel.ts'

/** Some three seconds; OVERLAY_RUNS asks for more. */
const runs = Number(process.env.OVERLAY_RUNS ?? 150)

describe('the overlay', () => {
  it(
    'answers every call as stock does, and what it publishes gives the root of stock',
    async () => {
      await fc.assert(
        fc.asyncProperty(calls, (list) => new OverlayDuel().play(list)),
        { numRuns: runs },
      )
    },
    60_000 + runs * 200,
  )

  it('records nothing of a field that nobody looks at', async () => {
    const { world, ours } = new OverlayDuel()
    const account = await ours.getAccount(contract)
    const before = world.readWords
    await ours.putAccount(contract, account)
    expect(world.readWords).toBe(before)
    expect(account!.balance).toBe(10n ** 20n)
    expect(world.readWords).toBeGreaterThan(before)
  })

  it('writes nothing for what ends as it began', async () => {
    const { ours, world } = new OverlayDuel()
    const account = (await ours.getAccount(contract))!
    account.balance += 5n
    await ours.putAccount(contract, account)
    account.balance -= 5n
    await ours.putAccount(contract, account)
    const value = await ours.getStorage(contract, keys[0]!)
    await ours.putStorage(contract, keys[0]!, Uint8Array.of(9))
    await ours.putStorage(contract, keys[0]!, value)
    await ours.checkpoint()
    await ours.putCode(plain, codes[2]!)
    await ours.deleteAccount(twin)
    await ours.putAccount(absent, new Account(1n, 1n))
    await ours.revert()
    world.nextTransaction()
    expect(world.lastWrites).toBe(0)
  })

  it('refuses what stock refuses, with its words', async () => {
    const { stock, ours } = new OverlayDuel()
    const short = Uint8Array.of(1)
    for (const state of [stock, ours]) {
      await expect(state.getStorage(plain, short)).rejects.toThrow(
        'Storage key must be 32 bytes long',
      )
      await expect(state.putStorage(plain, short, short)).rejects.toThrow(
        'Storage key must be 32 bytes long',
      )
      await expect(state.putStorage(plain, keys[0]!, new Uint8Array(33))).rejects.toThrow(
        'Storage value cannot be longer than 32 bytes',
      )
      await expect(state.putStorage(absent, keys[0]!, short)).rejects.toThrow(
        'putStorage() called on non-existing account',
      )
    }
  })

  it('has no root and no history, and says that this is our fault', async () => {
    const { ours } = new OverlayDuel()
    for (const ask of [() => ours.getStateRoot(), () => ours.setStateRoot()]) {
      await expect(ask()).rejects.toMatchObject({ code: 'INTERNAL' })
    }
    expect(() => ours.shallowCopy()).toThrow('please report it')
    expect(await ours.hasStateRoot()).toBe(false)
    expect(ours.getAppliedKey(plain.bytes)).toEqual(newState().getAppliedKey(plain.bytes))
  })
})
