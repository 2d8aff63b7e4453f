// Script: random blocks against stock for as long as wanted, the unlimited form of the property test.
// Prints seeds as it goes, and on a difference the shrunk plan; exits 1 then. Must not judge itself:
// the comparisons are those of the test.
// node test/property/run-random-blocks.ts [--blocks N|0 (forever)] [--seed S] [--workers W] [--stock]
//   [--flat]: on a flat state; [--plan FILE [--repeat 50]]: one plan, as printed with a difference, again and again
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { loadImplementation, testedSchedulers } from '../support/implementation.ts'
import { randomSeed, repeatPlan, runRandomBlocks } from './random-runner.ts'

const { values: options } = parseArgs({
  options: {
    blocks: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(randomSeed()) },
    workers: { type: 'string', default: '2' },
    stock: { type: 'boolean', default: false },
    flat: { type: 'boolean', default: false },
    plan: { type: 'string' },
    repeat: { type: 'string', default: '50' },
  },
})

const loaded = await loadImplementation({
  stock: options.stock,
  workers: Number(options.workers),
  schedulers: testedSchedulers,
})
const implementation = { ...loaded, onFlatState: options.flat }
try {
  const log = (line: string) => console.log(line)
  const failure =
    options.plan === undefined
      ? await runRandomBlocks({
          implementation,
          seed: Number(options.seed),
          blocks: Number(options.blocks),
          log,
        })
      : await repeatPlan({
          implementation,
          plan: JSON.parse(readFileSync(options.plan, 'utf8')),
          times: Number(options.repeat),
          log,
        })
  if (failure !== undefined) {
    console.log(failure)
    process.exitCode = 1
  }
} finally {
  await implementation.close()
}
