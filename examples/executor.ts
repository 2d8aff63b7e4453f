// An executor of one's own: how many threads, warm before the first block, ended when done.
// Run it with `node examples/executor.ts` after `npm run build`.
import { createParallelExecutor } from 'parallel-evm'

import { createFundedVM, createSampleBlock } from './sample-block.ts'

await using executor = await createParallelExecutor({ workers: 2 })

const block = createSampleBlock()
for (let round = 1; round <= 3; round++) {
  const vm = await createFundedVM()
  const { parallel } = await executor.runBlock(vm, {
    block,
    generate: true,
    skipBlockValidation: true,
  })
  const { mode, workers, executions, reExecutions, conflicts, levels, phases } = parallel
  console.log(`round ${round}: ${mode}, ${workers} workers, ${phases.total.toFixed(0)} ms`)
  console.log(
    `  ${executions} executions, ${reExecutions} repeated, ${conflicts} conflicts, ${levels} levels`,
  )
}
// Leaving the scope closes the executor: `await using` calls `executor.close()`.
