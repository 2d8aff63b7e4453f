// A strict executor and a world for the tests of one file, opened before them and closed after them.
// Authority on when the two live; a file with several worlds, or another executor, opens them itself.
// It must stay apart from strict-executor.ts, which scripts use outside of vitest.
import { afterAll, beforeAll } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { makeWorld, type World, type WorldPlan } from './hand-made-block.ts'
import { strictExecutor } from './strict-executor.ts'

/** What blocks run on, and on what state. */
export interface Suite {
  readonly executor: ParallelExecutor
  readonly world: World
}

/** To be called where tests are described; its members are for within tests. */
export function strictSuite(plan: WorldPlan = {}): Suite {
  let opened: Suite | undefined

  beforeAll(async () => {
    const world = await makeWorld(plan)
    opened = { executor: await strictExecutor(), world }
  })

  afterAll(() => opened?.executor.close())

  const live = (): Suite => {
    if (opened === undefined) throw new Error('asked for outside of a test')
    return opened
  }
  return {
    get executor() {
      return live().executor
    },
    get world() {
      return live().world
    },
  }
}
