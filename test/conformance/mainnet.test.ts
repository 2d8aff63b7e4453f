// Real mainnet blocks from Byzantium to Cancun, ours against stock on the same pre-state.
// The full set and repeats are run-mainnet.ts; these few run in every `npm test`.
// It must run with the fallback off, or a wrong parallel path could hide behind a sequential rerun.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runBlock } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { loadMainnetBlock } from '../support/mainnet.ts'
import { compareResults, compareStateRoots } from '../support/oracle.ts'
import { suiteImplementation } from '../support/suite-implementation.ts'

const directory = fileURLToPath(new URL('../fixtures/mainnet/', import.meta.url))
const files = readdirSync(directory).filter((name) => name.endsWith('.json.gz'))

describe('real mainnet blocks, two workers, no fallback', () => {
  const implementation = suiteImplementation()

  it.each(files)(
    "block %s gives stock's result, state, and the header's gas and receipts",
    async (file) => {
      const mainnet = await loadMainnetBlock(`${directory}${file}`)
      const stock = await mainnet.makeVm()
      const expected = await runBlock(stock, { ...mainnet.runOptions, block: mainnet.block })
      const { header } = mainnet.block
      expect(expected.gasUsed).toBe(header.gasUsed)
      expect(expected.receiptsRoot).toEqual(header.receiptTrie)

      const ours = await mainnet.makeVm()
      const block = mainnet.freshBlock()
      const result = await implementation().runBlock(ours, { ...mainnet.runOptions, block })
      expect(compareResults(expected, result)).toEqual([])
      expect(await compareStateRoots(stock, ours)).toEqual([])
      if (!implementation().isStock) expect(result.parallel?.mode).toBe('parallel')
    },
  )

  it('a state manager without caches gives the same block the same result', async () => {
    const mainnet = await loadMainnetBlock(`${directory}19933122.json.gz`)
    const stock = await mainnet.makeVm({ caches: false })
    const expected = await runBlock(stock, { ...mainnet.runOptions, block: mainnet.block })
    const ours = await mainnet.makeVm({ caches: false })
    const result = await implementation().runBlock(ours, {
      ...mainnet.runOptions,
      block: mainnet.block,
    })
    expect(compareResults(expected, result)).toEqual([])
    expect(await compareStateRoots(stock, ours)).toEqual([])
  })
})
