// Holds that a batch of the DAG executor leaves what running it in order leaves, whatever is declared.
// Must not depend on which transactions are run ahead.
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'

import { ReadWriteSet } from '../../../src/access/read-write-set.ts'
import { DagExecutor } from '../../../src/engine/dag-executor.ts'
import type { MvccStore } from '../../../src/engine/mvcc-store.ts'
import type { BatchResult, EngineTransaction } from '../../../src/engine/scheduler.ts'
import { StateManager } from '../../../src/engine/state-manager.ts'
import mix, { type MixInput, valueAt } from './support/executors/mix.ts'

const KEYS = [0, 1, 2, 3, 4]
const module = new URL('./support/executors/mix.ts', import.meta.url)

const inputs = fc.array(
  fc.record({
    reads: fc.subarray(KEYS, { maxLength: 3 }),
    writes: fc.subarray(KEYS, { maxLength: 2 }),
    spins: fc.constantFrom(0, 10, 5000),
    failsAbove: fc.constantFrom(65_521, 65_521, 50_000),
    declares: fc.constantFrom('nothing', 'right', 'wrong'),
  }),
  { maxLength: 24 },
)
type Given = MixInput & { readonly declares: string }

function transactionsOf(all: readonly Given[]): EngineTransaction<MixInput>[] {
  return all.map((input, id) => {
    if (input.declares === 'nothing') return { id, input }
    const accesses = new ReadWriteSet()
    if (input.declares === 'right') {
      for (const key of input.reads) accesses.addRead(`key ${key}`)
      for (const key of input.writes) accesses.addWrite(`key ${key}`)
    }
    return { id, input, accesses }
  })
}

/** What running them one after the other leaves, and what each returns or throws. */
function inOrder(transactions: readonly EngineTransaction<MixInput>[]): unknown[] {
  const state = new StateManager()
  const ends = transactions.map((transaction) => {
    const snapshot = state.createSnapshot()
    try {
      const value = mix(state, transaction)
      state.discard(snapshot)
      return value
    } catch (error) {
      state.rollbackTo(snapshot)
      return (error as Error).message
    }
  })
  return [...ends, ...KEYS.map((key) => valueAt(state, key))]
}

function ended({ results }: BatchResult, store: MvccStore): unknown[] {
  using reader = store.beginReadOnly()
  return [
    ...results.map((it) => (it.isSuccessful ? it.value : it.error?.message)),
    ...KEYS.map((key) => valueAt(reader, key)),
  ]
}

describe('the DAG executor', () => {
  const threads = 3
  const stores: MvccStore[] = []
  afterAll(() => {
    for (const store of stores) store.dispose()
  })

  it('on worker threads gives the result of running in order', async () => {
    // One executor for all runs, on a fresh store of its own each time: threads start slowly.
    await using executor = new DagExecutor({ threadCount: threads, mvccConfig: { maxMiB: 8 } })
    await fc.assert(
      fc.asyncProperty(inputs, async (given) => {
        const transactions = transactionsOf(given)
        const clearing = executor.store.begin()
        for (const key of KEYS) clearing.delete(`key ${key}`)
        clearing.commit()
        const batch = await executor.executeBatch(transactions, module)
        expect(ended(batch, executor.store)).toEqual(inOrder(transactions))
      }),
      { numRuns: 60 },
    )
  })

  it('gives it also with functions that await, with small batches and with chains too long', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 30 }), async (given, bound) => {
        const transactions = transactionsOf(given)
        await using executor = new DagExecutor({
          threadCount: threads,
          mvccConfig: { maxMiB: 1, expectedKeys: 8 },
          maxBatchSize: bound,
          maxDependencyDepth: (bound % 4) + 1,
        })
        const batch = await executor.executeBatch(transactions, async (state, transaction) => {
          await nextTurn()
          return mix(state, transaction)
        })
        expect(ended(batch, executor.store)).toEqual(inOrder(transactions))
      }),
      { numRuns: 60 },
    )
  })

  it('says what it made of a batch', async () => {
    await using executor = new DagExecutor({ threadCount: 2, maxDependencyDepth: 3 })
    const chain = Array.from({ length: 5 }, (_, id) => ({
      id,
      accesses: new ReadWriteSet().addWrite('x'),
    }))
    const batch = await executor.executeBatch(chain, () => 1)
    expect(batch.picked).toMatchObject({ versions: 'snapshot', where: 'inline', workers: 1 })
    expect(batch.picked.why).toContain('5')
    expect((await executor.executeBatch(chain.slice(0, 3), () => 1)).picked.why).toContain('3 deep')
    expect((await executor.executeBatch([{ id: 0 }], () => 1)).picked.why).toContain('guesses')
  })

  it('uses the executor of its options where a batch names none', async () => {
    await using executor = new DagExecutor({ executor: (_, { id }) => `ran ${id}` })
    const { results } = await executor.executeBatch([{ id: 1 }, { id: 2 }])
    expect(results.map(({ value }) => value)).toEqual(['ran 1', 'ran 2'])
    await using without = new DagExecutor()
    await expect(without.executeBatch([{ id: 1 }])).rejects.toThrow('An executor is a function')
  })

  it('does not run a transaction before those it is declared to depend on', async () => {
    await using executor = new DagExecutor({ threadCount: 4 })
    const accesses = (key: string) => new ReadWriteSet().addWrite(key)
    const transactions = ['a', 'b', 'a', 'b', 'a'].map((key, id) => ({
      id,
      accesses: accesses(key),
      input: key,
    }))
    const { retries, conflicts } = await executor.executeBatch(
      transactions,
      async (state, { input }) => {
        const before = state.read(input!)?.[0] ?? 0
        await nextTurn()
        state.write(input!, Uint8Array.of(before + 1))
      },
    )
    expect([retries, conflicts]).toEqual([0, 0])
    using reader = executor.store.beginReadOnly()
    expect([reader.read('a'), reader.read('b')]).toEqual([Uint8Array.of(3), Uint8Array.of(2)])
  })

  it('chooses the number of threads by what the work waits for', async () => {
    const { availableParallelism } = await import('node:os')
    const cores = availableParallelism()
    await using cpu = new DagExecutor()
    await using io = new DagExecutor({ workload: 'io' })
    expect(cpu.threadCount).toBe(Math.min(64, cores))
    expect(io.threadCount).toBe(Math.min(32, Math.max(2, Math.ceil(1.5 * cores))))
  })
})
