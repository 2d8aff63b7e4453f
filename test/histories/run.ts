// `npm run test:histories [-- --count 10000 --seed 1]`: random histories of three threads, checked.
// The authority on how many a release must pass. Prints what it found, and fails on the first fault.
import { parseArgs } from 'node:util'

import { runHistories } from './run-histories.ts'

const { values } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string' } },
})
const count = Number(values.count ?? 10_000)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 30))
console.log(`seed ${seed}`)
for (const isolation of ['snapshot', 'serializable'] as const) {
  const start = performance.now()
  const summary = await runHistories(Math.ceil(count / 2), isolation, seed)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(
    `${isolation}: ${summary.histories} histories, ${summary.transactions} transactions, ${summary.committed} committed, ${summary.notSerializable} histories not serializable, ${seconds} s`,
  )
  for (const fault of summary.faults) console.log(`FAULT ${fault}`)
  if (summary.faults.length > 0) process.exitCode = 1
}
