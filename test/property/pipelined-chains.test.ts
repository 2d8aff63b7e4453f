// Random chains of blocks whose roots are taken while the next ones run, held to stock's runBlock.
// PIPELINE_CHAINS sets how many, PIPELINE_SEED repeats a run.
// Authority on chains in which blocks are refused, late or at once, while their children wait or run.
import { runBlock, type VM } from '@ethereumjs/vm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor, ParallelRunBlockResult } from '../../src/index.ts'
import { compareResults, describeError } from '../support/oracle.ts'
import {
  chainOf,
  errorOf,
  flatVm,
  lateErrorOf,
  unchecked,
  withHeader,
} from '../support/pipelined-chain.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { randomSeed } from './random-runner.ts'

const chains = Number(process.env.PIPELINE_CHAINS ?? 6)
const seed = Number(process.env.PIPELINE_SEED ?? randomSeed())

let executor: ParallelExecutor
beforeAll(async () => {
  executor = await strictExecutor()
})
afterAll(() => executor.close())

const link = fc.record({
  // Else too little changes for a root to come later.
  wide: fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 4 }),
  actions: fc.array(fc.nat({ max: 99 }), { minLength: 4, maxLength: 8 }),
  /** A block made wrong comes first, with a child that does not wait. */
  wrong: fc.constantFrom('root', 'root', 'gas', undefined, undefined),
  pipeline: fc.constantFrom(true, true, true, false),
  isAwaited: fc.boolean(),
})
const plans = fc.record({
  hardfork: fc.constantFrom('london', 'prague'),
  links: fc.array(link, { minLength: 2, maxLength: 4 }),
})
type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never

async function expectEqual({ hardfork, links }: Plan): Promise<void> {
  const { world, blocks, results } = await chainOf(hardfork, links)
  const [vm, stock] = [await flatVm(world), await world.vm()]
  const roots = [world.template.root, ...results.map(({ stateRoot }) => stateRoot)]
  for (const [i, { wrong, pipeline, isAwaited }] of links.entries()) {
    const options = { ...unchecked, pipeline }
    const block = blocks[i]!
    if (wrong !== undefined) {
      const fields = wrong === 'root' ? { stateRoot: new Uint8Array(32).fill(7) } : { gasUsed: 5n }
      const refused = withHeader(block, fields)
      const run = executor.runBlock(vm, { block: refused, ...options })
      // After the last one, one that is wrong itself.
      const next = withHeader(blocks[i + 1] ?? refused, { parentHash: refused.hash() })
      const following = errorOf(executor.runBlock(vm, { block: next, ...options }))
      const [atOnce, late] = [await errorOf(run), await lateErrorOf(run)]
      const expected = await stockError(stock, refused, roots[i]!)
      expect(describeError(late)).toBe(expected)
      if (atOnce === undefined) {
        expect(await following).toMatchObject({ code: 'PARENT_REFUSED', cause: late })
      } else {
        // Refused as in stock, so that the child is run on the state before.
        expect(describeError(await following)).toBe(await stockError(stock, next, roots[i]!))
      }
      expect(await vm.stateManager.getStateRoot()).toEqual(roots[i])
      expect(await vm.stateManager.hasStateRoot(roots[i + 1]!)).toBe(false)
    }
    const run = executor.runBlock(vm, { block, ...options })
    await (isAwaited ? expectResult(run, i) : run)
    await runBlock(stock, { block, ...unchecked })
    expect(await stock.stateManager.getStateRoot()).toEqual(roots[i + 1])
    if (i === links.length - 1) await expectResult(run, i)
  }
  expect(await vm.stateManager.getStateRoot()).toEqual(roots.at(-1))
  for (const root of roots) await vm.stateManager.setStateRoot(root)

  async function expectResult(run: Promise<ParallelRunBlockResult>, i: number): Promise<void> {
    const result = await run
    expect(result.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    expect(compareResults(results[i]!, result)).toEqual([])
    if (links[i]!.pipeline) expect(await result.stateRootReady).toEqual(results[i]!.stateRoot)
  }
}

/** What stock says of a block on the state with this root, which it then has again. */
async function stockError(
  stock: VM,
  block: Parameters<typeof runBlock>[1]['block'],
  root: Uint8Array,
): Promise<string> {
  const error = await errorOf(runBlock(stock, { block, ...unchecked }))
  expect(error).toBeDefined()
  await stock.stateManager.setStateRoot(root)
  return describeError(error)
}

describe('a pipelined chain', () => {
  it(
    `of random blocks gives what stock gives, ${chains} times`,
    async () => {
      console.log(`pipelined chains: PIPELINE_SEED=${seed}`)
      await fc.assert(fc.asyncProperty(plans, expectEqual), { seed, numRuns: chains })
    },
    Math.max(240_000, chains * 30_000),
  )
})
