// Preload for snippets that are run: the `vm` and the `block` that a README reader has already.
// The authority on what snippets may use without declaring it; snippets.test.ts declares the same.
// Must not be needed by a snippet that shows how to make a VM or a block.
import { createFundedVM, createSampleBlock } from '../../examples/sample-block.ts'

const vm = await createFundedVM()
// A chain checks headers here; the sample block has no parent that it could be checked against.
Object.assign(vm.blockchain, { validateHeader: async () => {} })
Object.assign(globalThis, { vm, block: await finishedBlock() })

/** The sample block with the header that stock gives it: a valid block, as a chain has it. */
async function finishedBlock(): Promise<unknown> {
  const { runBlock } = await import('@ethereumjs/vm')
  const vm = await createFundedVM()
  let finished: unknown
  vm.events.on('afterBlock', (event) => {
    finished = event.block
  })
  await runBlock(vm, { block: createSampleBlock(), generate: true, skipBlockValidation: true })
  return finished
}
