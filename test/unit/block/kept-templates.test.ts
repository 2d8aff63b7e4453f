// Holds an executor to keeping what it learned of contracts, and to taking it from another one.
import { describe, expect, it } from 'vitest'

import type { ParallelRunBlockResult } from '../../../src/index.ts'
import { type BlockPlan, fillHeader, makeBlock, makeWorld } from '../../support/hand-made-block.ts'
import { actors, contracts } from '../../support/random-world.ts'
import { counterCode } from '../../support/small-contracts.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const { counter } = contracts
const plan: BlockPlan = {
  transactions: Array.from({ length: 8 }, (_, index) => ({
    from: actors[index % 4]!,
    to: counter,
  })),
}

describe('an executor that predicts', () => {
  it('learns from its blocks, and hands on what it learned as data', async () => {
    const world = await makeWorld({ accounts: { [counter.toString()]: { code: counterCode } } })
    const run = async (templates?: unknown): Promise<[ParallelRunBlockResult, unknown, string]> => {
      await using executor = await strictExecutor({ scheduler: 'graph', templates })
      const block = makeBlock(world.common, plan)
      const result = await executor.runBlock(await world.vm(), { block, ...fillHeader })
      const kept = JSON.parse(JSON.stringify(await executor.exportTemplates())) as unknown
      return [result, kept, await executor.describeTemplates()]
    }
    const [first, learned, words] = await run()
    expect(first.parallel.access?.missed).toBeGreaterThan(0)
    expect(words).not.toBe('')
    const [second] = await run(learned)
    expect(second.parallel.access).toMatchObject({ missed: 0, recall: 1 })
    expect(second.parallel).toMatchObject({ reExecutions: 0, graph: { levels: 8 } })
    expect(second.stateRoot).toEqual(first.stateRoot)
  })

  it('refuses templates that are none, and names what is wrong', async () => {
    for (const templates of [5, 'x', {}, { version: 7, templates: [] }]) {
      const error = await strictExecutor({ scheduler: 'graph', templates }).catch(
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ name: 'ParallelError', code: 'INVALID_TEMPLATES' })
    }
  })
})
