// Blocks whose senders nobody has recovered, run by executors that predict: what goes wrong before the first
// execution is tested with them. Authority on which recovery misbehaves, and on what counts as healed.
// It must not disturb anything itself.
import { type Block, createBlockFromRLP } from '@ethereumjs/block'
import { createTx } from '@ethereumjs/tx'
import { expect } from 'vitest'
import type { ParallelExecutor, ParallelOptions } from '../../src/index.ts'
import { threadsOf } from './executor-internals.ts'
import {
  makeBlock,
  makeWorld,
  runBoth,
  type Sides,
  sidesOf,
  type World,
} from './hand-made-block.ts'
import { actors, contracts } from './random-world.ts'
import { counterCode } from './small-contracts.ts'
import { strictExecutor } from './strict-executor.ts'
import { kindOf, misbehave } from './worker-setups/misbehaving-recovery.ts'

const { counter } = contracts
export const world: World = await makeWorld({
  accounts: { [counter.toString()]: { code: counterCode } },
  // The same function as the workers have, which behaves on this thread.
  customCrypto: { ecrecover: misbehave },
})
export const workers = 2
const workerSetup = new URL('./worker-setups/misbehaving-recovery.ts', import.meta.url)
const transactions = 16
/** The one whose recovery misbehaves. */
const marked = 5
const gasPrice = 10n
export const disabled = { name: 'ParallelError', code: 'FALLBACK_DISABLED' }
export const closed = { name: 'ParallelError', code: 'EXECUTOR_CLOSED' }

export function newExecutor(options: ParallelOptions): Promise<ParallelExecutor> {
  return strictExecutor({ workers, scheduler: 'graph', workerSetup, ...options })
}

/** Calls of the counter, one of them with a gas limit that gives its message the mark of `kind`. */
export function blockWith(kind: number): Block {
  return makeBlock(world.common, {
    transactions: Array.from({ length: transactions }, (_, index) => ({
      from: actors[index % 8]!,
      to: counter,
      gasLimit: kind !== 0 && index === marked ? gasLimitFor(kind) : 100_000n,
      fields: { gasPrice },
    })),
  })
}

function gasLimitFor(kind: number): bigint {
  for (let gasLimit = 100_000n; ; gasLimit++) {
    const data = { type: 0, nonce: 0n, to: counter, gasLimit, gasPrice }
    const unsigned = createTx(data, { common: world.common })
    if (kindOf(unsigned.getHashedMessageToSign()) === kind) return gasLimit
  }
}

/** The block as it comes from elsewhere: nobody has recovered a sender yet. */
export function unrecovered(block: Block): Block {
  const options = { common: block.common, skipConsensusFormatValidation: true }
  return createBlockFromRLP(block.serialize(), options)
}

/** Both sides run the block, of which ours knows no senders. */
export async function runUnrecovered(which: ParallelExecutor, block: Block, sides?: Sides) {
  const runBlock: ParallelExecutor['runBlock'] = (vm, options) =>
    which.runBlock(vm, { ...options, block: unrecovered(options.block) })
  return runBoth({ runBlock }, sides ?? (await sidesOf(world)), block)
}

/** A block goes as ever, on all workers. */
export async function expectHealed(which: ParallelExecutor): Promise<void> {
  const run = await runUnrecovered(which, blockWith(0))
  expect(run.differences).toEqual([])
  expect(run.report).toMatchObject({ mode: 'parallel', workers, incidents: [] })
  expect(threadsOf(which).length).toBe(workers)
}

/** What was learned, in an order that does not depend on use. */
export async function templatesOf(which: ParallelExecutor): Promise<string[]> {
  const { templates } = (await which.exportTemplates()) as unknown as { templates: object[] }
  expect(templates.length).toBeGreaterThan(0)
  return templates.map((template) => JSON.stringify(template)).sort()
}

export function killAll(which: ParallelExecutor): void {
  for (const thread of threadsOf(which)) void thread.terminate()
}
