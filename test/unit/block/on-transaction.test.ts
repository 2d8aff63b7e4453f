// `onTransaction`: final results in canonical order, as soon as they are final, in every mode.
// Authority on its order, its timing and its errors; stock has nothing of the kind.
// It must hold in every mode alike, so that callers need not know which one a block gets.
import type { RunTxResult } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor, SchedulerName } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import {
  type BlockPlan,
  fillHeader,
  makeBlock,
  makeWorld,
  type World,
} from '../../support/hand-made-block.ts'
import { compareAny } from '../../support/oracle.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { counterCode } from '../../support/small-contracts.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter, reader: endless } = contracts
const plan: BlockPlan = {
  transactions: Array.from({ length: 16 }, (_, index) => ({
    from: actors[index % 4]!,
    to: counter,
  })),
}
/** The same, and one more that runs for hours. */
const endlessGas = 10n ** 12n
const endlessPlan: BlockPlan = {
  gasLimit: 2n * endlessGas,
  transactions: [...plan.transactions, { from: actors[4]!, to: endless, gasLimit: endlessGas }],
}

let world: World
const executors = new Map<SchedulerName, ParallelExecutor>()

beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { code: counterCode },
      [endless.toString()]: { code: assembleHex([{ label: 'on' }, { to: 'on' }, 'JUMP']) },
    },
  })
  for (const scheduler of ['optimistic', 'sequential'] as const) {
    executors.set(scheduler, await strictExecutor({ scheduler }))
  }
})
afterAll(async () => {
  for (const executor of executors.values()) await executor.close()
})

for (const scheduler of ['optimistic', 'sequential'] as const) {
  describe(`a listener for transactions, scheduler ${scheduler}`, () => {
    it('gets every result once, in order, and they are those of the block', async () => {
      const seen: { index: number; result: RunTxResult }[] = []
      const result = await executors.get(scheduler)!.runBlock(await world.vm(), {
        block: makeBlock(world.common, plan),
        ...fillHeader,
        onTransaction: (event) => void seen.push(event),
      })
      expect(seen.map(({ index }) => index)).toEqual(plan.transactions.map((_, index) => index))
      const results = seen.map((event) => event.result)
      expect(compareAny(result.results, results, 'results')).toEqual([])
    })

    it('gets the first ones while the last one still runs', async () => {
      const last = plan.transactions.length - 1
      // Who were told of them at the end of the block would never throw.
      await expect(
        executors.get(scheduler)!.runBlock(await world.vm(), {
          block: makeBlock(world.common, endlessPlan),
          ...fillHeader,
          onTransaction: ({ index }) => {
            if (index === last) throw new Error('all but one are final')
          },
        }),
      ).rejects.toThrow('all but one are final')
    })

    it('is waited for, one after the other', async () => {
      let running = 0
      let most = 0
      let count = 0
      await executors.get(scheduler)!.runBlock(await world.vm(), {
        block: makeBlock(world.common, plan),
        ...fillHeader,
        onTransaction: async () => {
          most = Math.max(most, ++running)
          await new Promise((resolve) => setTimeout(resolve, 2))
          running--
          count++
        },
      })
      expect([most, count]).toEqual([1, plan.transactions.length])
    })

    it('comes after the listeners of the same transaction, which it does not hurry', async () => {
      const vm = await world.vm()
      const log: string[] = []
      vm.events.on('afterTx', (_event, done) => {
        setTimeout(() => {
          log.push('afterTx')
          done?.()
        }, 2)
      })
      await executors.get(scheduler)!.runBlock(vm, {
        block: makeBlock(world.common, plan),
        ...fillHeader,
        onTransaction: () => void log.push('onTransaction'),
      })
      expect(log).toEqual(plan.transactions.flatMap(() => ['afterTx', 'onTransaction']))
      expect(vm.events.listenerCount('afterTx')).toBe(1)
    })

    for (const [how, fail] of [
      [
        'throws',
        () => {
          throw new Error('no more, please')
        },
      ],
      [
        'rejects',
        async () => {
          throw new Error('no more, please')
        },
      ],
    ] as const) {
      it(`that ${how} makes the block fail with its error, and the state is as before`, async () => {
        const vm = await world.vm()
        const root = await vm.stateManager.getStateRoot()
        let calls = 0
        await expect(
          executors.get(scheduler)!.runBlock(vm, {
            block: makeBlock(world.common, plan),
            ...fillHeader,
            onTransaction: ({ index }) => {
              calls++
              return index === 5 ? fail() : undefined
            },
          }),
        ).rejects.toThrow('no more, please')
        expect(calls).toBe(6)
        expect(await vm.stateManager.getStateRoot()).toEqual(root)
        expect(vm.events.listenerCount('afterTx')).toBe(0)
        await vm.stateManager.setStateRoot(root)
        const again = await executors.get(scheduler)!.runBlock(vm, {
          block: makeBlock(world.common, plan),
          ...fillHeader,
        })
        expect(again.parallel.incidents).toEqual([])
      })
    }

    it('has seen the transactions before an invalid one, and not that one', async () => {
      const seen: number[] = []
      const invalid = { from: actors[5]!, to: counter, nonce: 7n }
      const transactions = [...plan.transactions.slice(0, 6), invalid, plan.transactions[7]!]
      await expect(
        executors.get(scheduler)!.runBlock(await world.vm(), {
          block: makeBlock(world.common, { transactions }),
          ...fillHeader,
          onTransaction: ({ index }) => void seen.push(index),
        }),
      ).rejects.toThrow("doesn't have the correct nonce")
      expect(seen).toEqual([0, 1, 2, 3, 4, 5])
    })
  })
}
