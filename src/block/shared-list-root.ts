// Takes the roots of long lists on the workers. Authority on when that pays, and on workers that die
// meanwhile: the calling thread then does what is left.

import { loadKeccak } from '../state/keccak.ts'
import { listRoot, packList } from '../state/list-root.ts'
import type { WorkerPool } from '../workers/pool.ts'

/** Values of a list for which a worker is asked; each takes some 7 us. */
export const FEWEST_VALUES = 256

/** The root of `values`; hashed with keccak-256 on a worker of `pool`, where there is one and it pays. */
export async function listRootOnWorkers(
  values: readonly Uint8Array[],
  pool: WorkerPool | undefined,
): Promise<Uint8Array> {
  if (pool !== undefined && pool.size > 0 && values.length >= FEWEST_VALUES) {
    const task = { kind: 'list-root', values: packList(values) } as const
    const report = await pool.run(task).catch(() => undefined)
    if (report?.kind === 'rooted') return report.root
  }
  return listRoot(values, await loadKeccak())
}
