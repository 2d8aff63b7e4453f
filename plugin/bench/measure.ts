// Measures one case: stock and every contender in turn, paired and interleaved in one process.
// The authority on what is inside the clock and what is outside.
// Must not let a run see anything of another: each has a fresh VM and freshly decoded transactions.
import { setImmediate as nextTurn } from 'node:timers/promises'

import { runBlock, type VM } from '@ethereumjs/vm'

import type { BlockReport } from '../../src/index.ts'
import type { BenchCase } from './bench-case.ts'
import { describeDifferences, outcomeOf } from './block-outcome.ts'
import { type Contender, contenderText } from './contender.ts'
import { startCpuClock } from './cpu-clock.ts'
import type { Executors } from './executors.ts'

/** Milliseconds of one stock run; the three parts sum to the total, and `cpu` is the CPU time. */
export type StockSample = Record<'total' | 'recovery' | 'execution' | 'root' | 'cpu', number>

export interface ParallelSample {
  readonly total: number
  /** CPU time of the process, in ms. */
  readonly cpu: number
  /** How many times faster than the stock run of the same round. */
  readonly speedUp: number
  readonly report: BlockReport
}

export interface ParallelMeasurement extends Contender {
  readonly samples: readonly ParallelSample[]
  /** Of the warm-up round: this contender meets the block for the first time. */
  readonly firstPass: BlockReport | undefined
  /** One sentence for each run, the warm-up included, whose result was not equal to stock's. */
  readonly failures: readonly string[]
}

export interface CaseMeasurement {
  readonly benchCase: BenchCase
  readonly stock: readonly StockSample[]
  readonly parallel: readonly ParallelMeasurement[]
}

export interface MeasureOptions {
  readonly contenders: readonly Contender[]
  readonly runs: number
  readonly executors: Executors
  readonly signal?: AbortSignal
  /** Called before each run, with words for what is about to run. */
  readonly onStep?: (description: string) => void
}

/** Rounds before the counted ones: the first run of anything pays for its compilation. */
export const WARM_UP_ROUNDS = 1

const STOCK = 'stock'

export async function measureCase(
  benchCase: BenchCase,
  options: MeasureOptions,
): Promise<CaseMeasurement> {
  const stock: StockSample[] = []
  const parallel = options.contenders.map((contender) => ({
    ...contender,
    samples: [] as ParallelSample[],
    firstPass: undefined as BlockReport | undefined,
    failures: [] as string[],
  }))
  const contenders = [STOCK, ...parallel] as const

  for (let round = -WARM_UP_ROUNDS; round < options.runs; round++) {
    const roundName = round < 0 ? 'warm-up' : `run ${round + 1} of ${options.runs}`
    let stockSample: StockSample | undefined
    const finished: { target: (typeof parallel)[number]; run: ParallelRun; report: BlockReport }[] =
      []
    for (const contender of rotate(contenders, round + WARM_UP_ROUNDS)) {
      // A turn of the event loop, outside the clock, lets signals and the progress bar through.
      await nextTurn()
      options.signal?.throwIfAborted()
      if (contender === STOCK) {
        options.onStep?.(`${benchCase.name}: stock, ${roundName}`)
        stockSample = await measureStock(benchCase)
      } else {
        options.onStep?.(`${benchCase.name}: ${contenderText(contender)}, ${roundName}`)
        const run = await measureParallel(benchCase, contender, options)
        for (const failure of run.failures) contender.failures.push(`${roundName}: ${failure}`)
        if (run.report === undefined) continue
        if (round === -WARM_UP_ROUNDS) contender.firstPass = run.report
        finished.push({ target: contender, run, report: run.report })
      }
    }
    if (round < 0 || stockSample === undefined) continue
    stock.push(stockSample)
    for (const { target, run, report } of finished) {
      const { total, cpu } = run
      target.samples.push({ total, cpu, speedUp: stockSample.total / total, report })
    }
  }
  return { benchCase, stock, parallel }
}

/** No contender always runs first, or always after the same other one's garbage. */
function rotate<Element>(elements: readonly Element[], by: number): readonly Element[] {
  const start = by % elements.length
  return [...elements.slice(start), ...elements.slice(0, start)]
}

async function measureStock(benchCase: BenchCase): Promise<StockSample> {
  const vm = await benchCase.freshVm()
  const block = benchCase.freshBlock(vm.common)

  const cpuClock = startCpuClock()
  const recoveryStart = performance.now()
  for (const transaction of block.transactions) transaction.getSenderAddress()
  const recovery = performance.now() - recoveryStart

  const rootClock = clockRoot(vm)
  const blockStart = performance.now()
  const result = await runBlock(vm, { block, skipBlockValidation: true })
  const rest = performance.now() - blockStart
  const cpu = cpuClock()
  const root = rootClock()

  const differences = describeDifferences(benchCase.expected, outcomeOf(result, block.transactions))
  if (differences.length > 0) {
    throw new Error(`stock ethereumjs disagrees with itself on ${benchCase.name}: ${differences}`)
  }
  return { total: recovery + rest, recovery, execution: rest - root, root, cpu }
}

/** Adds up the time spent in writing the caches to the tries and taking the root. */
function clockRoot(vm: VM): () => number {
  const { stateManager } = vm
  let depth = 0
  let spent = 0
  async function timed<Result>(work: () => Promise<Result>): Promise<Result> {
    // getStateRoot itself calls flush: only the outer call counts.
    if (depth > 0) return await work()
    depth++
    const start = performance.now()
    try {
      return await work()
    } finally {
      spent += performance.now() - start
      depth--
    }
  }
  const getStateRoot = stateManager.getStateRoot.bind(stateManager)
  stateManager.getStateRoot = () => timed(getStateRoot)
  if ('flush' in stateManager && typeof stateManager.flush === 'function') {
    const flush = stateManager.flush.bind(stateManager) as () => Promise<void>
    stateManager.flush = () => timed(flush)
  }
  return () => spent
}

interface ParallelRun {
  readonly total: number
  readonly cpu: number
  /** Missing where the run threw. */
  readonly report?: BlockReport
  readonly failures: readonly string[]
}

async function measureParallel(
  benchCase: BenchCase,
  contender: Contender,
  { executors, signal }: MeasureOptions,
): Promise<ParallelRun> {
  const executor = await executors.get(contender, benchCase.needsKzg)
  const vm = await benchCase.freshVm(contender.state)
  const block = benchCase.freshBlock(vm.common)

  const cpuClock = startCpuClock()
  const start = performance.now()
  try {
    const result = await executor.runBlock(vm, { block, skipBlockValidation: true })
    const total = performance.now() - start
    const cpu = cpuClock()
    const failures = describeDifferences(benchCase.expected, outcomeOf(result, block.transactions))
    if (failures.length === 0) {
      const root = await vm.stateManager.getStateRoot()
      if (!Buffer.from(root).equals(result.stateRoot)) {
        failures.push('the state left behind does not have the root of the result')
      }
    }
    return { total, cpu, report: result.parallel, failures }
  } catch (error) {
    // Closing the executor makes a block in flight throw; that is no finding.
    signal?.throwIfAborted()
    const message = error instanceof Error ? error.message : String(error)
    return { total: performance.now() - start, cpu: cpuClock(), failures: [`it threw: ${message}`] }
  }
}
