// How the tests run: plain Node, one forked process per file, at most two at a time.
// The authority on time limits: they end what hangs, however slow the machine, and judge nothing else.
// Must not alias or transform the project's own modules: workers load them through Node directly.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'test/**/fixture-projects/**', 'test/fixtures/**'],
    // Forks and not threads: the tests start and kill worker threads of their own.
    pool: 'forks',
    // Tests with several workers each already fill a small machine.
    maxWorkers: 2,
    testTimeout: 15 * 60_000,
    hookTimeout: 15 * 60_000,
    teardownTimeout: 60_000,
  },
})
