// A block with one odd thing about it, which must send it to the sequential path: the cases' common part.
// Authority on what such a block must show: stock's result and events, and a report that says why.
// It must not know the reasons; each case names its own.
import type { Block } from '@ethereumjs/block'
import { Common, Mainnet } from '@ethereumjs/common'
import type { EVM, EVMOpts } from '@ethereumjs/evm'
import type { LegacyTx } from '@ethereumjs/tx'
import { createVM, type RunBlockOpts, type VM } from '@ethereumjs/vm'
import { expect } from 'vitest'
import type { ParallelExecutor } from '../../../../src/index.ts'
import {
  type BlockPlan,
  blockOf,
  fillHeader,
  makeBlock,
  richActors,
  runBoth,
  sidesOf,
} from '../../../support/hand-made-block.ts'
import { actors, contracts } from '../../../support/random-world.ts'
import { counterCode } from '../../../support/small-contracts.ts'
import { buildStateTemplate } from '../../../support/state-template.ts'

const { counter } = contracts
export const countedAccounts = { [counter.toString()]: { code: counterCode, nonce: 1n } }
/** Three calls of a counter, by three senders. */
export const threeCalls: BlockPlan = {
  transactions: actors.slice(0, 3).map((from) => ({ from, to: counter })),
}

/** What is odd; all else is plain, under the rules of Shanghai. */
export interface OddBlock {
  readonly common?: Common
  readonly options?: Omit<RunBlockOpts, 'block'>
  /** Done to both VMs. */
  readonly prepare?: (vm: VM) => unknown
  readonly vm?: (made: VM) => Promise<VM>
  readonly block?: (block: Block) => Block
  readonly plan?: BlockPlan
  readonly oursOnly?: boolean
}

export function chain(hardfork: string, eips: number[] = []): Common {
  return new Common({ chain: Mainnet, hardfork, eips })
}

/** Equal to stock, sequential, for the reason given, and with a listener's events as stock's. */
export async function expectSequential(
  executor: ParallelExecutor,
  why: string,
  one: OddBlock,
): Promise<void> {
  const rules = one.common ?? chain('shanghai')
  const template = await buildStateTemplate(rules.copy(), { ...richActors, ...countedAccounts })
  const make = async (): Promise<VM> => {
    const own = rules.copy()
    const made = await createVM({ common: own, stateManager: template.copy(own) })
    const vm = one.vm === undefined ? made : await one.vm(made)
    await one.prepare?.(vm)
    return vm
  }
  const sides = await sidesOf({ vm: make })
  const made = makeBlock(rules.copy(), one.plan ?? threeCalls)
  const block = one.block?.(made) ?? made
  if (one.oursOnly === true) {
    const result = await executor.runBlock(sides.ours, { ...fillHeader, ...one.options, block })
    expect(result.parallel).toMatchObject({ mode: 'sequential', why })
    return
  }
  const run = await runBoth(executor, sides, block, { ...fillHeader, ...one.options }, true)
  expect(run.differences).toEqual([])
  if (run.error !== undefined) return
  expect(run.report).toMatchObject({
    mode: 'sequential',
    why: expect.stringContaining(why),
    workers: 0,
    executions: 0,
    incidents: [],
  })
}

/** A VM like the one made, but for its EVM. */
export function withEvm(
  make: (plain: Pick<VM, 'common' | 'stateManager' | 'blockchain'>) => Promise<EVM>,
): NonNullable<OddBlock['vm']> {
  return async ({ common, stateManager, blockchain }) => {
    const plain = { common, stateManager, blockchain }
    return createVM({ ...plain, evm: await make(plain) })
  }
}

export function withEvmOptions(evmOpts: EVMOpts): NonNullable<OddBlock['vm']> {
  return ({ common, stateManager, blockchain }) =>
    createVM({ common, stateManager, blockchain, evmOpts })
}

/** The block's first transaction, and one that is made of the second. */
export function secondReplaced(
  make: (fields: Fields, common: Common) => LegacyTx,
): NonNullable<OddBlock['block']> {
  return ({ common, transactions }) => {
    const [first, second] = transactions as [LegacyTx, LegacyTx]
    const { nonce, gasPrice, gasLimit, to, value, data, v, r, s } = second
    const fields = { nonce, gasPrice, gasLimit, to, value, data, v, r, s }
    return blockOf(common, {}, [first, make(fields, common)])
  }
}
type Fields = Pick<
  LegacyTx,
  'nonce' | 'gasPrice' | 'gasLimit' | 'to' | 'value' | 'data' | 'v' | 'r' | 's'
>
