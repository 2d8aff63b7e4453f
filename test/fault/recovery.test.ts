// What goes wrong while workers recover senders, before the first transaction is executed. The block is
// stock's, or is refused and leaves nothing behind. It must not leave the moment to chance: each fault comes
// from within a recovery, or when a worker says that it is in one.
import type { Block } from '@ethereumjs/block'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { threadsOf } from '../support/executor-internals.ts'
import { fillHeader } from '../support/hand-made-block.ts'
import {
  blockWith,
  closed,
  disabled,
  expectHealed,
  killAll,
  newExecutor,
  runUnrecovered,
  templatesOf,
  unrecovered,
  workers,
  world,
} from '../support/unrecovered-blocks.ts'
import { channelName, misbehaviour } from '../support/worker-setups/misbehaving-recovery.ts'

let executor: ParallelExecutor

beforeEach(async () => {
  executor = await newExecutor({ fallback: true })
  return () => executor.close()
})

/** `block` is refused by an executor without fallback, which leaves no trace, and goes on. */
async function expectRefused(block: Block, cause: object): Promise<void> {
  const strict = await newExecutor({ fallback: false })
  try {
    await expectHealed(strict)
    const learned = await templatesOf(strict)
    const vm = await world.vm()
    const root = await vm.stateManager.getStateRoot()
    const refused = strict.runBlock(vm, { ...fillHeader, block: unrecovered(block) })
    await expect(refused).rejects.toMatchObject({ ...disabled, cause })
    expect(await vm.stateManager.getStateRoot()).toEqual(root)
    expect(await templatesOf(strict)).toEqual(learned)
    await expectHealed(strict)
  } finally {
    await strict.close()
  }
}

/** Calls `disturb` when a worker says that it is in the middle of a recovery. */
function whenRecovering(disturb: () => void): void {
  const channel = new BroadcastChannel(channelName)
  channel.onmessage = () => {
    channel.close()
    disturb()
  }
}

describe('a recovery that in a worker', () => {
  const faults = {
    throws: [/refused transaction 5, which stock accepts/, { code: 'INTERNAL' }],
    exits: [/A worker died: worker exited with code: 3/, { code: 'WORKER_FAILED' }],
  } as const
  for (const [kind, [why, cause]] of Object.entries(faults) as [
    keyof typeof faults,
    (typeof faults)[keyof typeof faults],
  ][]) {
    it(`${kind}: the block is equal and reports it, and the pool heals`, async () => {
      await expectHealed(executor)
      const learned = await templatesOf(executor)
      const run = await runUnrecovered(executor, blockWith(misbehaviour[kind]))
      expect(run.differences).toEqual([])
      expect(run.report?.incidents.join('; ')).toMatch(why)
      expect(await templatesOf(executor)).toEqual(learned)
      await expectHealed(executor)
    })

    it(`${kind}: the block is refused where the fallback is off`, async () => {
      await expectRefused(blockWith(misbehaviour[kind]), cause)
    })
  }

  it('never ends: the block is equal once the time for it is over, and the pool heals', async () => {
    const bounded = await newExecutor({ fallback: true, executionTimeoutMs: 1_000 })
    try {
      const run = await runUnrecovered(bounded, blockWith(misbehaviour.neverEnds))
      expect(run.differences).toEqual([])
      expect(run.report?.incidents.join('; ')).toContain('longer than executionTimeoutMs')
      expect(run.report?.fallbackFrom).toBe(0)
      expect(threadsOf(bounded).length).toBeLessThanOrEqual(workers)
    } finally {
      await bounded.close()
    }
    expect(threadsOf(bounded)).toEqual([])
  })
})

describe('while senders are recovered', () => {
  it.each([1, workers])(
    '%i killed workers: the block is equal, and the pool heals',
    async (count) => {
      await expectHealed(executor)
      const learned = await templatesOf(executor)
      let killed = 0
      whenRecovering(() => {
        for (const thread of threadsOf(executor).slice(0, count)) {
          killed++
          void thread.terminate()
        }
      })
      const run = await runUnrecovered(executor, blockWith(misbehaviour.neverEnds))
      expect(killed).toBe(count)
      expect(run.differences).toEqual([])
      expect(run.report?.incidents[0]).toContain('A worker died')
      // Nobody had executed anything.
      expect(run.report).toMatchObject({ fallbackFrom: 0, executions: 0 })
      expect(await templatesOf(executor)).toEqual(learned)
      await expectHealed(executor)
    },
  )

  it('killed workers: the block is refused where the fallback is off', async () => {
    const strict = await newExecutor({ fallback: false })
    try {
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      whenRecovering(() => killAll(strict))
      const block = unrecovered(blockWith(misbehaviour.neverEnds))
      const refused = strict.runBlock(vm, { ...fillHeader, block })
      await expect(refused).rejects.toMatchObject({ ...disabled, cause: { code: 'WORKER_FAILED' } })
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      await expectHealed(strict)
    } finally {
      await strict.close()
    }
  })

  it.each(['before', 'when'])(
    'close() %s one never ends: refuses the block, leaves the state as it was, and no thread',
    async (moment) => {
      const vm = await world.vm()
      const root = await vm.stateManager.getStateRoot()
      const block = unrecovered(blockWith(misbehaviour.neverEnds))
      const outcome = executor.runBlock(vm, { ...fillHeader, block }).catch((error) => error)
      if (moment === 'when') await new Promise<void>(whenRecovering)
      await executor.close()
      expect(await outcome).toMatchObject(closed)
      expect(await vm.stateManager.getStateRoot()).toEqual(root)
      expect(threadsOf(executor)).toEqual([])
    },
  )
})
