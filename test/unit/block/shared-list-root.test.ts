// Roots of lists are the same whoever finds them, also where a worker dies over one.
// Authority on that alone; what the root of a list is, is list-root.test.ts's.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { FEWEST_VALUES, listRootOnWorkers } from '../../../src/block/shared-list-root.ts'
import { loadKeccak } from '../../../src/state/keccak.ts'
import { listRoot } from '../../../src/state/list-root.ts'
import { WorkerPool } from '../../../src/workers/pool.ts'

const listOf = (count: number) =>
  Array.from({ length: count }, (_, i) => new Uint8Array((i % 200) + 1).fill(i))
const long = listOf(FEWEST_VALUES)

let pool: WorkerPool
beforeAll(async () => {
  pool = new WorkerPool(1, undefined)
  await pool.warm(60_000)
})
afterAll(() => pool?.close())

describe('the root of a list', () => {
  it('is found by a worker where the list is long', async () => {
    const asked = vi.spyOn(pool, 'run')
    const root = await listRootOnWorkers(long, pool)
    expect(asked).toHaveBeenCalledTimes(1)
    expect(await asked.mock.results[0]?.value).toEqual({ kind: 'rooted', root })
    expect(root).toEqual(listRoot(long, await loadKeccak()))
    asked.mockRestore()
  })

  it.each([
    ['is short', listOf(FEWEST_VALUES - 1), () => pool],
    ['has no workers to go to', long, () => undefined],
    ['has a pool without workers', long, () => new WorkerPool(0, undefined)],
  ])('is found here where it %s', async (_, list, poolFor) => {
    const asked = vi.spyOn(pool, 'run')
    expect(await listRootOnWorkers(list, poolFor())).toEqual(listRoot(list, await loadKeccak()))
    expect(asked).not.toHaveBeenCalled()
    asked.mockRestore()
  })

  it('is found here where the worker dies over it', async () => {
    const doomed = new WorkerPool(1, undefined)
    await doomed.warm(60_000)
    const root = listRootOnWorkers(long, doomed)
    await doomed.close()
    expect(await root).toEqual(listRoot(long, await loadKeccak()))
  })
})
