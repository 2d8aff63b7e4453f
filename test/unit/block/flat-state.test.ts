// Blocks on a flat state give what stock gives on its MerkleStateManager: by stock's code, by workers that
// read the state's memory, and by both in turn.
// Authority on blocks over flat states; what the state itself does is test/unit/state's matter.
import type { Common } from '@ethereumjs/common'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'
import { describe, expect, it, vi } from 'vitest'
import { BaseServer } from '../../../src/block/base-server.ts'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import { loadMainnetBlock, type MainnetBlock } from '../../support/mainnet.ts'
import { compareResults } from '../../support/oracle.ts'
import { strictSuite } from '../../support/strict-suite.ts'

const suite = strictSuite()
const mainnet = new URL('../../fixtures/mainnet/', import.meta.url)
/** Those that do not take long: of four hardforks, before Byzantium and after Cancun among them. */
const blocks = ['4370000', '19426587', '19933122']

async function flatVm(block: MainnetBlock): Promise<VM> {
  const { common, blockchain, stateManager } = await block.makeVm()
  const flat = await createFlatState({ common: common as Common })
  const root = await flat.importAlloc(block.preState)
  expect(root).toEqual(await stateManager.getStateRoot())
  return createVM({ common, blockchain, stateManager: flat })
}

describe('a flat state', () => {
  it.each(blocks)('runs mainnet block %s as stock does', async (name) => {
    const file = await loadMainnetBlock(new URL(`${name}.json.gz`, mainnet).pathname)
    const expected = await runBlock(await file.makeVm(), { ...file.runOptions, block: file.block })
    const byStock = await runBlock(await flatVm(file), {
      ...file.runOptions,
      block: file.freshBlock(),
    })
    expect(compareResults(expected, byStock)).toEqual([])
    const serve = vi.spyOn(BaseServer.prototype, 'serve')
    const vm = await flatVm(file)
    const root = await vm.stateManager.getStateRoot()
    for (let round = 0; round < 3; round++) {
      await vm.stateManager.setStateRoot(root)
      const ours = await suite.executor.runBlock(vm, {
        ...file.runOptions,
        block: file.freshBlock(),
      })
      expect(compareResults(expected, ours)).toEqual([])
      if (file.isPreByzantium) continue
      expect(ours.parallel.mode).toBe('parallel')
    }
    // The workers found everything themselves.
    expect(serve).not.toHaveBeenCalled()
    serve.mockRestore()
  })
})
