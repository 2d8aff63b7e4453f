// Script: random blocks against stock for as long as wanted, the unlimited form of the property test.
// Prints seeds as it goes, and on a difference the shrunk plan; exits 1 then. Must not judge itself:
// the comparisons are those of the test.
// node test/property/run-random-blocks.ts [--blocks N|0 (forever)] [--seed S] [--workers W] [--stock]
import { parseArgs } from 'node:util'

import { loadImplementation } from '../support/implementation.ts'
import { randomSeed, runRandomBlocks } from './random-runner.ts'

const { values: options } = parseArgs({
  options: {
    blocks: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(randomSeed()) },
    workers: { type: 'string', default: '2' },
    stock: { type: 'boolean', default: false },
  },
})

const implementation = await loadImplementation({
  stock: options.stock,
  workers: Number(options.workers),
})
try {
  const failure = await runRandomBlocks({
    implementation,
    seed: Number(options.seed),
    blocks: Number(options.blocks),
    log: (line) => console.log(line),
  })
  if (failure !== undefined) {
    console.log(failure)
    process.exitCode = 1
  }
} finally {
  await implementation.close()
}
