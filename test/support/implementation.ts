// The implementation under test, as the suites see it: a thing that runs blocks and can be closed.
// Takes the package's executor, or stock ethereumjs itself to prove that a suite's harness is sound.
// It must not soften anything: no fallback, no scheduler that may choose stock by itself.
import { type RunBlockResult, runBlock, type VM } from '@ethereumjs/vm'

import type { BlockReport, ParallelOptions, ParallelRunBlockOpts } from '../../src/index.ts'

export type { BlockReport }

/**
 * With predictions, without, and `misled`: by predictions that are lies, with all bounds of the graph set.
 * Where a block is right only because a prediction was, it shows.
 */
export const testedSchedulers = ['graph', 'optimistic', 'misled'] as const
export type TestedScheduler = (typeof testedSchedulers)[number]

export interface Implementation {
  readonly name: string
  readonly workers: number
  readonly isStock: boolean
  /** How many VMs in a row get different schedulers. */
  readonly turns: number
  /** What the last block ran with. */
  readonly lastScheduler: string
  /** Its side of a comparison is a flat state. */
  readonly onFlatState?: boolean
  runBlock(vm: VM, opts: ParallelRunBlockOpts): Promise<RunBlockResult & { parallel?: BlockReport }>
  close(): Promise<void>
}

const usual: readonly TestedScheduler[] = ['graph', 'optimistic']

export function stockImplementation(): Implementation {
  return {
    name: 'stock',
    workers: 0,
    isStock: true,
    turns: 1,
    lastScheduler: 'stock',
    runBlock,
    close: async () => {},
  }
}

/**
 * Workers always where possible, and no rescue by a sequential rerun: what is tested is the parallel path.
 * VMs run in turn with each of the schedulers, and keep theirs: values are kept from one block of a VM to
 * the next, and what one block taught an executor acts on later ones.
 */
export async function parallelImplementation({
  schedulers = usual,
  ...options
}: ImplementationOptions): Promise<Implementation> {
  // Loaded only here, so that stock alone can be tried without the package.
  const { strictExecutor } = await import('./strict-executor.ts')
  const { whileMisled } = await import('./lying-templates.ts')
  const executors = await Promise.all(
    schedulers.map((scheduler) => strictExecutor({ ...options, ...optionsOf(scheduler) })),
  )
  const turnOf = new WeakMap<VM, number>()
  let turns = 0
  let last = 0
  return {
    name: `parallel-evm, ${options.workers} worker${options.workers === 1 ? '' : 's'}`,
    workers: options.workers,
    isStock: false,
    turns: schedulers.length,
    get lastScheduler() {
      return schedulers[last]!
    },
    runBlock: (vm, opts) => {
      last = turnOf.get(vm) ?? turns++ % schedulers.length
      turnOf.set(vm, last)
      const executor = executors[last]!
      const run = () => executor.runBlock(vm, opts)
      return schedulers[last] === 'misled' ? whileMisled(run) : run()
    },
    close: async () => {
      for (const executor of executors) await executor.close()
    },
  }
}
type ImplementationOptions = Omit<ParallelOptions, 'scheduler'> & {
  readonly workers: number
  readonly schedulers?: readonly TestedScheduler[]
}

function optionsOf(scheduler: TestedScheduler): ParallelOptions {
  if (scheduler !== 'misled') return { scheduler }
  return { scheduler: 'graph', maxParallelLevel: 2, maxLevelDepth: 4, maxBatchSize: 6 }
}

export function loadImplementation({
  stock,
  ...options
}: ImplementationOptions & { stock: boolean }): Promise<Implementation> {
  return stock ? Promise.resolve(stockImplementation()) : parallelImplementation(options)
}
