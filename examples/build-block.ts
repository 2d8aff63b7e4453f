// A block of whatever is valid in a pool of transactions, found by executing all of them at once.
// Run it with `node examples/build-block.ts` after `npm run build`.
import { createBlock } from '@ethereumjs/block'
import { runBlock } from '@ethereumjs/vm'
import { createParallelExecutor } from 'parallel-evm'

import { createFundedVM, createSampleBlock } from './sample-block.ts'

await using executor = await createParallelExecutor({ workers: 2, scheduler: 'optimistic' })

const vm = await createFundedVM()
const parentBlock = createBlock(
  { header: { gasLimit: 30_000_000, baseFeePerGas: 7n } },
  { common: vm.common },
)
const [first, ...others] = createSampleBlock().transactions
// Nobody has looked at what is in a pool: here one transaction comes twice.
const pool = [first, first, ...others]

const headerData = { timestamp: 12 }
const builder = await executor.buildBlock(vm, { parentBlock, headerData, withdrawals: [] })
const { included, skipped, left, parallel } = await builder.addTransactions(pool, {
  deadlineMs: 60_000,
})
console.log(`${parallel.mode}: ${included.length} included, ${left.length} left`)
for (const { index, error } of skipped) {
  console.log(`number ${index} is refused: ${(error as Error).message.split(' (')[0]}`)
}

const { block } = await builder.build()
console.log(`block ${block.header.number} has ${block.header.gasUsed} gas`)
await runBlock(await createFundedVM(), { block, skipHeaderValidation: true })
console.log('stock runs it with the same result')
