// Holds what schedulers do with what is wrong or comes at the wrong time: typed errors, nothing lost, no hang.
// Must not depend on how fast anything is.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

import { ReadWriteSet } from '../../../src/access/read-write-set.ts'
import { createScheduler } from '../../../src/engine/create-scheduler.ts'
import { DagExecutor } from '../../../src/engine/dag-executor.ts'
import { MvccScheduler } from '../../../src/engine/mvcc-scheduler.ts'
import { MvccStore } from '../../../src/engine/mvcc-store.ts'
import type { StateView } from '../../../src/engine/mvcc-transaction.ts'
import { ParallelScheduler } from '../../../src/engine/parallel-scheduler.ts'
import { lastNeededOf } from '../../../src/engine/run-batch.ts'
import { ENGINE_SCHEDULERS } from '../../../src/engine/scheduler.ts'
import { StateManager } from '../../../src/engine/state-manager.ts'
import { WorkStealingScheduler } from '../../../src/engine/work-stealing-scheduler.ts'
import { WriteConflictError } from '../../../src/engine/write-conflict-error.ts'
import { ParallelError } from '../../../src/errors.ts'
import { DependencyGraph } from '../../../src/graph/dependency-graph.ts'
import { bytes, errorOf, put, text, valueIn } from './support/values.ts'

const module = new URL('./support/executors/misbehave.ts', import.meta.url)

async function rejection(work: Promise<unknown>): Promise<ParallelError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ParallelError)
  return error as ParallelError
}

function conflict(): never {
  throw new WriteConflictError(bytes('key'), 'write')
}

describe.each(ENGINE_SCHEDULERS)('the scheduler %s', (kind) => {
  it('refuses a batch that is none before anything runs', async () => {
    await using scheduler = createScheduler(kind, { mvccConfig: { maxMiB: 1 } })
    let runs = 0
    const wrong: [unknown, string][] = [
      [undefined, 'an array'],
      [new Set([{ id: 1 }]), 'an array'],
      [[{ id: 1 }, null], 'Transaction 1 '],
      [[{ id: 1 }, {}], 'has no id'],
      [[{ id: 1 }, { id: 1 }], 'twice'],
      [[{ id: 1 }, { id: 2, priority: 256 }], '0 to 255'],
      [[{ id: 1, priority: Number.NaN }], '0 to 255'],
    ]
    for (const [transactions, hint] of wrong) {
      const batch = scheduler.execute(transactions as never, () => runs++)
      const { code, message } = await rejection(batch)
      expect([code, message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining(hint)])
    }
    expect(runs).toBe(0)
    const none = await rejection(scheduler.execute([{ id: 1 }], undefined as never))
    expect(none.code).toBe('INVALID_ARGUMENT')
  })

  it('awaits whatever has a then before it commits', async () => {
    await using scheduler = createScheduler(kind, { mvccConfig: { maxMiB: 1 } })
    const batch = await scheduler.execute([{ id: 1 }], (state) => {
      const foreign = {
        // biome-ignore lint/suspicious/noThenProperty: a promise of another library is what this is about.
        then(resolve: (value: string) => void) {
          setImmediate(() => {
            state.write('late', bytes('1'))
            resolve('done')
          })
        },
      }
      return foreign as unknown as PromiseLike<string>
    })
    expect(batch.results[0]).toMatchObject({ isSuccessful: true, value: 'done' })
  })

  it('commits nothing of a batch that has been given up', async () => {
    using store = new MvccStore({ maxMiB: 1 })
    await using scheduler = createScheduler(kind, { store, workers: 2, executionTimeoutMs: 20 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const ended: number[] = []
    const batch = scheduler.execute([{ id: 1 }, { id: 2 }, { id: 3 }], async (state, { id }) => {
      state.write(`${id}`, bytes('late'))
      await promise
      ended.push(id as number)
    })
    expect((await rejection(batch)).code).toBe('EXECUTION_TIMEOUT')
    resolve()
    for (let turn = 0; turn < 20 || store.activeTransactions() > 0; turn++) await nextTurn()
    expect(ended.length).toBeGreaterThan(0)
    expect(store.totalKeys()).toBe(0)
  })

  it('leaves nothing open of what fails', async () => {
    using store = new MvccStore({ maxMiB: 1 })
    await using scheduler = createScheduler(kind, { store, workers: 2 })
    const { failed } = await scheduler.execute(
      [{ id: 1 }, { id: 2 }, { id: 3 }],
      (state, { id }) => {
        state.write('a', bytes('1'))
        if (id !== 2) throw new Error('no')
        return Promise.reject(new Error('no'))
      },
    )
    expect([failed, store.activeTransactions(), valueIn(store, 'a')]).toEqual([3, 0, undefined])
  })

  it('is closed once for all who wait for it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const scheduler = createScheduler(kind, { mvccConfig: { maxMiB: 1 } })
    let hasEnded = false
    const batch = scheduler.execute([{ id: 1 }], async () => {
      await promise
      hasEnded = true
    })
    void scheduler.close()
    const closed = scheduler.close().then(() => expect(hasEnded).toBe(true))
    await nextTurn()
    resolve()
    expect((await batch).successful).toBe(1)
    await closed
  })

  it('refuses to be closed by what it runs, which would wait for itself', async () => {
    await using scheduler = createScheduler(kind, { mvccConfig: { maxMiB: 1 } })
    const { results } = await scheduler.execute([{ id: 1 }], () => scheduler.close())
    expect(results[0]!.error).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('refuses options that are not what they must be', () => {
    for (const wrong of [{ isRetriable: 5 }, { onAlert: 'log' }, { isolation: 'none' }]) {
      expect(errorOf(() => createScheduler(kind, wrong as never)).code).toBe('INVALID_OPTION')
    }
  })
})

describe('worker threads', () => {
  it('refuse inputs and results that cannot be sent, naming the transaction', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    await using scheduler = new MvccScheduler({ store, numWorkers: 2 })
    const inputs = ['count', 'unsendable', 'count']
    const transactions = inputs.map((input, id) => ({ id, input }))
    const batch = await scheduler.execute(transactions, module)
    expect([batch.successful, batch.failed]).toEqual([2, 1])
    expect(batch.results[1]!.error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('transaction 1 '),
    })
    expect(valueIn(store, 'wrote 1')).toBeUndefined()
    const input = () => 1
    const wrong = scheduler.execute([{ id: 'a' }, { id: 'b', input }, { id: 'c' }], module)
    const { code, message } = await rejection(wrong)
    expect([code, message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('transaction b ')])
    expect(store.activeTransactions()).toBe(0)
    expect((await scheduler.execute([{ id: 1, input: 'count' }], module)).successful).toBe(1)
  })

  it('tell which key it was that a transaction lost', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    await using scheduler = new MvccScheduler({ store, numWorkers: 1, maxRetries: 0 })
    const input = { handle: store.handle }
    const lost = await scheduler.execute(
      [{ id: 1, input }],
      new URL('./support/executors/interfere.ts', import.meta.url),
    )
    const { error } = lost.results[0]!
    expect(error).toBeInstanceOf(WriteConflictError)
    expect(error).toMatchObject({ key: bytes('contended'), access: 'write' })
  })
})

