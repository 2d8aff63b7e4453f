// Blocks that are cheap in order, and burn gas without end where a transaction runs on a stale value.
// Authority on nothing that the block pays: results are stock's, and no worker is kept for long.
import { setLengthLeft } from '@ethereumjs/util'
import { expect, it } from 'vitest'
import { makeBlock, makeWorld, runBoth, sidesOf, spin } from '../support/hand-made-block.ts'
import { actors, contracts, numberWord } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { counter: trap, reader: endless, proxy: slow } = contracts

it('a chain of transactions that burn their gas unless they run in order is run as stock runs it', async () => {
  const world = await makeWorld({
    accounts: {
      [trap.toString()]: contractOf([
        [0, 'CALLDATALOAD', 0, 'SLOAD', 'EQ', { to: 'fine' }, 'JUMPI'],
        [{ label: 'burn' }, { to: 'burn' }, 'JUMP'],
        [{ label: 'fine' }, 0, 'SLOAD', 1, 'ADD', 0, 'SSTORE'],
      ]),
    },
  })
  const transactions = Array.from({ length: 12 }, (_, index) => ({
    from: actors[index % 8]!,
    to: trap,
    data: setLengthLeft(numberWord(index), 32),
    gasLimit: 20_000_000n,
  }))
  const executor = await strictExecutor()
  const block = makeBlock(world.common, { transactions })
  const run = await runBoth(executor, await sidesOf(world), block)
  expect(run.differences).toEqual([])
  await executor.close()
})

it('an invalid transaction does not wait for one above it that never ends', async () => {
  const world = await makeWorld({
    accounts: {
      [slow.toString()]: contractOf([spin(20_000)]),
      [endless.toString()]: contractOf([[{ label: 'burn' }, { to: 'burn' }, 'JUMP']]),
    },
  })
  const block = makeBlock(world.common, {
    gasLimit: 10n ** 12n,
    transactions: [
      { from: actors[5]!, to: slow, gasLimit: 10n ** 7n },
      { from: actors[1]!, to: actors[0]!.address, value: 1n, nonce: 7n },
      { from: actors[0]!, to: endless, gasLimit: 10n ** 9n },
      { from: actors[2]!, to: actors[0]!.address, value: 1n },
    ],
  })
  const executor = await strictExecutor()
  const run = await runBoth(executor, await sidesOf(world), block)
  expect(run.differences).toEqual([])
  await executor.close()
})
