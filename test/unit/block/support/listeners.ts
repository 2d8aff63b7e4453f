// One block under listeners, run by stock and by ours: what they saw, what it left, and the block after it.
// Authority on the accounts that blocks under listeners meet at; what a listener does is the tests' matter.
// It must not soften the comparison: what listeners saw is compared like results.
import type { VM } from '@ethereumjs/vm'
import { expect } from 'vitest'
import {
  type BlockPlan,
  type BothRuns,
  makeBlock,
  runBoth,
  type Sides,
  sidesOf,
  type WorldPlan,
} from '../../../support/hand-made-block.ts'
import { compareAny } from '../../../support/oracle.ts'
import { type Actor, actors, addressWord, contracts, ether } from '../../../support/random-world.ts'
import { loggingCounterCode, witnessCode } from '../../../support/small-contracts.ts'
import type { Suite } from '../../../support/strict-suite.ts'

const [alice, bob, carol, dave] = actors
const { counter, reader, killable } = contracts

/** Accounts that the transactions of {@link twelve} call, and one that a listener may delete. */
export const listenedWorld: WorldPlan = {
  accounts: {
    [counter.toString()]: { code: loggingCounterCode, nonce: 1n, storage: { '0x00': '0x05' } },
    [reader.toString()]: { code: witnessCode, nonce: 1n },
    [killable.toString()]: { code: loggingCounterCode, nonce: 1n, storage: { '0x00': '0x07' } },
  },
}

/** Every transaction depends on others: all meet at the counter, the reader or one balance. */
export const twelve: BlockPlan = {
  transactions: Array.from({ length: 12 }, (_, index) => ({
    from: [alice, bob, carol][index % 3]!,
    ...[
      { to: counter },
      { to: dave.address, value: ether },
      { to: reader, data: addressWord(counter) },
      { to: reader, data: addressWord(dave.address) },
    ][index % 4]!,
  })),
}

/** Runs the block on both sides with the listeners that `listen` adds, several times. */
export async function compareListeners(
  { executor, world }: Suite,
  listen: (vm: VM, seen: unknown[]) => void,
  plan: BlockPlan = twelve,
  times = 2,
): Promise<BothRuns & { seen: unknown[] }> {
  let last: (BothRuns & { seen: unknown[] }) | undefined
  for (let time = 0; time < times; time++) {
    const { stock, ours } = await sidesOf(world)
    const [stockSeen, ourSeen] = [[], []] as [unknown[], unknown[]]
    listen(stock, stockSeen)
    listen(ours, ourSeen)
    const run = await runBoth(executor, { stock, ours }, makeBlock(world.common, plan))
    expect([...run.differences, ...compareAny(stockSeen, ourSeen, 'seen')]).toEqual([])
    expect(
      await followUp({ executor, world }, { stock, ours }, plan),
      'the block after it',
    ).toEqual([])
    last = { ...run, seen: ourSeen }
  }
  return last!
}

/** A second block on the same states: what the first one left wrong would show here. */
export async function followUp(
  { executor, world }: Suite,
  sides: Sides,
  plan: BlockPlan,
): Promise<string[]> {
  for (const vm of [sides.stock, sides.ours]) {
    vm.events.removeAllListeners()
    vm.evm.events?.removeAllListeners()
    await vm.stateManager.getStateRoot()
  }
  const nonces = new Map<Actor, bigint>()
  for (const actor of [alice, bob, carol]) {
    const account = await sides.stock.stateManager.getAccount(actor.address)
    nonces.set(actor, account?.nonce ?? 0n)
  }
  const block = makeBlock(world.common, { ...plan, number: 21n }, nonces)
  return (await runBoth(executor, sides, block)).differences
}
