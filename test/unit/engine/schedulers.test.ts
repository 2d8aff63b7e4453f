// Holds what all schedulers promise, and what each adds: retries, batches, priorities, choices.
// Must not depend on how fast anything is.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

import { ReadWriteSet } from '../../../src/access/read-write-set.ts'
import { choose } from '../../../src/engine/auto-scheduler.ts'
import { createScheduler } from '../../../src/engine/create-scheduler.ts'
import { MvccScheduler } from '../../../src/engine/mvcc-scheduler.ts'
import { MvccStore } from '../../../src/engine/mvcc-store.ts'
import type { StateView } from '../../../src/engine/mvcc-transaction.ts'
import { ParallelScheduler } from '../../../src/engine/parallel-scheduler.ts'
import { ENGINE_SCHEDULERS } from '../../../src/engine/scheduler.ts'
import { StateManager } from '../../../src/engine/state-manager.ts'
import { WorkStealingScheduler } from '../../../src/engine/work-stealing-scheduler.ts'
import { ParallelError } from '../../../src/errors.ts'
import { bytes, errorOf, put, text, valueIn } from './support/values.ts'

const module = new URL('./support/executors/misbehave.ts', import.meta.url)

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ParallelError)
  return (error as ParallelError).code
}

function add(state: StateView, key: string): number {
  const next = (state.read(key)?.[0] ?? 0) + 1
  state.write(key, Uint8Array.of(next))
  return next
}

async function addSlowly(state: StateView, key: string): Promise<number> {
  const before = state.read(key)?.[0] ?? 0
  await nextTurn()
  state.write(key, Uint8Array.of(before + 1))
  return before + 1
}

describe.each(ENGINE_SCHEDULERS)('the scheduler %s', (kind) => {
  it('loses no increment of a hot key, and tells how often it was repeated', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    await using scheduler = createScheduler(kind, { store, workers: 8 })
    const transactions = Array.from({ length: 20 }, (_, id) => ({ id }))
    const batch = await scheduler.execute(transactions, (state) => addSlowly(state, 'hot'))
    expect([batch.successful, batch.failed]).toEqual([20, 0])
    expect(batch.results.map(({ id }) => id)).toEqual(transactions.map(({ id }) => id))
    expect(batch.results.map(({ value }) => value as number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
    expect(text(bytes(`${store.beginReadOnly().read('hot')}`))).toBe('20')
    expect(scheduler.stats).toMatchObject({ successful: 20, failed: 0, retries: batch.retries })
    expect(batch.retries).toBe(batch.conflicts)
  })

  it('runs a module on threads, with results and errors of each transaction', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    await using scheduler = createScheduler(kind, { store, workers: 2, threadsOnly: true })
    const inputs = ['count', 'throw', 'count', 'write', 'count']
    const batch = await scheduler.execute(
      inputs.map((input, id) => ({ id: `tx ${id}`, input })),
      module,
    )
    expect(batch.picked).toMatchObject({ where: 'parallel', workers: 2 })
    expect([batch.successful, batch.failed]).toEqual([4, 1])
    const failed = batch.results[1]!
    expect(failed).toMatchObject({ id: 'tx 1', isSuccessful: false, attempts: 1 })
    expect(failed.error).toMatchObject({ name: 'RangeError', message: 'tx 1 is out of range' })
    const counts = batch.results.map(({ value }) => value).filter((value) => value !== undefined)
    expect(counts.sort()).toEqual([1, 2, 3, 4])
    expect(valueIn(store, 'wrote tx 3')).toBe('\u0001')
    expect(store.activeTransactions()).toBe(0)
  })

  it('refuses what it cannot run, with an error that says what to do', async () => {
    const scheduler = createScheduler(kind, { workers: 2, mvccConfig: { maxMiB: 1 } })
    const run = (transactions: unknown, executor: unknown) =>
      codeOf(scheduler.execute(transactions as never, executor as never))
    expect(await run([{ id: 1 }, { id: 1 }], () => 1)).toBe('INVALID_ARGUMENT')
    expect(await run([{ id: 1 }], 5)).toBe('INVALID_ARGUMENT')
    expect(await run([{ id: 1 }], 'https://example.org/a.js')).toBe('INVALID_OPTION')
    const none = new URL('./support/executors/no-function.ts', import.meta.url)
    expect(await run([{ id: 1 }, { id: 2 }], none)).toBe('WORKER_SETUP_FAILED')
    await scheduler.close()
    await scheduler.close()
    expect(await run([{ id: 1 }], () => 1)).toBe('DISPOSED')
    await using threads = createScheduler(kind, { threadsOnly: true })
    expect(await codeOf(threads.execute([{ id: 1 }], () => 1))).toBe('MODULE_REQUIRED')
    expect(errorOf(() => createScheduler(kind, { workers: 65 })).code).toBe('INVALID_OPTION')
    expect(errorOf(() => createScheduler(kind, { wrokers: 1 } as never)).message).toContain(
      'wrokers',
    )
  })

  it('runs nothing where there is nothing', async () => {
    await using scheduler = createScheduler(kind)
    const batch = await scheduler.execute([], module)
    expect([batch.results, batch.successful]).toEqual([[], 0])
  })
})

