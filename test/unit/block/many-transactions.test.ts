// Blocks of very different sizes on one executor: the words per transaction are made anew for a large
// one, and must not show anything of it to the next.
// Authority on growth and shrinkage of a block's control words.
import { expect, it } from 'vitest'
import { makeBlock, runBoth, sidesOf } from '../../support/hand-made-block.ts'
import { type Actor, actors, contracts } from '../../support/random-world.ts'
import { counterCode } from '../../support/small-contracts.ts'
import { strictSuite } from '../../support/strict-suite.ts'

const { counter } = contracts
const suite = strictSuite({
  accounts: { [counter.toString()]: { code: counterCode } },
})

it('a thousand transactions more than there was room for, and then a few, and then more again', async () => {
  const sides = await sidesOf(suite.world)
  const nonces = new Map<Actor, bigint>()
  let number = 20n
  for (const count of [3, 1_100, 5, 1_050, 2]) {
    const transactions = Array.from({ length: count }, (_, index) => ({
      from: actors[index % 9]!,
      ...(index % 50 === 0 ? { to: counter } : { to: actors[9]!.address, value: 1n }),
      gasLimit: 50_000n,
    }))
    const plan = { number: number++, gasLimit: 200_000_000n, transactions }
    const run = await runBoth(suite.executor, sides, makeBlock(suite.world.common, plan, nonces))
    expect(run.differences, `${count} transactions`).toEqual([])
    expect(run.report).toMatchObject({ mode: 'parallel', transactions: count, incidents: [] })
  }
})