describe('the parallel scheduler', () => {
  it('repeats as often as its options say, and refuses what is no number of times', async () => {
    await using scheduler = new ParallelScheduler({ maxRetries: 3 })
    let runs = 0
    const losing = (): never => {
      runs++
      return conflict()
    }
    await expect(scheduler.executeWithRetry(losing)).rejects.toThrow(WriteConflictError)
    expect(runs).toBe(4)
    for (const wrong of [Number.NaN, -1, 1.5, '3' as never]) {
      expect((await rejection(scheduler.executeWithRetry(losing, wrong))).code).toBe(
        'INVALID_OPTION',
      )
    }
    expect(runs).toBe(4)
    expect(errorOf(() => scheduler.executeWithSnapshot(5 as never)).code).toBe('INVALID_ARGUMENT')
  })

  it.each(['store', 'state'] as const)(
    'on a %s finishes what it repeats while it is closed',
    async (on) => {
      const state = on === 'state' ? { state: new StateManager() } : {}
      const scheduler = new ParallelScheduler(state)
      let runs = 0
      const flaky = scheduler.executeWithRetry(
        async () => {
          await nextTurn()
          if (++runs < 3) throw new Error('flaky')
          return runs
        },
        5,
        () => true,
      )
      const closed = scheduler.close()
      expect((await rejection(scheduler.executeWithRetry(() => 1))).code).toBe('DISPOSED')
      expect(await flaky).toBe(3)
      await closed
    },
  )

  it('on a state refuses what would wait for itself, and waits for what is under way', async () => {
    await using scheduler = new ParallelScheduler({ state: new StateManager() })
    const inner = (): Promise<number> => scheduler.executeWithRetry(() => 5)
    for (const nested of [
      scheduler.executeWithRetry(inner),
      scheduler.executeBatch([inner]),
      scheduler.executeWithSnapshot(inner),
    ]) {
      expect((await rejection(nested)).code).toBe('INVALID_ARGUMENT')
    }
    const { results } = await scheduler.execute([{ id: 1 }], inner)
    expect(results[0]!.error).toMatchObject({ code: 'INVALID_ARGUMENT' })

    const order: string[] = []
    let later: Promise<unknown> | undefined
    const first = scheduler.executeWithSnapshot(async (state) => {
      await nextTurn()
      order.push('first')
      state.write('a', bytes('1'))
      // When it runs, this function has ended.
      setImmediate(() => {
        later = inner()
      })
    })
    const second = scheduler.executeWithRetry((state) =>
      order.push(`second ${text(state.read('a'))}`),
    )
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second 1'])
    while (later === undefined) await nextTurn()
    expect(await later).toBe(5)
  })

  it('does not keep what transactions declare themselves', async () => {
    await using scheduler = new ParallelScheduler()
    const accesses = new ReadWriteSet().addWrite('a')
    const batch = await scheduler.executeParallel([{ id: 1, accesses }], () => 1)
    expect(batch.picked.why).toContain('accesses are known')
    expect(errorOf(() => scheduler.getParallelBatch([1])).code).toBe('UNKNOWN_TRANSACTION')
    scheduler.recordRwSet(1, accesses)
    scheduler.recordRwSet(2, accesses)
    expect(scheduler.getParallelBatch([1, 2])).toEqual([1])
  })

  it('refuses on a state what needs threads or their end', () => {
    const state = new StateManager()
    for (const options of [{ threadsOnly: true }, { executionTimeoutMs: 5 }, { mvccConfig: {} }]) {
      expect(errorOf(() => new ParallelScheduler({ ...options, state })).code).toBe(
        'INVALID_OPTION',
      )
    }
    expect(errorOf(() => new ParallelScheduler({ state: {} as never })).code).toBe('INVALID_OPTION')
  })
})

