// Where a worker thread starts: takes tasks, reports how they ended, and nothing else.

import { recoverAll } from '../crypto/recover-all.ts'
import { functionParts } from '../execution/function-options.ts'
import { patchInterpreter } from '../execution/interpreter-patch.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { CONTROL, HALT } from '../memory/layout.ts'
import { loadKeccak } from '../state/keccak.ts'
import { listRoot, unpackList } from '../state/list-root.ts'
import { startCollectorClock } from '../stats/collector-clock.ts'
import { runBlockLoop } from './block-loop.ts'
import { runHashTask } from './hash-task.ts'
import type { WorkerReport, WorkerTask } from './protocol.ts'
import { serializeError } from './serialized-error.ts'
import { cryptoNameOf, loadWorkerCrypto } from './worker-crypto.ts'
import { WorkerEnvironment } from './worker-environment.ts'
import { loadWorkerSetup } from './worker-setup.ts'

const environment = new WorkerEnvironment()
const collectorMs = startCollectorClock()

export default async function runTask(task: WorkerTask): Promise<WorkerReport> {
  try {
    if (task.kind === 'recover') {
      const { secp256k1 } = await loadWorkerCrypto()
      return { kind: 'recovered', keys: recoverAll(secp256k1.recover, task.signatures) }
    }
    if (task.kind === 'list-root') {
      return { kind: 'rooted', root: listRoot(unpackList(task.values), await loadKeccak()) }
    }
    if (task.kind === 'hash') {
      await runHashTask(task)
      return { kind: 'hashed' }
    }
    const [setup, crypto] = await Promise.all([
      loadWorkerSetup(task.workerSetup),
      cryptoNameOf(task.workerSetup),
      patchInterpreter(),
    ])
    if (task.kind === 'block') {
      const work = await environment.prepare(task)
      const error = await runBlockLoop({
        work,
        worker: task.worker,
        workers: task.workers,
        lanes: task.lanes,
      })
      if (error !== undefined) return { kind: 'failed', error: serializeError(error) }
    }
    const parts = functionParts(setup.evmOpts ?? {}, setup.customCrypto)
    return { kind: 'done', collectorMs: collectorMs(), crypto, parts }
  } catch (error) {
    // The others must not wait for this worker.
    if (task.kind === 'block') {
      const control = new Int32Array(task.control)
      nativeAtomics.compareExchange(control, CONTROL.HALT, HALT.RUNNING, HALT.WORKER_ERROR)
    }
    return { kind: 'failed', error: serializeError(error) }
  }
}
