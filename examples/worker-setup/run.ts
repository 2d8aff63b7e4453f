// A VM with a custom precompile, in parallel: the workers get it from a setup module.
// Run it with `node examples/worker-setup/run.ts` after `npm run build`.
import { createParallelExecutor } from 'parallel-evm'

import { createFundedVM, createSampleBlock } from '../sample-block.ts'
import { reverser } from './custom-precompile.ts'

const evmOpts = { customPrecompiles: [reverser] }
const options = {
  block: createSampleBlock(reverser.address),
  generate: true,
  skipBlockValidation: true,
}

await using withSetup = await createParallelExecutor({
  workers: 2,
  workerSetup: new URL('./custom-precompile.ts', import.meta.url),
})
const fast = await withSetup.runBlock(await createFundedVM(evmOpts), options)
console.log(`with workerSetup: ${fast.parallel.mode}`)

// Without it nothing is guessed: the block runs on the calling thread and says why.
await using without = await createParallelExecutor({ workers: 2 })
const slow = await without.runBlock(await createFundedVM(evmOpts), options)
console.log(`without: ${slow.parallel.mode}, ${slow.parallel.why}`)
console.log(`same state root: ${Buffer.from(fast.stateRoot).equals(slow.stateRoot)}`)
