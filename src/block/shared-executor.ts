// The executor behind the plain `runBlock` and `buildBlock` functions: made at the first call, shared by the process.
// Its idle workers do not keep the process alive.

import type { BuildBlockOpts, VM } from '@ethereumjs/vm'
import type { ParallelBlockBuilder } from './block-builder.ts'
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
  return (await sharedExecutor()).runBlock(vm, options)
}

/**
 * Drop-in for `buildBlock` of `@ethereumjs/vm`, whose builder can add many transactions in parallel. Uses
 * the same worker threads as {@link runBlock}.
 *
 * @example
 * ```ts
 * import { buildBlock } from 'parallel-evm'
 * const builder = await buildBlock(vm, { parentBlock })
 * const { included, skipped } = await builder.addTransactions(pool)
 * const { block } = await builder.build()
 * ```
 * @throws what stock's buildBlock throws
 */
export async function buildBlock(vm: VM, opts: BuildBlockOpts): Promise<ParallelBlockBuilder> {
  return (await sharedExecutor()).buildBlock(vm, opts)
}

function sharedExecutor(): Promise<ParallelExecutor> {
  shared ??= createParallelExecutor().catch((error: unknown) => {
    // The next call may have more luck.
    shared = undefined
    throw error
  })
  return shared
}