describe('worker threads', () => {
  const batchOf = (inputs: readonly string[]) => inputs.map((input, id) => ({ id, input }))

  it('that die are replaced, and leave nothing open', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    await using scheduler = new MvccScheduler({ store, numWorkers: 2 })
    const run = (inputs: readonly string[]) => scheduler.execute(batchOf(inputs), module)
    expect((await run(['count', 'count'])).successful).toBe(2)
    expect(await codeOf(run(['exit', 'count', 'count']))).toBe('WORKER_FAILED')
    expect(store.activeTransactions()).toBe(0)
    expect((await run(['count', 'count'])).successful).toBe(2)
    expect(store.gc()).toBeGreaterThan(0)
  })

  it.each(['mvcc', 'dag'] as const)(
    'of the scheduler %s that never end are ended',
    async (kind) => {
      using store = new MvccStore({ maxMiB: 8 })
      const options = { store, workers: 2, executionTimeoutMs: 1000 }
      await using scheduler = createScheduler(kind, options)
      const run = (inputs: readonly string[]) => scheduler.execute(batchOf(inputs), module)
      expect(await codeOf(run(['spin', 'count', 'count']))).toBe('EXECUTION_TIMEOUT')
      expect(store.activeTransactions()).toBe(0)
      // The new thread may need longer than the time of a batch to start.
      for (let successful = 0; successful < 2; ) {
        successful = await run(['count', 'count']).then(
          (batch) => batch.successful,
          () => 0,
        )
      }
    },
  )

  it('cannot be told by a function which errors to repeat', async () => {
    await using scheduler = new MvccScheduler({ isRetriable: () => true })
    expect(await codeOf(scheduler.execute([{ id: 1 }], module))).toBe('MODULE_REQUIRED')
  })
})

