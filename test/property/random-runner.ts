// Runs random blocks in batches until enough have been compared, and describes the first failure.
// Authority on seeds: batch k of a run with seed S is fast-check's seed S + k, and is printed.
// It must not stop at a batch's first difference without shrinking it to a plan one can read.
import fc from 'fast-check'

import type { Implementation } from '../support/implementation.ts'
import { checkPlan, printPlan, Tally } from '../support/random-check.ts'
import { type WorldPlan, worldPlan } from '../support/random-plan.ts'

const batchSize = 500

export interface RandomRun {
  readonly implementation: Implementation
  readonly seed: number
  /** 0 runs until a difference is found. */
  readonly blocks: number
  readonly log: (line: string) => void
}

/** Undefined when every block was equal. */
export async function runRandomBlocks(run: RandomRun): Promise<string | undefined> {
  const tally = new Tally()
  const started = performance.now()
  for (let seed = run.seed; run.blocks === 0 || tally.blocks < run.blocks; seed++) {
    const left = run.blocks === 0 ? batchSize : run.blocks - tally.blocks
    const plans = Math.min(batchSize, left)
    let tries = 1
    const details = await fc.check(
      fc.asyncProperty(worldPlan, async (plan) => {
        for (let turn = 0; turn < tries; turn++) {
          const differences = await checkPlan(plan, run.implementation, tally)
          if (differences.length === 0) continue
          // What is shrunk may need the scheduler that showed it.
          tries = run.implementation.turns
          throw new Error(differences.join('\n'))
        }
      }),
      { seed, numRuns: plans },
    )
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    run.log(`seed ${seed}, ${plans} plans, ${seconds} s so far: ${tally}`)
    if (details.failed) {
      const plan = details.counterexample?.[0]
      return [
        `different with seed ${seed}, path ${details.counterexamplePath}`,
        details.errorInstance instanceof Error ? details.errorInstance.message : '',
        `plan: ${plan === undefined ? 'none' : printPlan(plan)}`,
      ].join('\n')
    }
  }
  return undefined
}

/** One plan many times over: what depends on timing fails only now and then. */
export async function repeatPlan(run: {
  readonly implementation: Implementation
  readonly plan: WorldPlan
  readonly times: number
  readonly log: (line: string) => void
}): Promise<string | undefined> {
  const tally = new Tally()
  let failures = 0
  let last: string | undefined
  for (let time = 0; time < run.times; time++) {
    const differences = await checkPlan(run.plan, run.implementation, tally)
    if (differences.length === 0) continue
    failures++
    last = differences.join('\n')
  }
  run.log(`${failures} of ${run.times} runs were different: ${tally}`)
  return last
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31)
}
