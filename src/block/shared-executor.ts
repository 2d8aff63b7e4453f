// The executor behind the plain `runBlock` function: made at the first call, shared by the process.
// Its idle workers do not keep the process alive.

import type { VM } from '@ethereumjs/vm'
import { createParallelExecutor, type ParallelExecutor } from './executor.ts'
import type { ParallelRunBlockOpts, ParallelRunBlockResult } from './run-block.ts'

let shared: Promise<ParallelExecutor> | undefined

/**
 * Drop-in for `runBlock` of `@ethereumjs/vm`: same options, results and errors, run in parallel on
 * all cores where it can be. Starts worker threads at the first call; to choose their number, or to
 * end them, make an executor with {@link createParallelExecutor} instead.
 *
 * @example
 * ```ts
 * import { runBlock } from 'parallel-evm'
 * const result = await runBlock(vm, { block })
 * ```
 * @throws what stock's runBlock throws
 */
export async function runBlock(
  vm: VM,
  options: ParallelRunBlockOpts,
): Promise<ParallelRunBlockResult> {
  shared ??= createParallelExecutor().catch((error: unknown) => {
    // The next call may have more luck.
    shared = undefined
    throw error
  })
  return (await shared).runBlock(vm, options)
}
