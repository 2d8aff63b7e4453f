// A process that runs a chain of blocks with `pipeline` on a stored state, to be killed at any moment.
// Authority on what it tells: the number of blocks whose roots are known, a line for each.
// node pipelined-process.ts PATH LENGTH: goes on from what is stored, and then waits.
import { bytesToHex } from '@ethereumjs/util'
import { flatVm, unchecked, wideChain } from '../../../support/pipelined-chain.ts'
import { strictExecutor } from '../../../support/strict-executor.ts'

const [path = '', length] = process.argv.slice(2)
const { world, blocks, results } = await wideChain('london', Number(length))
const roots = [world.template.root, ...results.map(({ stateRoot }) => stateRoot)].map(bytesToHex)
const vm = await flatVm(world, { path })
const done = roots.indexOf(bytesToHex(await vm.stateManager.getStateRoot()) as `0x${string}`)
process.stdout.write(`${done}\n`)
const executor = await strictExecutor()
for (const [i, block] of blocks.entries()) {
  if (i < done) continue
  const { stateRootReady } = await executor.runBlock(vm, { block, ...unchecked, pipeline: true })
  void stateRootReady?.then(() => process.stdout.write(`${i + 1}\n`))
}
setInterval(() => {}, 1_000)
