// Which arguments parallel-bench accepts, and what it says to the others.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HardhatPluginError } from 'hardhat/plugins'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BenchArguments, parseBenchOptions } from '../../../plugin/bench/options.ts'
import { WORKLOAD_NAMES } from '../../../plugin/bench/workloads/names.ts'
import { defaultArguments } from './support/options.ts'

const config = { workers: 2, scheduler: 'auto' } as const
const parse = (changes: Partial<BenchArguments>, workers = config.workers as number) =>
  parseBenchOptions({ ...defaultArguments, ...changes }, { ...config, workers })

function messageOf(changes: Partial<BenchArguments>): string {
  try {
    parse(changes)
  } catch (error) {
    expect(HardhatPluginError.isHardhatPluginError(error)).toBe(true)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('the options of parallel-bench', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-options-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('default to all workloads, at one worker and at as many as the config says', () => {
    const options = parse({}, 8)
    expect(options.workloads).toEqual(WORKLOAD_NAMES)
    expect(options.workers).toEqual([1, 8])
    expect(options.schedulers).toEqual(['auto'])
    expect(parse({}, 1).workers).toEqual([1])
  })

  it('take lists in any order, with spaces and repetitions', () => {
    expect(parse({ workload: 'mint, erc20,mint' }).workloads).toEqual(['erc20', 'mint'])
    expect(parse({ workers: '4,1, 2,4' }).workers).toEqual([1, 2, 4])
  })

  it('take the scheduler of the config, unless others are named', () => {
    const sequential = { ...config, scheduler: 'sequential' } as const
    expect(parseBenchOptions(defaultArguments, sequential).schedulers).toEqual(['sequential'])
    const given = { ...defaultArguments, schedulers: 'optimistic, graph,optimistic' }
    expect(parseBenchOptions(given, sequential).schedulers).toEqual(['optimistic', 'graph'])
  })

  it('name an unknown scheduler and list the known ones', () => {
    expect(messageOf({ schedulers: 'graph,fast' })).toBe(
      '--schedulers: unknown scheduler "fast"; allowed are auto, graph, optimistic, sequential',
    )
    expect(messageOf({ schedulers: ' , ' })).toContain('--schedulers names no scheduler')
  })

  it('measure stock’s state manager unless flat states are asked for, alone or beside it', () => {
    expect(parse({}).states).toEqual(['merkle'])
    expect(parse({ state: 'flat' }).states).toEqual(['flat'])
    expect(parse({ state: 'merkle, flat' }).states).toEqual(['merkle', 'flat'])
    expect(messageOf({ state: 'fast' })).toBe(
      '--state: unknown state "fast"; allowed are merkle, flat',
    )
    expect(messageOf({ state: '' })).toContain('--state names no state')
  })

  it('show hot locations on demand, which takes a scheduler that predicts', () => {
    expect(parse({}).showsHottest).toBe(false)
    for (const schedulers of [undefined, 'graph', 'optimistic,auto']) {
      expect(parse({ hot: true, schedulers }).showsHottest).toBe(true)
    }
    expect(messageOf({ hot: true, schedulers: 'optimistic,sequential' })).toBe(
      '--hot needs a scheduler that predicts (auto, graph), not optimistic, sequential: ' +
        'others do not look at what transactions touch',
    )
  })

  it('name an unknown workload and list the known ones', () => {
    expect(messageOf({ workload: 'erc20,nfts' })).toBe(
      '--workload: unknown workload "nfts"; allowed are mainnet, transfers, erc20, erc20-hot, amm, mint, mixed, all',
    )
    expect(messageOf({ workload: ' , ' })).toContain('names no workload')
  })

  it('refuse numbers outside their range and say the range', () => {
    expect(messageOf({ txs: 0 })).toBe('--txs must be an integer from 1 to 20000, not 0')
    expect(messageOf({ txs: 1e6 })).toContain('--txs')
    expect(messageOf({ runs: 0 })).toBe('--runs must be an integer from 1 to 1000, not 0')
    expect(messageOf({ runs: 1.5 })).toContain('--runs')
    expect(messageOf({ seed: -1 })).toContain('--seed must be an integer from 0')
  })

  it('refuse worker counts that are none', () => {
    for (const workers of ['0', 'x', '1,x', '65', '1.5', '-1', '0x2', '1e1']) {
      expect(messageOf({ workers }), workers).toContain('is not a number of workers')
    }
    expect(messageOf({ workers: '' })).toContain('--workers names no number')
  })

  it('refuse a folder of blocks that is no folder', () => {
    expect(messageOf({ blocks: join(folder, 'missing') })).toContain('there is no folder')
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(messageOf({ blocks: file })).toContain('is not a folder')
  })

  it('refuse a folder of blocks where no workload would use it', () => {
    expect(messageOf({ blocks: folder, workload: 'mint' })).toContain('add mainnet')
    expect(parse({ blocks: folder, workload: 'mint,mainnet' }).blocksFolder).toBe(folder)
  })

  it('find out before any work that the JSON file cannot be written', () => {
    expect(messageOf({ json: join(folder, 'missing', 'out.json') })).toContain(
      '--json: cannot write',
    )
    expect(messageOf({ json: folder })).toContain('--json: cannot write')
  })

  it('leave no trace of checking the JSON file', () => {
    const fresh = join(folder, 'fresh.json')
    expect(parse({ json: fresh }).jsonFile).toBe(fresh)
    expect(existsSync(fresh)).toBe(false)
    const earlier = join(folder, 'earlier.json')
    writeFileSync(earlier, 'kept until the new report is there')
    parse({ json: earlier })
    expect(readFileSync(earlier, 'utf8')).toBe('kept until the new report is there')
  })
})
