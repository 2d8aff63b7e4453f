// Executors for tests of the benchmark itself: stock in disguise, honest or with a defect.
// The authority on the reports they claim. Must not be used where the real executor is the subject.
import { type RunBlockResult, runBlock } from '@ethereumjs/vm'
import type { ExecutorFactory } from '../../../../plugin/bench/executors.ts'
import type { BlockReport } from '../../../../src/index.ts'

export interface StandInLog {
  readonly events: string[]
}

export type Defect = (result: RunBlockResult, run: number) => RunBlockResult

/** `defect` may change a result, or throw; it is told how many runs came before. */
export function createStandInFactory(
  log: StandInLog = { events: [] },
  defect: Defect = (result) => result,
): ExecutorFactory {
  return async ({ workers = 1, scheduler = 'auto' }) => {
    const name = `${scheduler} ${workers}`
    log.events.push(`start ${name}`)
    let run = 0
    const close = async (): Promise<void> => {
      log.events.push(`close ${name}`)
    }
    return {
      workers,
      async runBlock(vm, options) {
        log.events.push(`run ${name}`)
        const result = await runBlock(vm, options)
        const parallel = reportOf(workers, options.block.transactions.length)
        return { ...defect(result, run++), parallel }
      },
      exportTemplates: async () => ({ version: 1, templates: [] }),
      describeTemplates: async () => '',
      close,
      [Symbol.asyncDispose]: close,
    }
  }
}

export function reportOf(workers: number, transactions: number): BlockReport {
  return {
    mode: 'parallel',
    why: 'the block is large enough',
    workers,
    transactions,
    executions: transactions + 2,
    reExecutions: 2,
    conflicts: 3,
    causes: { existence: 0, balance: 0, nonce: 1, code: 0, reset: 0, slot: 2 },
    levels: 4,
    incidents: [],
    phases: { prepare: 1, plan: 0, execute: 2, write: 3, learn: 0, finish: 4, total: 10 },
  }
}
