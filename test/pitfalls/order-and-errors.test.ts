// The order of a block: nonces, errors, cumulative numbers, and what admits a transaction.
// Authority on pitfalls 10, 15 and 21. It must compare refusals as exactly as results.
import { describe, expect, it } from 'vitest'
import { CONTROL, HALT, OUTCOME, TRANSACTION, transactionIndex } from '../../src/memory/layout.ts'
import { actors, ether, numberWord } from '../support/random-world.ts'
import { contractOf, returningCounterCode } from '../support/small-contracts.ts'
import { strictSuite } from '../support/strict-suite.ts'
import { LayersInMemory, transactionAt } from './layers-in-memory.ts'
import {
  cells,
  delay,
  expectEqualEveryTime,
  expectRefusedEveryTime,
  named,
  readSlot,
  relayed,
  stage,
  writeSlot,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, erin, poor] = actors
const counter = named('counter')
const logger = named('logger')

const suite = strictSuite({
  accounts: {
    ...stage,
    [poor.address.toString()]: { balance: 0n },
    [counter.toString()]: { nonce: 1n, code: returningCounterCode },
    // Waits, then logs as often as slot 1 of its own storage says, and adds one to it.
    [logger.toString()]: contractOf([
      delay(0, 'wait'),
      [1, 'SLOAD', 'DUP1', 1, 'ADD', 1, 'SSTORE', 1, 'ADD', { label: 'again' }],
      [0, 0, 'LOG0', 1, 'SWAP1', 'SUB', 'DUP1', { to: 'again' }, 'JUMPI'],
    ]),
  },
})

describe('order and errors', () => {
  it('10. an invalid transaction in mid-block: refused as stock refuses it, whatever is under way', async () => {
    for (const wrong of [
      { from: carol, to: bob.address, nonce: 7n },
      { from: carol, to: bob.address, value: 1000n * ether },
      { from: carol, to: bob.address, gasLimit: 30_000n, data: new Uint8Array(2000).fill(1) },
    ]) {
      await expectRefusedEveryTime(
        suite,
        (turns) => ({
          transactions: [
            relayed(alice, counter, turns(2500)),
            relayed(bob, counter, turns()),
            wrong,
            relayed(dave, counter, turns()),
            ...[0, 1, 2, 3].map(() => relayed(erin, counter, turns())),
          ],
        }),
        /./,
        5,
      )
    }
  })

  it('10. an invalid transaction in mid-block: invalid until a lower one has paid its sender is valid', async () => {
    await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        relayed(alice, poor.address, turns(4000), undefined, { value: ether }),
        { from: poor, to: counter },
        { from: poor, to: counter },
        relayed(bob, counter, turns()),
        { from: poor, to: bob.address, value: 1n },
      ],
    }))
  })

  it('10. an invalid transaction in mid-block: its error is final only at the commit head', () => {
    let stale = true
    const layers = new LayersInMemory(2, {
      refutes: (transaction) => transaction === 1 && stale,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler, control } = layers
    const outcome = transactionIndex(1, TRANSACTION.OUTCOME)
    expect(scheduler.claimExecution(2)).toBe(0)
    expect(scheduler.claimExecution(2)).toBe(1)
    control[outcome] = OUTCOME.ERROR
    scheduler.finish(transactionAt(1), false)
    expect(scheduler.commit()).toBe(false)
    expect(scheduler.halted()).toBe(HALT.RUNNING)

    // Below it everything is final now, but what it read is not what it would read: no error yet.
    scheduler.finish(transactionAt(0), true)
    expect(scheduler.commit()).toBe(true)
    expect(scheduler.halted()).toBe(HALT.RUNNING)
    stale = false
    expect(scheduler.claimExecution(2)).toBe(1)
    scheduler.finish(transactionAt(1), false)
    scheduler.commit()
    expect(scheduler.halted()).toBe(HALT.INVALID_TRANSACTION)
    expect(control[CONTROL.HALT_TRANSACTION]).toBe(1)
  })

  it('15. cumulative gas and logs are in order, whatever the order of execution', async () => {
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: Array.from({ length: 10 }, (_, index) => ({
        from: actors[index % 5]!,
        to: logger,
        data: numberWord(turns()),
      })),
    }))
    expect(run.result.receipts.map(({ logs }) => logs.length)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
    expect(run.result.receipts.at(-1)?.cumulativeBlockGasUsed).toBe(run.result.gasUsed)
  })

  it('15. the block gas limit admits by what was used before, in the order of the block', async () => {
    const three = (most: number) => [alice, bob, carol].map((from) => relayed(from, counter, most))
    // The limits sum up to more than the block's, but what is used does not.
    await expectEqualEveryTime(
      suite,
      (turns) => ({ gasLimit: 1_200_000n, transactions: three(turns(200)) }),
      5,
    )
    await expectRefusedEveryTime(
      suite,
      () => ({ gasLimit: 1_500_000n, transactions: three(25_000) }),
      /higher gas limit than the block/,
      5,
    )
  })

  it('21. nonce chains: a stale nonce is a dependency and not an error', async () => {
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        relayed(alice, cells, turns(2500), writeSlot(1, 8)),
        ...Array.from({ length: 10 }, () => ({ from: alice, to: bob.address, value: 1n })),
        relayed(bob, cells, turns(), readSlot(1)),
        ...Array.from({ length: 5 }, () => ({ from: bob, to: alice.address, value: 2n })),
        ...Array.from({ length: 5 }, () => ({ from: alice, to: bob.address, value: 3n })),
      ],
    }))
    expect(run.result.results.length).toBe(22)
  })

  it('21. nonce chains: a gap, a repetition and a step back are errors, as in stock', async () => {
    for (const nonce of [4n, 2n, 0n]) {
      await expectRefusedEveryTime(
        suite,
        (turns) => ({
          transactions: [
            relayed(alice, bob.address, turns(2500)),
            { from: alice, to: bob.address },
            { from: alice, to: bob.address },
            { from: alice, to: bob.address, nonce },
            { from: bob, to: alice.address },
            { from: alice, to: bob.address, nonce: nonce + 1n },
          ],
        }),
        /nonce/,
        5,
      )
    }
  })
})
