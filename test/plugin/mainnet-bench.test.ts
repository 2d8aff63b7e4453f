// The benchmark on a real block with blob transactions, on the real executor: the one case in which
// the plugin gives the workers a setup module.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { loadKzg } from '../../plugin/bench/kzg.ts'
import { runBench } from '../../plugin/bench/run-bench.ts'
import {
  createMainnetCase,
  hasBlobTransactions,
  readMainnetFile,
} from '../../plugin/bench/workloads/mainnet.ts'
import { createParallelExecutor } from '../../src/index.ts'
import { optionsWith } from '../unit/plugin/support/options.ts'

const fixtures = fileURLToPath(new URL('../fixtures/mainnet/', import.meta.url))

it('a block with blob transactions runs in parallel, with its KZG backend in the workers, twice', async () => {
  const options = optionsWith({
    workloads: ['mainnet'],
    workers: [2],
    runs: 1,
    schedulers: ['optimistic', 'graph'],
  })
  const path = await findBlobBlock()
  const report = await runBench(
    options,
    {
      print: () => {},
      printError: () => {},
      progressStream: { write: () => true },
      createExecutor: createParallelExecutor,
      signal: new AbortController().signal,
    },
    {
      notes: [],
      rows: [
        {
          name: path,
          prepare: async () =>
            await createMainnetCase(path, await readMainnetFile(path), await loadKzg()),
        },
      ],
    },
  )
  const results = report.rows[0]!.parallel
  expect(results.map(({ scheduler }) => scheduler)).toEqual(['optimistic', 'graph'])
  for (const { failures, mode, why } of results) {
    expect(failures).toEqual([])
    expect(mode, why ?? '').toBe('parallel')
  }
  const [blind, graph] = results
  expect(blind!.access).toBeNull()
  expect(graph!.access!.recall).toBeGreaterThan(0)
  expect(report.totals.mainnetReExecutions).toEqual([
    expect.objectContaining({ firstPass: blind!.firstPass!.reExecutions }),
    expect.objectContaining({ firstPass: graph!.firstPass!.reExecutions }),
  ])
  expect(report.isEqual).toBe(true)
})

async function findBlobBlock(): Promise<string> {
  for (const name of readdirSync(fixtures)) {
    if (!name.endsWith('.json.gz')) continue
    const path = join(fixtures, name)
    if (hasBlobTransactions(await readMainnetFile(path))) return path
  }
  throw new Error('no fixture has blob transactions')
}
