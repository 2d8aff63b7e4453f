// How the tests run: plain Node, one forked process per file, at most two at a time.
// The authority on time limits: they end what hangs, however slow the machine, and judge nothing else.
// Must not alias or transform the project's own modules: workers load them through Node directly.
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes minutes: begun last, it would keep one core waiting for the other. */
const LONGEST = ['test/property/random-blocks.test.ts', 'test/fault/worker-death.test.ts']

/** Run by `npm run test:apart` (and one of them by `npm run test:apart -- FILE`): without them `npm test` takes less than ten minutes. */
const APART = ['test/fault/*.test.ts', 'test/interleaving/mutants.test.ts', 'test/docs/*.test.ts']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((file) => moduleId.endsWith(file))
      return at === -1 ? LONGEST.length : at
    }
    return sorted.sort((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig(({ mode }) => ({
  test: {
    environment: 'node',
    include: mode === 'apart' ? APART : ['test/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      'dist/**',
      'test/**/fixture-projects/**',
      'test/fixtures/**',
      ...(mode === 'apart' ? [] : APART),
    ],
    // Forks and not threads: the tests start and kill worker threads of their own.
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Tests with several workers each already fill a small machine.
    maxWorkers: 2,
    testTimeout: 15 * 60_000,
    hookTimeout: 15 * 60_000,
    teardownTimeout: 60_000,
  },
}))
