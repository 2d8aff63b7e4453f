// The drop-in: one changed import, the same call, the same result.
// Run it with `node examples/run-block.ts` after `npm run build`.
import { runBlock as runStockBlock } from '@ethereumjs/vm'
import { runBlock } from 'parallel-evm'

import { createFundedVM, createSampleBlock } from './sample-block.ts'

// `generate` because the sample block's header has no state root yet.
const options = { block: createSampleBlock(), generate: true, skipBlockValidation: true }

const stock = await runStockBlock(await createFundedVM(), options)
const result = await runBlock(await createFundedVM(), options)

const isEqual = Buffer.from(stock.stateRoot).equals(result.stateRoot)
console.log(`state root as stock's: ${isEqual}`)
console.log(`gas used: ${result.gasUsed}, stock: ${stock.gasUsed}`)
console.log(`mode: ${result.parallel.mode} (${result.parallel.why})`)
