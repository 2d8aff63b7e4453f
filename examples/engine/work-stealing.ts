// A thousand tasks that keep cores busy, on two workers that take from each other.
// Run it with `node examples/engine/work-stealing.ts` after `npm run build`.
import { WorkStealingScheduler } from 'parallel-evm/engine'

await using scheduler = new WorkStealingScheduler({ workers: 2 })
for (let task = 0; task < 1000; task++) {
  // Every tenth takes thirty times as long as the others.
  scheduler.submitTask({ txId: task, priority: 10, input: task % 10 === 0 ? 6000 : 200 })
}
const { successful, results, picked } = await scheduler.executeAll(
  new URL('./crunch.ts', import.meta.url),
)
console.log(`${successful} of ${results.length} tasks on ${picked.workers} workers`)
console.log(`primes below 6000: ${results[0]!.value}`)

// Functions run on this thread, one after the other: the highest priority first.
const order: string[] = []
scheduler.submitTasks([
  { txId: 'whenever', priority: 0 },
  { txId: 'urgent', priority: 255 },
  { txId: 'soon', priority: 100 },
])
await scheduler.executeAll((_state, { id }) => order.push(String(id)))
console.log(`first by priority: ${order.join(', ')}`)
