// Receipts as they become final, in canonical order, while later transactions still run.
// Run it with `node examples/on-transaction.ts` after `npm run build`.
import { createParallelExecutor } from 'parallel-evm'

import { createFundedVM, createSampleBlock } from './sample-block.ts'

await using executor = await createParallelExecutor({ workers: 2 })

let previous = -1
const result = await executor.runBlock(await createFundedVM(), {
  block: createSampleBlock(),
  generate: true,
  skipBlockValidation: true,
  onTransaction: ({ index, result: { receipt, totalGasSpent } }) => {
    if (index !== previous + 1) throw new Error(`${index} came after ${previous}`)
    previous = index
    if (index % 16 === 0) {
      console.log(`${index}: ${totalGasSpent} gas, ${receipt.cumulativeBlockGasUsed} so far`)
    }
  },
})
console.log(`${previous + 1} of ${result.receipts.length} receipts came in order`)
