// What the workers counted while they ran a block. Authority on how the counters make a report.

import { CONTROL, LOCATION, type LocationKind } from '../memory/layout.ts'
import type { BlockTasks } from './block-tasks.ts'
import type { BlockReport } from './report.ts'

/** Reads the counters into `report`. Only when all workers have ended their tasks. */
export function readStatistics(
  control: Int32Array,
  workers: number,
  report: BlockReport,
  { crypto, collectorMs }: Pick<BlockTasks, 'crypto' | 'collectorMs'>,
): void {
  const refuted = (kind: LocationKind): number => control[CONTROL.REFUTED + kind]
  report.workers = workers
  // None of the workers has ended well: then it is what this thread recovers the rest with.
  report.crypto = crypto ?? report.crypto
  report.collectorMs = Array.from({ length: workers }, (_, worker) => collectorMs[worker] ?? 0)
  report.executions = control[CONTROL.EXECUTIONS]
  report.reExecutions = Math.max(0, report.executions - report.transactions)
  report.causes = {
    existence: refuted(LOCATION.EXISTS),
    balance: refuted(LOCATION.BALANCE),
    nonce: refuted(LOCATION.NONCE),
    code: refuted(LOCATION.CODE),
    reset: refuted(LOCATION.RESET),
    slot: refuted(LOCATION.SLOT),
  }
  const stockStepping = control[CONTROL.STOCK_STEPPING]
  if (stockStepping > 0) report.stockStepping = stockStepping
  report.conflicts = control[CONTROL.FAILED_VALIDATIONS] + control[CONTROL.ESTIMATE_WAITS]
}
