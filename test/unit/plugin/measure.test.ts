// What the benchmark measures, and that it sees every result that differs from stock's.
import { setTimeout } from 'node:timers/promises'

import type { RunBlockResult } from '@ethereumjs/vm'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createAccounts } from '../../../plugin/bench/accounts.ts'
import type { BenchCase } from '../../../plugin/bench/bench-case.ts'
import { contendersOf, type StateName } from '../../../plugin/bench/contender.ts'
import { createExecutors, type ExecutorFactory } from '../../../plugin/bench/executors.ts'
import { type CaseMeasurement, measureCase } from '../../../plugin/bench/measure.ts'
import { generatedRows } from '../../../plugin/bench/workloads/generated.ts'
import { createGeneratedCase } from '../../../plugin/bench/workloads/generated-cases.ts'
import type { SchedulerName } from '../../../plugin/scheduler-names.ts'
import { FlatState } from '../../../src/index.ts'
import { createStandInFactory, type Defect, type StandInLog } from './support/stand-in-executor.ts'

const transactions = 4
let benchCase: BenchCase

beforeAll(async () => {
  const [row] = generatedRows('erc20', transactions)
  const accounts = createAccounts(1)
  benchCase = await createGeneratedCase({
    workload: 'erc20',
    row: row!,
    transactions,
    seed: 1,
    accounts,
  })
})

async function measureWith(
  factory: ExecutorFactory,
  changes: {
    runs?: number
    workers?: number[]
    schedulers?: SchedulerName[]
    states?: StateName[]
    onStep?: (description: string) => void
  } = {},
): Promise<CaseMeasurement> {
  const executors = createExecutors(factory)
  const { workers = [1], schedulers = ['auto'], states = ['merkle'], ...rest } = changes
  const contenders = contendersOf({ workers, schedulers, states })
  try {
    return await measureCase(benchCase, { contenders, runs: 1, executors, ...rest })
  } finally {
    await executors.close()
  }
}

async function failuresOf(defect: Defect): Promise<readonly string[]> {
  const { parallel } = await measureWith(createStandInFactory({ events: [] }, defect))
  return parallel[0]!.failures
}

describe('a measured case', () => {
  it('has one sample of each contender for each run, and none of the warm-up', async () => {
    const { stock, parallel } = await measureWith(createStandInFactory(), {
      workers: [1, 2],
      runs: 3,
    })
    expect(stock).toHaveLength(3)
    expect(parallel.map(({ workers, samples }) => [workers, samples.length])).toEqual([
      [1, 3],
      [2, 3],
    ])
    for (const { failures } of parallel) expect(failures).toEqual([])
  })

  it('runs a contender with a flat state on a new one each time, and stock on none', async () => {
    const states: unknown[] = []
    const factory: ExecutorFactory = async (options) => {
      const executor = await createStandInFactory()(options)
      const runBlock = executor.runBlock.bind(executor)
      executor.runBlock = (vm, opts) => {
        states.push(vm.stateManager)
        return runBlock(vm, opts)
      }
      return executor
    }
    const { parallel } = await measureWith(factory, { states: ['merkle', 'flat'], runs: 2 })
    expect(parallel.map(({ state }) => state)).toEqual([undefined, 'flat'])
    for (const { failures } of parallel) expect(failures).toEqual([])
    const flat = states.filter((state) => state instanceof FlatState)
    // Of the warm-up, too.
    expect(new Set(flat).size).toBe(3)
    expect(new Set(states).size).toBe(6)
  })

  it('keeps what the executor said of the warm-up apart: it met the block for the first time', async () => {
    const { parallel } = await measureWith(createStandInFactory(), { runs: 2 })
    const { firstPass, samples } = parallel[0]!
    // The stand-in's predictions get better with each run.
    expect(firstPass?.access?.precision).toBe(0.5)
    expect(samples.map(({ report }) => report.access?.precision)).toEqual([0.75, 0.875])
  })

  it('has no first pass where the warm-up threw', async () => {
    const factory = createStandInFactory({ events: [] }, (result, run) => {
      if (run === 0) throw new Error('invalid receiptTrie')
      return result
    })
    const { parallel } = await measureWith(factory)
    expect(parallel[0]!.firstPass).toBeUndefined()
    expect(parallel[0]!.samples).toHaveLength(1)
  })

  it('splits the time of stock into parts that sum to the total', async () => {
    const { stock } = await measureWith(createStandInFactory())
    const { total, recovery, execution, root } = stock[0]!
    expect(recovery + execution + root).toBeCloseTo(total, 6)
    for (const part of [recovery, execution, root]) expect(part).toBeGreaterThan(0)
  })

  it('runs the contenders in turn, each round beginning with another', async () => {
    const steps: string[] = []
    await measureWith(createStandInFactory(), {
      workers: [1, 2],
      runs: 2,
      onStep: (description) => steps.push(description),
    })
    expect(steps).toEqual([
      'erc20: stock, warm-up',
      'erc20: auto, 1 worker, warm-up',
      'erc20: auto, 2 workers, warm-up',
      'erc20: auto, 1 worker, run 1 of 2',
      'erc20: auto, 2 workers, run 1 of 2',
      'erc20: stock, run 1 of 2',
      'erc20: auto, 2 workers, run 2 of 2',
      'erc20: stock, run 2 of 2',
      'erc20: auto, 1 worker, run 2 of 2',
    ])
  })

  it('runs every scheduler with every worker count in each round', async () => {
    const log: StandInLog = { events: [] }
    const schedulers: SchedulerName[] = ['optimistic', 'graph']
    const { parallel } = await measureWith(createStandInFactory(log), {
      workers: [1, 2],
      schedulers,
      runs: 1,
    })
    const all = ['optimistic 1', 'graph 1', 'optimistic 2', 'graph 2']
    expect(log.events.filter((event) => event.startsWith('run'))).toEqual([
      ...all.map((name) => `run ${name}`),
      ...all.map((name) => `run ${name}`),
    ])
    expect(parallel.map(({ scheduler, workers }) => `${scheduler} ${workers}`)).toEqual(all)
    for (const { samples } of parallel) expect(samples).toHaveLength(1)
  })

  it('starts an executor once for each contender and closes it', async () => {
    const log: StandInLog = { events: [] }
    await measureWith(createStandInFactory(log), { schedulers: ['auto', 'graph'], runs: 2 })
    const of = (what: string) => log.events.filter((event) => event.startsWith(what))
    expect(of('start')).toEqual(['start auto 1', 'start graph 1'])
    expect(log.events.slice(-2)).toEqual(['close auto 1', 'close graph 1'])
  })

  it('tells the CPU time of a run from the time that passed', async () => {
    const PAUSE_MS = 50
    const usage = { user: 3_000, system: 2_000 }
    const factory: ExecutorFactory = async (options) => {
      const honest = await createStandInFactory()(options)
      return {
        ...honest,
        async runBlock(vm, runOptions) {
          await setTimeout(PAUSE_MS)
          return await honest.runBlock(vm, runOptions)
        },
      }
    }
    // What the process says, in microseconds, of whatever came after an earlier look.
    const clock = vi
      .spyOn(process, 'cpuUsage')
      .mockImplementation((before) => (before === undefined ? { user: 0, system: 0 } : usage))
    try {
      const { stock, parallel } = await measureWith(factory)
      const { total, cpu } = parallel[0]!.samples[0]!
      // A timer may come some part of a millisecond early.
      expect(total).toBeGreaterThan(PAUSE_MS - 2)
      expect(cpu).toBe(5)
      expect(stock[0]!.cpu).toBe(5)
    } finally {
      clock.mockRestore()
    }
  })

  it('hands out transactions whose senders nobody has recovered', async () => {
    const first = benchCase.freshBlock((await benchCase.freshVm()).common)
    for (const transaction of first.transactions) transaction.getSenderAddress()
    const second = benchCase.freshBlock((await benchCase.freshVm()).common)
    for (const transaction of second.transactions) {
      expect(transaction.cache.senderPubKey).toBeUndefined()
      expect(transaction.cache.hash).toBeUndefined()
    }
  })

  it('hands out VMs that do not see each other', async () => {
    const [first, second] = [await benchCase.freshVm(), await benchCase.freshVm()]
    const root = await second.stateManager.getStateRoot()
    const { runBlock } = await import('@ethereumjs/vm')
    await runBlock(first, {
      block: benchCase.freshBlock(first.common),
      skipBlockValidation: true,
    })
    expect(await first.stateManager.getStateRoot()).not.toEqual(root)
    expect(await second.stateManager.getStateRoot()).toEqual(root)
    expect(await (await benchCase.freshVm()).stateManager.getStateRoot()).toEqual(root)
  })
})

