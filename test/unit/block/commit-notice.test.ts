// The main thread's sleep between commits: it must not sleep on a notice that is passed already.
// Authority on the moment between its last look at the commit head and the notice that it then sets.
// It must not measure time: the worker is played on the same thread and commits in that very moment, and
// what is checked is on what the main thread sleeps, not for how long.

import type { VM } from '@ethereumjs/vm'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BlockMemory } from '../../../src/block/block-memory.ts'
import {
  type ParallelRunBlockOpts,
  type ParallelRunBlockResult,
  runBlockWith,
} from '../../../src/block/run-block.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { tellCommits } from '../../../src/memory/commit-notice.ts'
import { ringMain } from '../../../src/memory/doorbell.ts'
import { CONTROL, HALT } from '../../../src/memory/layout.ts'
import { resolveOptions } from '../../../src/options.ts'
import type { WorkerPool } from '../../../src/workers/pool.ts'
import { makeBlock, makeWorld, runBoth, type World } from '../../support/hand-made-block.ts'
import { LaneBench } from '../../support/lane-bench.ts'
import { actors } from '../../support/random-world.ts'

const { store, waitAsync } = Atomics
let world: World

beforeAll(async () => {
  world = await makeWorld()
})
afterEach(() => {
  Atomics.store = store
  Atomics.waitAsync = waitAsync
})

/** A block whose worker executes everything, and then commits in three steps of equal size. */
class PlayedBlock {
  /** The commit head and the notice, whenever the main thread went to sleep. */
  readonly sleeps: { readonly committed: number; readonly notice: number }[] = []
  readonly #memory = new BlockMemory(8, 8)
  #beforeNotice: (() => void) | undefined
  #asleep: (() => void) | undefined

  constructor() {
    const { control } = this.#memory
    Atomics.store = ((words: Int32Array, index: number, value: number): number => {
      if (words === control && index === CONTROL.COMMIT_NOTICE) {
        const step = this.#beforeNotice
        this.#beforeNotice = undefined
        step?.()
      }
      return store(words, index, value)
    }) as typeof store
    // Without its timeout: only a ring ends a sleep.
    Atomics.waitAsync = ((words: Int32Array, index: number, value: number) => {
      const [committed, notice] = [control[CONTROL.COMMITTED]!, control[CONTROL.COMMIT_NOTICE]!]
      this.sleeps.push({ committed, notice })
      this.#asleep?.()
      return waitAsync(words, index, value)
    }) as typeof waitAsync
  }

  runBlock(vm: VM, options: ParallelRunBlockOpts): Promise<ParallelRunBlockResult> {
    const run = async (): Promise<unknown> => {
      await this.#play(vm, options)
      return { kind: 'done', collectorMs: 0 }
    }
    return runBlockWith(vm, options, 'optimistic', {
      memory: this.#memory,
      pool: { size: 1, run, setupParts: new Set(['custom crypto (kzg)']) } as unknown as WorkerPool,
      fallback: false,
      workerSetup: 'played',
      foresight: undefined,
      choice: undefined,
      limits: resolveOptions(),
      signal: new AbortController().signal,
      whySequential: undefined,
      onDone: () => {},
      onLater: () => {},
    })
  }

  async #play(vm: VM, { block }: ParallelRunBlockOpts): Promise<void> {
    const { control } = this.#memory
    const count = block.transactions.length
    const bench = new LaneBench({ block, base: vm.stateManager, memory: this.#memory })
    const lane = bench.newLane()
    for (let index = 0; index < count; index++) await bench.run(lane, index)
    const commitThird = (): void => {
      const before = control[CONTROL.COMMITTED]!
      store(control, CONTROL.COMMITTED, before + count / 3)
      tellCommits(nativeAtomics, control, before)
    }
    commitThird()
    this.#beforeNotice = commitThird
    await new Promise<void>((resolve) => {
      this.#asleep = resolve
    })
    commitThird()
    store(control, CONTROL.HALT, HALT.DONE)
    ringMain(nativeAtomics, control)
  }
}

describe('the main thread', () => {
  // A batch of commits is one where somebody listens, and sixteen where nobody does.
  const batches: [string, number, ParallelRunBlockOpts['onTransaction']][] = [
    ['one', 1, () => {}],
    ['sixteen', 16, undefined],
  ]
  it.each(batches)(
    'does not sleep on a notice %s further that was passed while it was set',
    async (_, batch, onTransaction) => {
      const played = new PlayedBlock()
      const transactions = Array.from({ length: 3 * batch }, (_, index) => ({
        from: actors[index % 8]!,
        to: actors[9]!.address,
        value: BigInt(index),
      }))
      const block = makeBlock(world.common, { transactions })
      const sides = { stock: await world.vm(), ours: await world.vm() }
      const listening = onTransaction === undefined ? {} : { onTransaction }
      const run = await runBoth(
        { runBlock: (vm, options) => played.runBlock(vm, { ...options, ...listening }) },
        sides,
        block,
      )
      expect(played.sleeps.slice(0, 2)).toEqual([
        { committed: 0, notice: batch },
        { committed: 2 * batch, notice: 3 * batch },
      ])
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    },
  )
})
