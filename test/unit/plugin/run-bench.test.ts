// A whole benchmark on stand-in executors: output, report, failures and interruption.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ExecutorFactory } from '../../../plugin/bench/executors.ts'
import { planRows } from '../../../plugin/bench/plan.ts'
import type { BenchReport } from '../../../plugin/bench/report.ts'
import { runBench } from '../../../plugin/bench/run-bench.ts'
import { optionsWith } from './support/options.ts'
import { createStandInFactory, type StandInLog } from './support/stand-in-executor.ts'

function createHost(createExecutor: ExecutorFactory = createStandInFactory()) {
  const printed: string[] = []
  const errors: string[] = []
  const interrupt = new AbortController()
  return {
    printed,
    errors,
    interrupt,
    print: (line: string) => printed.push(line),
    printError: (line: string) => errors.push(line),
    progressStream: { write: () => true },
    createExecutor,
    signal: interrupt.signal,
  }
}

describe('a benchmark', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'run-bench-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('prints header, rows and summary, and returns what it printed as data', async () => {
    const host = createHost()
    const report = await runBench(optionsWith({ workloads: ['transfers', 'mint'] }), host)
    expect(report.isEqual).toBe(true)
    expect(report.rows.map(({ name }) => name)).toEqual(['transfers', 'mint'])
    const text = host.printed.join('\n')
    expect(text).toMatch(/^machine {3}/)
    expect(text).toMatch(/\ntransfers +4 +0\.08 /)
    expect(text).toMatch(/Equal to stock on every run: .* \(8 runs\)\.$/)
    expect(host.errors).toEqual([])
  })

  it('compares schedulers, and prints the hottest locations where it is asked to', async () => {
    const schedulers = ['optimistic', 'graph'] as const
    const host = createHost()
    const report = await runBench(optionsWith({ schedulers, showsHottest: true }), host)
    expect(report.options.schedulers).toEqual(schedulers)
    const results = report.rows[0]!.parallel
    expect(results.map(({ access }) => access === null)).toEqual([true, false, true, false])
    const text = host.printed.join('\n')
    expect(text).toMatch(/\n +optimistic +2 .*\n +graph +2 .*\n +optimistic, 2 workers: failed/)
    expect(text).toMatch(/\n +graph, 2 workers: bound 2\.50x;/)
    expect(text).toMatch(/hottest locations \(graph, 2 workers\):\n.*\n +5 +1 +0 {2}slot 2 of 0xab/)
    expect(text).toMatch(/\(8 runs\)\.$/)

    const quiet = createHost()
    await runBench(optionsWith(), quiet)
    expect(quiet.printed.join('\n')).not.toContain('hottest locations')
  })

  it('writes the report as JSON of a stable shape', async () => {
    const jsonFile = join(folder, 'report.json')
    const report = await runBench(optionsWith({ jsonFile }), createHost())
    const written = JSON.parse(readFileSync(jsonFile, 'utf8')) as BenchReport
    expect(written).toEqual(JSON.parse(JSON.stringify(report)))
    const number = expect.any(Number)
    const text = expect.any(String)
    const stockSample = {
      total: number,
      recovery: number,
      execution: number,
      root: number,
      cpu: number,
    }
    const causes = { existence: 0, balance: 0, nonce: 1, code: 0, reset: 0, slot: 2 }
    const graph = { levels: 5, criticalGas: 400, bound: 2.5 }
    const access = { right: 8, wrong: 1, missed: 2, precision: number, recall: 0.8 }
    const times = { prepare: 1, plan: 0.5, execute: 2, write: 3, learn: 0.25, finish: 4 }
    const phases = { ...times, total: 10 }
    const said = {
      mode: 'parallel',
      executions: 6,
      reExecutions: 2,
      conflicts: 3,
      levels: 4,
      causes,
      graph,
      access,
      fallbackFrom: null,
      incidents: [],
      phases,
    }
    const parallelSample = { total: number, cpu: number, speedUp: number, ...said }
    const hottest = {
      field: 'slot',
      address: `0x${'ab'.repeat(20)}`,
      slot: `0x${'00'.repeat(31)}02`,
      readers: 1,
      writers: 5,
      adders: 0,
      contract: null,
    }
    const parallel = (workers: number) => ({
      scheduler: 'auto',
      workers,
      total: number,
      cpu: number,
      speedUp: number,
      reExecutions: 2,
      conflicts: 3,
      levels: 4,
      causes,
      graph,
      // The stand-in's second and third run are 75 % and 87.5 % right.
      access: { ...access, precision: 0.8125, hottest: [hottest] },
      phases,
      collectorMs: null,
      mode: 'parallel',
      why: 'the block is large enough',
      fallbacks: 0,
      isEqual: true,
      failures: [],
      firstPass: said,
      samples: [parallelSample, parallelSample],
    })
    const later = { firstPass: 2, later: 2, blindRatio: null }
    const reRuns = (workers: number) => ({ scheduler: 'auto', workers, ...later })
    const totals = {
      reExecutions: [reRuns(1), reRuns(2)],
      mainnetReExecutions: [],
      // The stand-in claims four levels of four transactions.
      serialRows: [
        { name: 'transfers', scheduler: 'auto', workers: 2, total: number, single: number },
      ],
    }
    expect(written).toEqual({
      schemaVersion: 2,
      machine: { cpu: text, cores: number, memoryGiB: number, platform: text, crypto: 'native' },
      versions: { node: text, 'parallel-evm': text, '@ethereumjs/vm': '10.1.3', hardhat: text },
      options: {
        workloads: ['transfers'],
        transactions: 4,
        workers: [1, 2],
        runs: 2,
        seed: 1,
        schedulers: ['auto'],
        states: ['merkle'],
      },
      rows: [
        {
          workload: 'transfers',
          name: 'transfers',
          transactions: 4,
          gas: 84_000,
          stock: { ...stockSample, samples: [stockSample, stockSample] },
          parallel: [parallel(1), parallel(2)],
        },
      ],
      totals,
      notes: [],
      isEqual: true,
    })
  })

  it('goes on after an unequal run, reports it loudly, and keeps the JSON', async () => {
    const jsonFile = join(folder, 'report.json')
    const host = createHost(
      createStandInFactory({ events: [] }, (result) => ({ ...result, gasUsed: 1n })),
    )
    const workloads = ['transfers', 'mint'] as const
    const report = await runBench(optionsWith({ workloads, jsonFile }), host)
    expect(report.isEqual).toBe(false)
    expect(report.rows).toHaveLength(2)
    expect(host.errors.join('\n')).toContain('NOT EQUAL TO STOCK ETHEREUMJS')
    expect(host.errors.join('\n')).toContain(
      'mint, auto, 2 workers, run 2 of 2: gas used is 1 instead',
    )
    expect((JSON.parse(readFileSync(jsonFile, 'utf8')) as BenchReport).isEqual).toBe(false)
  })

  it('notes what was left out and what happened to the workers', async () => {
    const factory: ExecutorFactory = async (options) => {
      const honest = await createStandInFactory()(options)
      return {
        ...honest,
        async runBlock(vm, runOptions) {
          const result = await honest.runBlock(vm, runOptions)
          return { ...result, parallel: { ...result.parallel, incidents: ['worker 1 died'] } }
        },
      }
    }
    const host = createHost(factory)
    const options = optionsWith({ workers: [1] })
    const planned = planRows(options, undefined)
    const leftOut = { name: 'left out', prepare: async () => 'one block is left out' }
    const report = await runBench(options, host, { ...planned, rows: [...planned.rows, leftOut] })
    expect(report.notes).toEqual([
      'transfers, auto, 1 worker, incident: worker 1 died (2 times)',
      'one block is left out',
    ])
    expect(host.printed).toContain('Note: one block is left out')
  })

  it('fails where every row was left out, and says why', async () => {
    const leftOut = { name: 'left out', prepare: async () => 'one block is left out' }
    const running = runBench(optionsWith(), createHost(createStandInFactory()), {
      rows: [leftOut],
      notes: [],
    })
    await expect(running).rejects.toThrow('there is nothing to run: one block is left out')
  })

  it('closes its executors when interrupted, and counts that as no failure', async () => {
    const log: StandInLog = { events: [] }
    const host = createHost(
      createStandInFactory(log, (result) => {
        host.interrupt.abort()
        return result
      }),
    )
    await expect(runBench(optionsWith(), host)).rejects.toThrow(/abort/i)
    expect(log.events).toEqual(['start auto 1', 'run auto 1', 'close auto 1'])
    expect(host.errors).toEqual([])
  })

  it('closes its executors when a row cannot be prepared', async () => {
    const log: StandInLog = { events: [] }
    const host = createHost(createStandInFactory(log))
    const options = optionsWith({ workers: [1], runs: 1 })
    const planned = planRows(options, undefined)
    const failing = {
      name: 'failing',
      prepare: async (): Promise<string> => {
        throw new Error('damaged')
      },
    }
    const plan = { ...planned, rows: [...planned.rows, failing] }
    await expect(runBench(options, host, plan)).rejects.toThrow('damaged')
    expect(log.events.at(-1)).toBe('close auto 1')
  })
})
