// The property that matters most: whatever a small hot block does, it equals stock ethereumjs.
// RANDOM_BLOCKS sets how many blocks, RANDOM_SEED repeats a run; run-random-blocks.ts has no limit.
// It must run with the fallback off: a rescued block would prove nothing about the parallel path.
import { describe, expect, it } from 'vitest'

import { testedSchedulers } from '../support/implementation.ts'
import { suiteImplementation } from '../support/suite-implementation.ts'
import { randomSeed, runRandomBlocks } from './random-runner.ts'

const blocks = Number(process.env.RANDOM_BLOCKS ?? 2000)
const flatBlocks = Math.ceil(blocks / 8)
const seed = Number(process.env.RANDOM_SEED ?? randomSeed())
const minute = 60_000

describe('random blocks, two workers, no fallback', () => {
  const implementation = suiteImplementation(testedSchedulers)

  it(
    `${blocks} random blocks give stock's results, state, events and errors`,
    async () => {
      console.log(`random blocks: RANDOM_SEED=${seed}`)
      const failure = await runRandomBlocks({
        implementation: implementation(),
        seed,
        blocks,
        log: console.log,
      })
      expect(failure, failure).toBeUndefined()
    },
    // Shrinking a difference takes longer than finding it.
    Math.max(15 * minute, blocks * 2_000),
  )

  it(
    `${flatBlocks} of them on a flat state give what stock gives on its own`,
    async () => {
      const onFlatState = { ...implementation(), onFlatState: true }
      const failure = await runRandomBlocks({
        implementation: onFlatState,
        seed,
        blocks: flatBlocks,
        log: console.log,
      })
      expect(failure, failure).toBeUndefined()
    },
    Math.max(15 * minute, blocks * 500),
  )
})
