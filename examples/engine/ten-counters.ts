// A hundred transactions over ten counters: on two worker threads, and in order with the DAG executor.
// Run it with `node examples/engine/ten-counters.ts` after `npm run build`.
import { DagExecutor, MvccScheduler } from 'parallel-evm/engine'

import { toNumber } from './numbers.ts'

const module = new URL('./increment.ts', import.meta.url)
const transactions = Array.from({ length: 100 }, (_, id) => ({
  id,
  input: { counter: `counter ${id % 10}` },
}))

await using scheduler = new MvccScheduler({ numWorkers: 2, mvccConfig: { autoGc: {} } })
const { successful, failed, conflicts } = await scheduler.executeBatchParallel(transactions, module)
console.log(`${successful} successful, ${failed} failed, ${conflicts} conflicts on the way`)

using reader = scheduler.store.beginReadOnly()
const counters = transactions.slice(0, 10).map(({ input }) => toNumber(reader.read(input.counter)))
console.log(`each of the 10 counters is 10: ${counters.every((counter) => counter === 10)}`)

// Which transaction made a counter 1, 2, 3, ... depends on the threads, unless their order counts.
await using inOrder = new DagExecutor({ threadCount: 2 })
const { results } = await inOrder.executeBatch(transactions, module)
const isInOrder = results.every(({ value }, i) => value === Math.floor(i / 10) + 1)
console.log(`in order: ${isInOrder}`)
