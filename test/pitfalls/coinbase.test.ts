// The coinbase, which every transaction pays and any transaction may look at, use or destroy.
// Authority on pitfall 8. It must run under rules with and without destruction.
import type { Address } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { makeWorld, type TransactionPlan, type World } from '../support/hand-made-block.ts'
import { actors } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import {
  destroyFor,
  expectEqualEveryTime,
  factory,
  logged,
  logWords,
  lookAt,
  named,
  phoenix,
  phoenixRecord,
  readSlot,
  relayed,
  stage,
  type Turns,
  visit,
  writeSlot,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, erin, frank] = actors
const absent = named('absent coinbase')
const collector = named('collector')

let executor: ParallelExecutor
let worlds: World[]

beforeAll(async () => {
  executor = await strictExecutor()
  const accounts = {
    ...stage,
    [phoenix.toString()]: phoenixRecord,
    [collector.toString()]: contractOf([
      logWords(['COINBASE', 'BALANCE'], ['COINBASE', 'EXTCODEHASH']),
    ]),
  }
  worlds = [
    await makeWorld({ hardfork: 'byzantium', accounts }),
    await makeWorld({ hardfork: 'shanghai', accounts }),
    await makeWorld({ hardfork: 'prague', accounts }),
  ]
})
afterAll(() => executor?.close())

/** The block under the rules of each world. */
async function everywhere(
  coinbase: Address,
  transactionsOf: (turns: Turns) => TransactionPlan[],
): Promise<void> {
  for (const world of worlds) {
    const planOf = (turns: Turns) => ({ coinbase, transactions: transactionsOf(turns) })
    await expectEqualEveryTime({ executor, world }, planOf, 6)
  }
}

describe('the coinbase', () => {
  it('8. coinbase as sender and recipient: its fees, its payments and its nonces add up', async () => {
    await everywhere(alice.address, (turns) => [
      relayed(bob, carol.address, turns(), undefined, { value: 1n }),
      { from: alice, to: bob.address, value: 5n },
      relayed(carol, alice.address, turns(), undefined, { value: 7n }),
      relayed(alice, alice.address, turns(), undefined, { value: 9n }),
      { from: dave, to: alice.address, value: 11n },
      relayed(erin, collector, turns()),
      { from: alice, to: alice.address, value: 13n },
      lookAt(frank, alice.address, turns()),
    ])
  })

  it('8. coinbase absent before the block: it appears with the first fee, and BALANCE sees each one', async () => {
    await everywhere(absent, (turns) => [
      relayed(alice, collector, turns()),
      relayed(bob, collector, turns()),
      { from: carol, to: absent, value: 3n },
      relayed(dave, collector, turns()),
      visit(erin, absent, turns()),
    ])
    const run = await expectEqualEveryTime(
      { executor, world: worlds[1]! },
      (turns) => ({
        coinbase: absent,
        transactions: [relayed(alice, collector, turns()), relayed(bob, collector, turns())],
      }),
      2,
    )
    expect(logged(run, 0)[0]).toBe(0n)
    expect(logged(run, 1)[0]).toBe(2n * run.result.results[0]!.totalGasSpent)
  })

  it('8. coinbase nobody looks at: fees alone make no transaction depend on another', async () => {
    const run = await expectEqualEveryTime({ executor, world: worlds[2]! }, (turns) => ({
      coinbase: actors[10]!.address,
      transactions: [alice, bob, carol, dave, erin, frank].map((from, index) =>
        relayed(from, named(`own ${index}`), turns()),
      ),
    }))
    expect(run.report).toMatchObject({ levels: 1, reExecutions: 0 })
  })

  it('8. coinbase as a contract with storage, destroyed, paid after that, and created anew', async () => {
    await everywhere(phoenix, (turns) => [
      relayed(alice, phoenix, turns(), writeSlot(7, 1)),
      relayed(bob, collector, turns()),
      relayed(carol, phoenix, turns(), destroyFor(named('heir'))),
      relayed(dave, collector, turns()),
      lookAt(erin, named('heir'), turns()),
      relayed(frank, phoenix, turns(), readSlot(7)),
      relayed(alice, factory, turns(), undefined, { value: 2n }),
      relayed(bob, phoenix, turns(), readSlot(7)),
      relayed(carol, phoenix, turns(), destroyFor(phoenix)),
      visit(dave, phoenix, turns()),
    ])
  })
})