describe('an unequal result', () => {
  it('is told by its state root', async () => {
    const failures = await failuresOf((result) => ({ ...result, stateRoot: new Uint8Array(32) }))
    expect(failures).toHaveLength(2)
    expect(failures[0]).toMatch(/^warm-up: state root is 0x0000.* instead of 0x/)
  })

  it('is told by any receipt', async () => {
    const failures = await failuresOf((result) => {
      const receipts = result.receipts.map((receipt, index) =>
        index === 2 ? { ...receipt, cumulativeBlockGasUsed: 1n } : receipt,
      )
      return { ...result, receipts }
    })
    expect(failures).toContain('run 1 of 1: the receipt of transaction 2 differs')
  })

  it('is told by bloom, gas, requests and a missing receipt', async () => {
    const changes: [Partial<RunBlockResult>, string][] = [
      [{ logsBloom: new Uint8Array(256) }, 'logs bloom'],
      [{ receiptsRoot: new Uint8Array(32) }, 'receipts root'],
      [{ gasUsed: 1n }, 'gas used is 1 instead of'],
      [{ requestsHash: new Uint8Array(32) }, 'requests hash'],
      [{ receipts: [] }, 'there are 0 receipts instead of 4'],
    ]
    for (const [change, words] of changes) {
      const failures = await failuresOf((result) => ({ ...result, ...change }))
      expect(failures.join()).toContain(words)
    }
  })

  it('is noticed when it happens in one run only, the warm-up included', async () => {
    const defect =
      (bad: number): Defect =>
      (result, run) =>
        run === bad ? { ...result, gasUsed: 1n } : result
    expect(await failuresOf(defect(0))).toHaveLength(1)
    expect(await failuresOf(defect(1))).toHaveLength(1)
    expect(await failuresOf(defect(2))).toEqual([])
  })

  it('includes a run that throws, which then has no time', async () => {
    const { parallel } = await measureWith(
      createStandInFactory({ events: [] }, () => {
        throw new Error('invalid receiptTrie')
      }),
    )
    expect(parallel[0]!.samples).toEqual([])
    expect(parallel[0]!.failures).toContain('run 1 of 1: it threw: invalid receiptTrie')
  })

  it('includes a right result that left the wrong state behind', async () => {
    const factory: ExecutorFactory = async (options) => {
      const honest = await createStandInFactory()(options)
      return {
        ...honest,
        async runBlock(vm, runOptions) {
          const { root } = { root: await vm.stateManager.getStateRoot() }
          const result = await honest.runBlock(vm, runOptions)
          await vm.stateManager.setStateRoot(root)
          return result
        },
      }
    }
    const { parallel } = await measureWith(factory)
    expect(parallel[0]!.failures[0]).toContain('the state left behind')
  })
})
