// A sample of the official ethereum/tests blockchain tests: valid, invalid and transition blocks.
// The full set is run.ts; make-sample.ts says what is in the sample and cuts it.
// It must not forgive what stock fails: there too ours has to do what stock does.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { runBlockchainCase } from '../support/blockchain-case.ts'
import { readTestFiles } from '../support/ethereum-tests.ts'
import { testedSchedulers } from '../support/implementation.ts'
import { suiteImplementation } from '../support/suite-implementation.ts'

const directory = fileURLToPath(new URL('../fixtures/ethereum-tests', import.meta.url))
const files = [...readTestFiles(directory)].map(
  (file) => [file.name.replace(/^BlockchainTests\/|\.json$/g, ''), file] as const,
)

describe('official blockchain tests, two workers, no fallback', () => {
  const implementation = suiteImplementation(testedSchedulers)

  it.each(files)('%s passes, and every block gives what stock gives', async (_, file) => {
    for (const [name, test] of file.cases) {
      const report = await runBlockchainCase(test, implementation())
      expect(report.differences, name).toEqual([])
      expect(report.stockFailure, name).toBeUndefined()
    }
  })
})
