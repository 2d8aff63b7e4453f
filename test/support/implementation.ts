// The implementation under test, as the suites see it: a thing that runs blocks and can be closed.
// Takes the package's executor, or stock ethereumjs itself to prove that a suite's harness is sound.
// It must not soften anything: no fallback, no scheduler that may choose stock by itself.
import { type RunBlockResult, runBlock, type VM } from '@ethereumjs/vm'

import type { BlockReport, ParallelOptions, ParallelRunBlockOpts } from '../../src/index.ts'

export type { BlockReport }

export interface Implementation {
  readonly name: string
  readonly workers: number
  readonly isStock: boolean
  /** Its side of a comparison is a flat state. */
  readonly onFlatState?: boolean
  runBlock(vm: VM, opts: ParallelRunBlockOpts): Promise<RunBlockResult & { parallel?: BlockReport }>
  close(): Promise<void>
}

const alternating = ['graph', 'optimistic'] as const

export function stockImplementation(): Implementation {
  return { name: 'stock', workers: 0, isStock: true, runBlock, close: async () => {} }
}

/**
 * Workers always where possible, and no rescue by a sequential rerun: what is tested is the parallel path.
 * Blocks run in turn with predictions and without, unless a scheduler is given: what one block taught
 * the executor acts on later ones.
 */
export async function parallelImplementation(
  options: ParallelOptions & { workers: number },
): Promise<Implementation> {
  // Loaded only here, so that stock alone can be tried without the package.
  const { strictExecutor } = await import('./strict-executor.ts')
  const schedulers = options.scheduler === undefined ? alternating : [options.scheduler]
  const executors = await Promise.all(
    schedulers.map((scheduler) => strictExecutor({ ...options, scheduler })),
  )
  let blocks = 0
  return {
    name: `parallel-evm, ${options.workers} worker${options.workers === 1 ? '' : 's'}`,
    workers: options.workers,
    isStock: false,
    runBlock: (vm, opts) => executors[blocks++ % executors.length]!.runBlock(vm, opts),
    close: async () => {
      for (const executor of executors) await executor.close()
    },
  }
}

export function loadImplementation(options: {
  stock: boolean
  workers: number
}): Promise<Implementation> {
  return options.stock
    ? Promise.resolve(stockImplementation())
    : parallelImplementation({ workers: options.workers })
}
