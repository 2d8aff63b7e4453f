// What a user may ask of parallel-bench: parses and checks the task's arguments before any work.
// The authority on allowed values, defaults and the messages for everything else.
// Must not load ethereumjs: a typing error should be answered at once.
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs'
import { resolve } from 'node:path'

import { pluginError } from '../plugin-error.ts'
import { PREDICTING_SCHEDULERS, SCHEDULERS, type SchedulerName } from '../scheduler-names.ts'
import type { ParallelConfig } from '../type-extensions.ts'
import type { AgainstOptions } from './against/run-against-hardhat.ts'
import { STATE_NAMES, type StateName } from './contender.ts'
import { WORKLOAD_NAMES, type WorkloadName } from './workloads/names.ts'

/** The task's arguments as Hardhat hands them over. */
export interface BenchArguments {
  readonly workload: string
  readonly txs: number
  readonly workers: string | undefined
  readonly schedulers: string | undefined
  readonly state: string
  readonly runs: number
  readonly seed: number
  readonly json: string | undefined
  readonly blocks: string | undefined
  readonly hot: boolean
  readonly against: string | undefined
  readonly againstTxs: number
}

export interface BenchOptions {
  readonly workloads: readonly WorkloadName[]
  /** Whether mainnet was asked for by name, so that finding no block is an error. */
  readonly isMainnetNamed: boolean
  readonly transactions: number
  readonly workers: readonly number[]
  readonly runs: number
  readonly seed: number
  readonly jsonFile: string | undefined
  readonly blocksFolder: string | undefined
  /** In the order in which they were named. */
  readonly schedulers: readonly SchedulerName[]
  /** In the order in which they were named. */
  readonly states: readonly StateName[]
  /** Whether the hottest locations of each row are to be printed. */
  readonly showsHottest: boolean
}

/** Above these a typing error is likelier than an intention. */
export const LIMITS = {
  txs: 20_000,
  againstTxs: 2_800,
  runs: 1_000,
  workers: 64,
  seed: 2 ** 32 - 1,
} as const

const ALL = 'all'

/** What `--against` asks for; undefined where it is not given. */
export function parseAgainstOptions(given: BenchArguments): AgainstOptions | undefined {
  if (given.against === undefined) return undefined
  if (given.against !== 'hardhat') {
    throw pluginError(`--against: unknown network "${given.against}"; allowed is hardhat`)
  }
  return {
    transactions: parseInteger('--against-txs', given.againstTxs, 1, LIMITS.againstTxs),
    rounds: parseInteger('--runs', given.runs, 1, LIMITS.runs),
    jsonFile: given.json === undefined ? undefined : checkWritable(given.json),
  }
}

export function parseBenchOptions(given: BenchArguments, config: ParallelConfig): BenchOptions {
  const names = splitList(given.workload)
  const workloads = parseWorkloads(names)
  const isMainnetNamed = names.includes('mainnet')
  if (given.blocks !== undefined && !workloads.includes('mainnet')) {
    throw pluginError(
      '--blocks gives blocks to the workload mainnet, which --workload leaves out: add mainnet',
    )
  }
  const schedulers = parseNames(
    '--schedulers',
    'scheduler',
    given.schedulers ?? config.scheduler,
    SCHEDULERS,
  )
  if (given.hot && !schedulers.some((name) => PREDICTING_SCHEDULERS.includes(name))) {
    throw pluginError(
      `--hot needs a scheduler that predicts (${PREDICTING_SCHEDULERS.join(', ')}), ` +
        `not ${schedulers.join(', ')}: others do not look at what transactions touch`,
    )
  }
  return {
    workloads,
    isMainnetNamed: isMainnetNamed || given.blocks !== undefined,
    transactions: parseInteger('--txs', given.txs, 1, LIMITS.txs),
    workers: parseWorkers(given.workers ?? `1,${config.workers}`),
    runs: parseInteger('--runs', given.runs, 1, LIMITS.runs),
    seed: parseInteger('--seed', given.seed, 0, LIMITS.seed),
    jsonFile: given.json === undefined ? undefined : checkWritable(given.json),
    blocksFolder: given.blocks === undefined ? undefined : checkBlocksFolder(given.blocks),
    schedulers,
    states: parseNames('--state', 'state', given.state, STATE_NAMES),
    showsHottest: given.hot,
  }
}

function parseWorkloads(names: readonly string[]): readonly WorkloadName[] {
  const allowed: readonly string[] = [...WORKLOAD_NAMES, ALL]
  for (const name of names) {
    if (!allowed.includes(name)) {
      throw pluginError(`--workload: unknown workload "${name}"; allowed are ${allowed.join(', ')}`)
    }
  }
  if (names.length === 0) {
    throw pluginError(`--workload names no workload; allowed are ${allowed.join(', ')}`)
  }
  return WORKLOAD_NAMES.filter((name) => names.includes(ALL) || names.includes(name))
}

function parseWorkers(text: string): readonly number[] {
  const counts = splitList(text).map((part) => {
    // Number() alone would take "0x2", "1e1" and "" for counts.
    const count = /^\d+$/.test(part) ? Number(part) : Number.NaN
    if (!Number.isSafeInteger(count) || count < 1 || count > LIMITS.workers) {
      throw pluginError(
        `--workers: "${part}" is not a number of workers; give integers from 1 to ` +
          `${LIMITS.workers} separated by commas, for example 1,2`,
      )
    }
    return count
  })
  if (counts.length === 0) {
    throw pluginError('--workers names no number of workers; give for example 1,2')
  }
  return [...new Set(counts)].sort((first, second) => first - second)
}

/** Each name once, in the order given. */
function parseNames<Name extends string>(
  option: string,
  noun: string,
  text: string,
  allowed: readonly Name[],
): readonly Name[] {
  const isAllowed = (name: string): name is Name => (allowed as readonly string[]).includes(name)
  const names = new Set<Name>()
  for (const name of splitList(text)) {
    if (!isAllowed(name)) {
      throw pluginError(`${option}: unknown ${noun} "${name}"; allowed are ${allowed.join(', ')}`)
    }
    names.add(name)
  }
  if (names.size === 0) {
    throw pluginError(`${option} names no ${noun}; allowed are ${allowed.join(', ')}`)
  }
  return [...names]
}

function parseInteger(option: string, value: number, low: number, high: number): number {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw pluginError(`${option} must be an integer from ${low} to ${high}, not ${value}`)
  }
  return value
}

function checkBlocksFolder(given: string): string {
  const folder = resolve(given)
  if (!existsSync(folder)) throw pluginError(`--blocks: there is no folder ${given}`)
  if (!statSync(folder).isDirectory()) throw pluginError(`--blocks: ${given} is not a folder`)
  return folder
}

/** Opens the file for writing now: a result that cannot be kept should not be measured first. */
function checkWritable(given: string): string {
  const file = resolve(given)
  const existed = existsSync(file)
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw pluginError(`--json: cannot write ${given}: ${reason}`, error)
  }
  if (!existed) rmSync(file)
  return file
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
