// Executors for tests of the benchmark itself: stock in disguise, honest or with a defect.
// The authority on the reports they claim. Must not be used where the real executor is the subject.
import { type RunBlockResult, runBlock } from '@ethereumjs/vm'
import type { ExecutorFactory } from '../../../../plugin/bench/executors.ts'
import type { BlockReport, SchedulerName } from '../../../../src/index.ts'

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
        const { transactions } = options.block
        const parallel = reportOf(workers, transactions.length, scheduler, run)
        return { ...defect(result, run++), parallel }
      },
      buildBlock: () => Promise.reject(new Error('stand-ins build no blocks')),
      exportTemplates: async () => ({ version: 1, templates: [] }),
      describeTemplates: async () => '',
      close,
      [Symbol.asyncDispose]: close,
    }
  }
}

/** Predictions, where the scheduler makes any, get better with each run: 50 %, 75 %, ... right. */
export function reportOf(
  workers: number,
  transactions: number,
  scheduler: SchedulerName = 'auto',
  run = 0,
): BlockReport {
  const predicts = scheduler === 'auto' || scheduler === 'graph'
  return {
    mode: 'parallel',
    why: 'the block is large enough',
    workers,
    transactions,
    crypto: 'native',
    executions: transactions + 2,
    reExecutions: 2,
    conflicts: 3,
    ...(predicts ? predictionOf(run) : {}),
    causes: { existence: 0, balance: 0, nonce: 1, code: 0, reset: 0, slot: 2 },
    levels: 4,
    incidents: [],
    phases: { prepare: 1, plan: 0.5, execute: 2, write: 3, learn: 0.25, finish: 4, total: 10 },
  }
}

function predictionOf(run: number): Pick<BlockReport, 'graph' | 'access'> {
  const precision = 1 - 0.5 ** (run + 1)
  return {
    graph: { levels: 5, criticalGas: 400, bound: 2.5 },
    access: {
      right: 8,
      wrong: 1,
      missed: 2,
      precision,
      recall: 0.8,
      hottest: [
        {
          field: 'slot',
          address: `0x${'ab'.repeat(20)}`,
          slot: `0x${'00'.repeat(31)}02`,
          readers: 1,
          writers: 3 + run,
          adders: 0,
        },
      ],
    },
  }
}
