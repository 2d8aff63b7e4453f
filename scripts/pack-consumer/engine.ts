// What a user of the installed package writes without an EVM: transactions on worker threads.
// The authority on what the pack test demands of `parallel-evm/engine`; it runs in an empty project.
// Must not import anything by path but its own module, which the threads load.
import { strict as assert } from 'node:assert'
import { type BatchResult, MvccScheduler, MvccStore, ParallelError } from 'parallel-evm/engine'

await using scheduler = new MvccScheduler({ numWorkers: 2, maxRetries: 50 })
const transactions = Array.from({ length: 30 }, (_, id) => ({ id, input: `counter ${id % 3}` }))
const module = new URL('./engine-counter.ts', import.meta.url)
const batch: BatchResult<number> = await scheduler.executeBatchParallel(transactions, module)
assert.equal(batch.successful, 30, batch.results.find(({ error }) => error)?.error?.stack)
assert.equal(batch.picked.where, 'parallel')

using reader = scheduler.store.beginReadOnly()
for (const counter of [0, 1, 2])
  assert.deepEqual(reader.read(`counter ${counter}`), Uint8Array.of(10))
assert.throws(() => MvccStore.attach({} as never), ParallelError)