describe('the parallel scheduler', () => {
  it.each(['store', 'state'] as const)('on a %s keeps a batch whole or not at all', async (on) => {
    const state = on === 'state' ? { state: new StateManager() } : {}
    await using scheduler = new ParallelScheduler(state)
    scheduler.batchWrite([
      ['a', bytes('1')],
      ['b', bytes('2')],
    ])
    const boom = new Error('boom')
    const failing = scheduler.executeBatch<unknown>([
      (view) => view.write('a', bytes('x')),
      (view) => expect(text(view.read('a'))).toBe('x'),
      async () => {
        throw boom
      },
    ])
    await expect(failing).rejects.toBe(boom)
    expect(scheduler.batchRead(['a', 'b', 'c']).map(text)).toEqual(['1', '2', undefined])
    expect(await scheduler.executeBatch<unknown>([(view) => view.delete('a'), () => 5])).toEqual([
      undefined,
      5,
    ])
    scheduler.batchDelete(['b'])
    expect(scheduler.batchRead(['a', 'b'])).toEqual([undefined, undefined])
    expect(
      errorOf(() => scheduler.executeReadOnly((view) => view.write('a', bytes('1')))).code,
    ).toBe('READ_ONLY')
    expect(() =>
      scheduler.executeWithSnapshot((view) => {
        view.write('c', bytes('1'))
        throw boom
      }),
    ).toThrow(boom)
    expect(scheduler.batchRead(['c'])).toEqual([undefined])
  })

  it.each(['store', 'state'] as const)(
    'on a %s runs transactions apart, failed ones without a trace',
    async (on) => {
      const state = on === 'state' ? { state: new StateManager() } : {}
      await using scheduler = new ParallelScheduler({ ...state, workers: 4 })
      const run = async (view: StateView, { input }: { input?: string }) => {
        const count = await addSlowly(view, 'count')
        if (input === 'fail') throw new Error('no')
        return count
      }
      const batch = await scheduler.executeParallel(
        ['', 'fail', '', 'fail', ''].map((input, id) => ({ id, input })),
        run,
      )
      expect(batch.results.map(({ isSuccessful }) => isSuccessful)).toEqual([
        true,
        false,
        true,
        false,
        true,
      ])
      expect(scheduler.batchRead(['count'])).toEqual([Uint8Array.of(3)])
      expect(scheduler.stats).toMatchObject({ successful: 4, failed: 2 })
    },
  )

  it('repeats what the predicate says, up to the limit', async () => {
    await using scheduler = new ParallelScheduler()
    let runs = 0
    const flaky = (view: StateView): number => {
      add(view, 'count')
      if (++runs < 3) throw new Error('flaky')
      return runs
    }
    const isFlaky = (error: unknown) => (error as Error).message === 'flaky'
    await expect(scheduler.executeWithRetry(flaky, 5)).rejects.toThrow('flaky')
    runs = 0
    expect(await scheduler.executeWithRetry(flaky, 5, isFlaky)).toBe(3)
    runs = -10
    await expect(scheduler.executeWithRetry(flaky, 5, isFlaky)).rejects.toThrow('flaky')
    expect(runs).toBe(-4)
    expect(scheduler.batchRead(['count'])).toEqual([Uint8Array.of(1)])
    expect(scheduler.stats).toMatchObject({ successful: 2, failed: 2, retries: 7, rollbacks: 9 })
  })

  it('ends twenty increments that collide at twenty', async () => {
    await using scheduler = new ParallelScheduler()
    const all = Array.from({ length: 20 }, () =>
      scheduler.executeWithRetry((view) => addSlowly(view, 'hot'), 20),
    )
    expect((await Promise.all(all)).sort((a, b) => a - b).at(-1)).toBe(20)
    expect(scheduler.batchRead(['hot'])).toEqual([Uint8Array.of(20)])
    expect(scheduler.stats.conflicts).toBeGreaterThan(0)
  })

  it('on a state lets asynchronous functions wait for each other, and refuses to get between them', async () => {
    await using scheduler = new ParallelScheduler({ state: new StateManager() })
    const all = Array.from({ length: 5 }, () =>
      scheduler.executeWithRetry((view) => addSlowly(view, 'count')),
    )
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5])
    const slow = scheduler.executeWithSnapshot((view) => addSlowly(view, 'count'))
    expect(errorOf(() => scheduler.batchRead(['count'])).code).toBe('INVALID_ARGUMENT')
    expect(await slow).toBe(6)
    expect(scheduler.batchRead(['count'])).toEqual([Uint8Array.of(6)])
    expect(scheduler.stats).toMatchObject({ retries: 0, conflicts: 0 })
  })

  it('names the transactions that can run at once, by what was recorded', async () => {
    await using scheduler = new ParallelScheduler()
    const sets = [['a', 'b'], ['c', 'd'], ['b', 'c'], ['e']]
    for (const [id, keys] of sets.entries()) {
      const set = new ReadWriteSet()
      for (const key of keys) set.addWrite(key)
      scheduler.recordRwSet(id, set)
    }
    expect(scheduler.getParallelBatch([0, 1, 2, 3])).toEqual([0, 1, 3])
    expect(scheduler.getParallelBatch([0, 1, 2, 3], new Set([0]))).toEqual([1, 3])
    expect(scheduler.getParallelBatch([0, 1, 2, 3], new Set([0, 1, 3]))).toEqual([2])
    const order: unknown[] = []
    const batch = await scheduler.executeParallel(
      [0, 1, 2, 3].map((id) => ({ id })),
      (_, { id }) => order.push(id),
    )
    expect(batch.picked.why).toContain('in order')
    expect(order.indexOf(2)).toBeGreaterThan(Math.max(order.indexOf(0), order.indexOf(1)))
    scheduler.clearRwSets()
    expect(errorOf(() => scheduler.getParallelBatch([0])).code).toBe('UNKNOWN_TRANSACTION')
  })
})

