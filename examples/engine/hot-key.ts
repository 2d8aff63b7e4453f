// Twenty transactions add to one counter at once. All but one of them lose at first, and are repeated.
// Run it with `node examples/engine/hot-key.ts` after `npm run build`.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ParallelScheduler } from 'parallel-evm/engine'

import { addTo, toNumber } from './numbers.ts'

await using scheduler = new ParallelScheduler()

const increments = Array.from({ length: 20 }, () =>
  scheduler.executeWithRetry(async (state) => {
    // All have begun before the first of them commits.
    await nextTurn()
    return addTo(state, 'counter', 1)
  }, 50),
)
const ended = await Promise.all(increments)

console.log(`${ended.length} of 20 committed, ${scheduler.stats.retries} repetitions`)
console.log(`the counter is ${scheduler.batchRead(['counter']).map(toNumber)}`)
for (const { message } of scheduler.stats.alerts()) console.log(`alert: ${message}`)
