// The tasks of a block from their start to their end, on a pool without threads.
// Authority on what ends workers that do not come back; real threads are test/fault's.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BlockTasks } from '../../../src/block/block-tasks.ts'
import { CONTROL, controlWords, HALT } from '../../../src/memory/layout.ts'
import type { WorkerPool } from '../../../src/workers/pool.ts'
import type { BlockTask, WorkerReport } from '../../../src/workers/protocol.ts'

const done: WorkerReport = { kind: 'done', collectorMs: 0, crypto: 'native', parts: [] }
const workers = 2

/** Tasks of workers of which only the first comes back by itself; `ended` counts those that were ended. */
function tasksOf(control: Int32Array): { tasks: BlockTasks; ended: () => number } {
  let ended = 0
  const pool: Pick<WorkerPool, 'size' | 'run' | 'end'> = {
    size: workers,
    run: (task, stop) =>
      (task as BlockTask).worker === 0
        ? Promise.resolve(done)
        : new Promise((_, reject) => {
            stop?.signal.addEventListener('abort', () => reject(new Error('ended')))
          }),
    end: async (stop) => {
      ended++
      stop.abort()
    },
  }
  return { tasks: new BlockTasks(pool as WorkerPool, control), ended: () => ended }
}

describe('the tasks of a block that a worker has halted', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const course = async (reason: number): Promise<{ hasEnded: boolean; ended: number }> => {
    const control = new Int32Array(new SharedArrayBuffer(controlWords(1) * 4))
    const { tasks, ended } = tasksOf(control)
    let hasEnded = false
    const end = tasks.start({} as BlockTask).then(() => {
      hasEnded = true
    })
    control[CONTROL.HALT] = reason
    for (let look = 0; look < 100; look++) {
      await vi.advanceTimersByTimeAsync(25)
      tasks.watch()
    }
    const seen = { hasEnded, ended: ended() }
    tasks.halt()
    await vi.advanceTimersByTimeAsync(2_000)
    await end
    return seen
  }

  it.each([
    ['its first transaction is invalid', HALT.INVALID_TRANSACTION],
    ['a worker met an error', HALT.WORKER_ERROR],
  ])('do not wait for others without limit when %s', async (_, reason) => {
    expect(await course(reason)).toEqual({ hasEnded: true, ended: workers })
  })

  it.each([
    ['nothing went wrong', HALT.RUNNING],
    ['everything is committed', HALT.DONE],
  ])('wait for all workers while %s', async (_, reason) => {
    expect(await course(reason)).toEqual({ hasEnded: false, ended: 0 })
  })
})
