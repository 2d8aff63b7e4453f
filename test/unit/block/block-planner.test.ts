// Holds the planner to its course: what it loads and when, when the plan is made, and that it is told of
// failures. What it makes of predictions is planned-predictions.test.ts's matter.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'

import { calledCodeHash } from '../../../src/block/block-planner.ts'
import { NOTHING } from '../../../src/ids.ts'
import { BASE, CONTROL } from '../../../src/memory/layout.ts'
import { defaultCoinbase } from '../../support/hand-made-block.ts'
import { contracts } from '../../support/random-world.ts'
import { counterCode } from '../../support/small-contracts.ts'
import { alice, bob, carol, disk, pay, setUp } from './support/played-planner.ts'

const { counter } = contracts

describe('the planner', () => {
  it('loads coinbase and recipients before any sender is known', async () => {
    const { planner, statusOf } = await setUp([pay(alice, bob), { from: alice, to: counter }])
    planner.begin()
    await planner.loaded()
    const present = [defaultCoinbase, bob.address, counter].map(statusOf)
    expect(present).toEqual([BASE.PRESENT, BASE.PRESENT, BASE.PRESENT])
    expect(statusOf(alice.address)).toBe(BASE.UNKNOWN)
  })

  it('plans once, when every sender is known', async () => {
    const { planner, recover } = await setUp([pay(alice, bob), pay(bob, carol), pay(carol, alice)])
    planner.begin()
    expect(await planner.advance()).toBe(false)
    recover(0)
    recover(2)
    expect(await planner.advance()).toBe(false)
    expect(planner.outlook).toBeUndefined()
    recover(1)
    expect(await planner.advance()).toBe(true)
    expect(planner.outlook).toMatchObject({ levels: 3 })
    expect(await planner.advance()).toBe(false)
  })

  it.each([true, false])(
    'takes senders up in block order, and loads them ahead, foreseeing or not (%s)',
    async (isForeseeing) => {
      const plan = [pay(alice, bob), pay(bob, bob), pay(carol, bob)]
      const { planner, recover, statusOf } = await setUp(plan, { isForeseeing })
      planner.begin()
      recover(0)
      recover(2)
      await planner.advance()
      expect(statusOf(alice.address)).toBe(BASE.PRESENT)
      // The third is found when the second is there.
      expect(statusOf(carol.address)).toBe(BASE.UNKNOWN)
      recover(1)
      await planner.advance()
      await planner.loaded()
      expect(statusOf(carol.address)).toBe(BASE.PRESENT)
    },
  )

  it('wants to be woken for so many senders more than it has taken up', async () => {
    const { planner, memory, recover } = await setUp([pay(alice, bob), pay(bob, carol)])
    const notice = (): number => memory.control[CONTROL.RECOVERY_NOTICE]!
    planner.begin()
    const first = notice()
    expect(first).toBeGreaterThan(1)
    recover(0)
    await planner.advance()
    expect(notice()).toBe(first + 1)
  })

  it('publishes for the workers, and wakes them', async () => {
    const { planner, memory, recoverAll, blockers, bell } = await setUp([
      pay(alice, bob),
      pay(bob, carol),
      pay(alice, carol),
    ])
    planner.begin()
    recoverAll()
    await planner.advance()
    await planner.loaded()
    expect(memory.control[CONTROL.PLAN]).toBe(0)
    const before = bell()
    planner.publish()
    expect(memory.control[CONTROL.PLAN]).not.toBe(0)
    expect(bell()).toBeGreaterThan(before)
    // Bob spends what he was paid; Alice has a nonce.
    expect(blockers()).toEqual([NOTHING, 0, 0])
  })

  it('without foresight lets transactions wait for their senders only, and promises nothing', async () => {
    const plan = [pay(alice, bob), pay(bob, carol), pay(alice, carol)]
    const { planner, recoverAll, blockers } = await setUp(plan, { isForeseeing: false })
    planner.begin()
    recoverAll()
    expect(await planner.advance()).toBe(true)
    planner.publish()
    expect(blockers()).toEqual([NOTHING, NOTHING, 0])
    expect(planner.outlook).toBeUndefined()
    expect(planner.planMs).toBe(0)
  })

  it.each([true, false])(
    'plans what nobody signed like anything else, foreseeing or not (%s)',
    async (isForeseeing) => {
      const plan = [pay(alice, carol), pay(alice, carol), pay(alice, carol)]
      const { planner, recover, recoverNobody, blockers } = await setUp(plan, { isForeseeing })
      planner.begin()
      recover(0)
      recoverNobody(1)
      recover(2)
      expect(await planner.advance()).toBe(true)
      planner.publish()
      expect(blockers()).toEqual([NOTHING, NOTHING, 0])
    },
  )
})

describe('a state that cannot be read', () => {
  it.each([true, false])(
    'is told of, at whichever load, foreseeing or not (%s), and leaves nobody waiting',
    async (isForeseeing) => {
      for (const broken of [defaultCoinbase, bob.address, alice.address]) {
        const given = await setUp([pay(alice, bob)], { isForeseeing, broken })
        const { planner, recoverAll, failures } = given
        planner.begin()
        recoverAll()
        await planner.advance()
        await planner.loaded()
        expect(failures).toEqual([disk])
      }
    },
  )
})

describe('the hash of called code', () => {
  it('is known of loaded accounts with code, and of no others', async () => {
    const { planner, memory } = await setUp([
      { from: alice, to: counter },
      pay(alice, bob),
      { from: alice, to: contracts.proxy },
    ])
    expect(calledCodeHash(memory, counter.bytes)).toBeUndefined()
    planner.begin()
    await planner.loaded()
    expect(calledCodeHash(memory, counter.bytes)).toEqual(keccak_256(codeOf(counterCode)))
    expect(calledCodeHash(memory, bob.address.bytes)).toBeUndefined()
    // Absent.
    expect(calledCodeHash(memory, contracts.proxy.bytes)).toBeUndefined()
    // Never asked for.
    expect(calledCodeHash(memory, contracts.reader.bytes)).toBeUndefined()
  })
})

function codeOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))
}
