// The implementation that a whole test file runs against, opened before its tests and closed after them.
// Authority on the environment variable that puts stock in its place: IMPLEMENTATION=stock.
// It must stay apart from implementation.ts, which scripts use outside of vitest.
import { afterAll, beforeAll } from 'vitest'
import { type Implementation, loadImplementation, type TestedScheduler } from './implementation.ts'

/** To be called where tests are described; what it returns is for within tests. */
export function suiteImplementation(schedulers?: readonly TestedScheduler[]): () => Implementation {
  let implementation: Implementation | undefined

  beforeAll(async () => {
    implementation = await loadImplementation({
      stock: process.env.IMPLEMENTATION === 'stock',
      workers: 2,
      ...(schedulers === undefined ? {} : { schedulers }),
    })
  })

  afterAll(async () => {
    await implementation?.close()
  })

  return () => {
    if (implementation === undefined) throw new Error('asked for outside of a test')
    return implementation
  }
}