describe('the DAG executor', () => {
  it('knows what a transaction waits for that depends on very many', () => {
    const last = 200_000
    const graph = new DependencyGraph<number>()
    for (let id = 0; id < last; id++) graph.addDependency(last, id)
    const transactions = Array.from({ length: last + 1 }, (_, id) => ({ id }))
    const needed = lastNeededOf(transactions, graph)
    expect([needed[0], needed[last]]).toEqual([-1, last - 1])
  })

  it('ends all parts of a batch before it is closed', async () => {
    const executor = new DagExecutor({ maxBatchSize: 1, threadCount: 1 })
    const batch = executor.executeBatch([{ id: 1 }, { id: 2 }, { id: 3 }], () => nextTurn())
    const closed = executor.close()
    expect((await batch).successful).toBe(3)
    await closed
  })

  it('repeats errors that the predicate says are worth it, in their turn', async () => {
    const isRetriable = (error: unknown): boolean => (error as Error).message === 'flaky'
    await using executor = new DagExecutor({ threadCount: 2, maxRetries: 4, isRetriable })
    const runs = [0, 0, 0]
    const order: number[] = []
    const batch = await executor.executeBatch(
      [{ id: 0 }, { id: 1 }, { id: 2 }],
      (state, { id }) => {
        const run = ++runs[id as number]!
        if (id === 0 && run < 3) throw new Error('flaky')
        if (id === 1) throw new Error(run > 1 ? 'again' : 'final')
        if (id === 2) throw new Error('flaky')
        order.push(state.read('a')?.[0] ?? 0)
        state.write('a', Uint8Array.of(run))
        return run
      },
    )
    expect(batch.results.map(({ attempts }) => attempts)).toEqual([3, 1, 5])
    expect(batch.results[0]).toMatchObject({ isSuccessful: true, value: 3, conflicts: 0 })
    expect(batch.results[1]!.error).toMatchObject({ message: 'final' })
    expect(batch.results[2]).toMatchObject({ isSuccessful: false, conflicts: 0 })
  })
})

describe('the MVCC scheduler', () => {
  it('without an executor refuses what are no functions', async () => {
    await using scheduler = new MvccScheduler()
    for (const wrong of [[{ id: 1 }], [() => 1, 5], undefined]) {
      const { code, message } = await rejection(scheduler.executeBatchParallel(wrong as never))
      expect([code, message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('executor')])
    }
  })

  it('lets a transaction run a batch of its own', async () => {
    await using scheduler = new MvccScheduler({ workers: 2 })
    const outer = await scheduler.executeTransaction(async (state: StateView) => {
      const inner = await scheduler.executeBatchParallel([(view) => view.write('a', bytes('1'))])
      return [inner.successful, state.read('a')]
    })
    expect(outer.value).toEqual([1, undefined])
  })
})

describe('the work-stealing scheduler', () => {
  it('keeps what was submitted where the executor is refused', async () => {
    await using scheduler = new WorkStealingScheduler({ threadsOnly: true })
    scheduler.submitTask({ txId: 1, input: 'count' })
    expect((await rejection(scheduler.executeAll(5 as never))).code).toBe('INVALID_ARGUMENT')
    expect((await rejection(scheduler.executeAll(() => 1))).code).toBe('MODULE_REQUIRED')
    expect(scheduler.pendingCount).toBe(1)
    put(scheduler.store, 'count', '\u0001')
    expect((await scheduler.executeAll(module)).results[0]!.value).toBe(2)
  })
})