describe('the MVCC scheduler', () => {
  it('brings a hundred increments of ten counters to ten each', async () => {
    await using scheduler = new MvccScheduler({ numWorkers: 10 })
    const functions = Array.from(
      { length: 100 },
      (_, i) => (state: StateView) => addSlowly(state, `counter ${i % 10}`),
    )
    const batch = await scheduler.executeBatchParallel(functions)
    expect([batch.successful, batch.failed]).toEqual([100, 0])
    using reader = scheduler.store.beginReadOnly()
    for (let i = 0; i < 10; i++) expect(reader.read(`counter ${i}`)).toEqual(Uint8Array.of(10))
    expect((await scheduler.executeTransaction((state) => add(state, 'counter 0'))).value).toBe(11)
  })

  it('gives up a transaction that always loses, after as many repetitions as it is told', async () => {
    using store = new MvccStore({ maxMiB: 8 })
    await using scheduler = new MvccScheduler({ store, maxRetries: 3 })
    let runs = 0
    const { error, attempts, conflicts } = await scheduler.executeTransaction((state) => {
      add(state, 'a')
      put(store, 'a', `${runs++}`)
    })
    expect([attempts, conflicts, runs]).toEqual([4, 4, 4])
    expect(error).toMatchObject({ code: 'WRITE_CONFLICT' })
  })
})

describe('the work-stealing scheduler', () => {
  it('takes tasks by priority, and those of one priority as they came', async () => {
    await using scheduler = new WorkStealingScheduler({ workers: 1 })
    scheduler.submitTask({ txId: 'default' })
    scheduler.submitTasks([
      { txId: 'low', priority: 1 },
      { txId: 'high', priority: 255 },
      { txId: 'high too', priority: 255 },
    ])
    expect(scheduler.pendingCount).toBe(4)
    const order: unknown[] = []
    const batch = await scheduler.executeAll((_, { id }) => order.push(id))
    expect(order).toEqual(['high', 'high too', 'low', 'default'])
    expect(batch.results.map(({ id }) => id)).toEqual(['default', 'low', 'high', 'high too'])
    expect(scheduler.pendingCount).toBe(0)
    expect((await scheduler.executeAll(() => 1)).results).toEqual([])
  })

  it('refuses priorities that there are not, and a task twice', async () => {
    await using scheduler = new WorkStealingScheduler()
    for (const priority of [-1, 256, 1.5, Number.NaN]) {
      expect(errorOf(() => scheduler.submitTask({ txId: 1, priority })).code).toBe(
        'INVALID_ARGUMENT',
      )
    }
    const tasks = [{ txId: 1 }, { txId: 2 }, { txId: 1 }]
    expect(errorOf(() => scheduler.submitTasks(tasks)).code).toBe('INVALID_ARGUMENT')
    expect(scheduler.pendingCount).toBe(0)
    scheduler.submitTask({ txId: 1 })
  })
})

describe('the automatic scheduler', () => {
  it('picks by conflicts and by the time that transactions take', () => {
    const pick = (
      conflictRate: number,
      transactionMs: number,
      count: number,
      isModule: boolean,
    ) => {
      const { versions, where } = choose({ conflictRate, transactionMs }, count, isModule, 4)
      return `${versions} ${where}`
    }
    expect(pick(0, 0, 10, true)).toBe('mvcc parallel')
    expect(pick(0, 0.001, 10, true)).toBe('mvcc inline')
    expect(pick(0.2, 1, 100, true)).toBe('mvcc parallel')
    expect(pick(0.2, 1, 100, false)).toBe('mvcc inline')
    expect(pick(0.9, 1, 100, true)).toBe('snapshot inline')
  })

  it('goes one after the other when most executions conflict, and tries again later', async () => {
    await using scheduler = createScheduler('auto', { workers: 4 })
    const picks: string[] = []
    for (let batch = 0; batch < 12; batch++) {
      const transactions = Array.from({ length: 4 }, (_, id) => ({ id }))
      const { picked, successful } = await scheduler.execute(transactions, (state) =>
        addSlowly(state, 'hot'),
      )
      expect(successful).toBe(4)
      picks.push(picked.versions)
    }
    expect(picks[0]).toBe('mvcc')
    expect(picks[1]).toBe('snapshot')
    expect(picks.slice(2)).toContain('mvcc')
  })
})
