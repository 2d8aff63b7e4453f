// Runs every file of examples/ as a user would and looks at what it prints.
// The authority on examples being whole: one that is not listed here fails the first test.
// Must not build: examples run on the sources, by the preload beside this file.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { runOnSources } from './run-on-sources.ts'

const examples = new URL('../../examples/', import.meta.url)

/** What each example prints; the rest of its output depends on the machine. */
const expected: Record<string, RegExp[]> = {
  'run-block.ts': [
    /state root as stock's: true/,
    /gas used: 1344000, stock: 1344000/,
    /mode: parallel/,
  ],
  'executor.ts': [/round 1: parallel, 2 workers/, /round 3: parallel, 2 workers/, /\d+ levels/],
  'on-transaction.ts': [/48: 21000 gas, 1029000 so far/, /64 of 64 receipts came in order/],
  'build-block.ts': [
    /parallel: 64 included, 0 left/,
    /number 1 is refused: the tx doesn't have the correct nonce/,
    /block 1 has 1344000 gas/,
    /stock runs it with the same result/,
  ],
  'worker-setup/run.ts': [
    /with workerSetup: parallel/,
    /without: sequential, the VM has the custom precompile at 0x/,
    /same state root: true/,
  ],
  'engine/independent-accounts.ts': [
    /at once: alice and bob, carol and dave/,
    /then: bob and carol/,
    /alice 90, bob 105, carol 75, dave 130/,
  ],
  'engine/hot-key.ts': [/20 of 20 committed/, /the counter is 20/],
  'engine/ten-counters.ts': [
    /100 successful, 0 failed/,
    /each of the 10 counters is 10: true/,
    /in order: true/,
  ],
  'engine/work-stealing.ts': [/1000 of 1000 tasks on 2 workers/, /first by priority: urgent/],
  'engine/atomic-batch.ts': [
    /refused: alice has only 100/,
    /still alice 100, bob 50, 0 events/,
    /then alice 70, bob 80, 1 event/,
  ],
  'engine/read-only-snapshot.ts': [/the report: 1000 of 1000/, /a write in it: READ_ONLY/],
  'engine/garbage-collection.ts': [
    /while the reader is open: 1001 versions/,
    /the reader still sees 0/,
    /after it: 1 version, 1000 removed/,
  ],
}
/** Parts of examples that do nothing on their own. */
const parts = [
  'sample-block.ts',
  'worker-setup/custom-precompile.ts',
  'engine/numbers.ts',
  'engine/increment.ts',
  'engine/crunch.ts',
]

describe('examples', () => {
  it('are all run by these tests', () => {
    const files = readdirSync(examples, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.ts'))
    expect(files.sort()).toEqual([...Object.keys(expected), ...parts].sort())
  })

  it.each(Object.keys(expected))('%s runs to its end and prints what it promises', async (name) => {
    const { exitCode, output } = await runOnSources(fileURLToPath(new URL(name, examples)))
    expect(exitCode, output).toBe(0)
    for (const line of expected[name]!) expect(output).toMatch(line)
  })

  it.each([...Object.keys(expected), ...parts])('%s imports the package by its name', (name) => {
    expect(readFileSync(new URL(name, examples), 'utf8')).not.toMatch(
      /from '(\.\.\/)+(src|plugin)\//,
    )
  })
})
