// Runs a plan's blocks through stock and through the implementation under test, and compares all
// there is: results or errors, state roots, events. One call is one property run.
// It must not skip a comparison because of a plan's shape; what is odd must be odd on both sides.
import { type Block, createBlockFromRLP } from '@ethereumjs/block'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { runBlock, type VM } from '@ethereumjs/vm'

import { recordEvents } from './events.ts'
import type { Implementation } from './implementation.ts'
import {
  compareAny,
  compareOutcomes,
  compareStateRoots,
  describeError,
  type Outcome,
  outcomeOf,
} from './oracle.ts'
import { broughtList } from './random-access-list.ts'
import {
  type BuiltBlock,
  buildRandomBlock,
  makeFlatVm,
  makeVm,
  templateFor,
  withCheckedHeader,
} from './random-block.ts'
import type { BlockPlan, WorldPlan } from './random-plan.ts'
import { coinbaseAt, contracts, knownAddresses, numberWord } from './random-world.ts'
import { explainStateDifference } from './state-difference.ts'
import { captureState, type StateTemplate } from './state-template.ts'

export class Tally {
  blocks = 0
  transactions = 0
  dropped = 0
  failedTransactions = 0
  refused = new Map<string, number>()
  modes = new Map<string, number>()
  conflicts = 0
  reExecutions = 0

  toString(): string {
    const list = (counts: Map<string, number>): string =>
      [...counts].map(([name, count]) => `${name} ${count}`).join('; ')
    return (
      `${this.blocks} blocks, ${this.transactions} transactions ` +
      `(${this.failedTransactions} failed in the EVM, ${this.dropped} dropped), ` +
      `${this.conflicts} conflicts, ${this.reExecutions} re-executions\n` +
      `  refused: ${list(this.refused)}\n  modes: ${list(this.modes)}`
    )
  }
}

/** The differences found, empty when equal. */
export async function checkPlan(
  given: WorldPlan,
  implementation: Implementation,
  tally: Tally,
): Promise<string[]> {
  // What was written and not flushed is lost only to stock's caches.
  const isFlushed = implementation.onFlatState && given.meddle === 'unflushed'
  const plan: WorldPlan = isFlushed ? { ...given, meddle: 'flushed' } : given
  const template = await templateFor(plan)
  const stock = await makeVm(plan, template)
  const ours = implementation.onFlatState ? await makeFlatVm(plan) : await makeVm(plan, template)
  let before = template
  let recovery: { root?: Uint8Array } = {}
  for (const [index, blockPlan] of plan.blocks.entries()) {
    const built = await buildRandomBlock(plan, blockPlan, before, 20n + BigInt(index))
    tally.dropped += built.dropped
    const { block, options } = await endAs(plan, blockPlan, built, before)
    const run = { plan, blockPlan, block, options: { ...options, ...recovery }, stock, ours }
    const { differences, refused } = await runBoth(run, implementation, tally)
    if (differences.length > 0) {
      return [`block ${index + 1} of the plan, ${implementation.lastScheduler}:`, ...differences]
    }
    // Stock's caches keep values of a block refused for its header; setting a root clears them, which
    // is what a caller that goes on after a refusal does.
    recovery = refused ? { root: before.root } : {}
    if (refused) continue
    before = await captureState(stock.stateManager as MerkleStateManager)
    if (plan.meddle !== 'never') before = await meddleWithAll(plan, before, stock, ours)
  }
  return []
}

interface Run extends Pick<BuiltBlock, 'block' | 'options'> {
  readonly plan: WorldPlan
  readonly blockPlan: BlockPlan
  readonly stock: VM
  readonly ours: VM
}

async function runBoth(
  run: Run,
  implementation: Implementation,
  tally: Tally,
): Promise<{ differences: string[]; refused: boolean }> {
  const { plan, block, options, stock, ours } = run
  const rootBefore = await rootOfBoth(run)
  const stockEvents = plan.watchEvents ? recordEvents(stock) : undefined
  const ourEvents = plan.watchEvents ? recordEvents(ours) : undefined
  const stockOutcome = await outcomeOf(() => runBlock(stock, { ...options, block }))
  const ourBlock = run.blockPlan.decodeAnew ? decodedAnew(block) : block
  const ourOutcome = await outcomeOf(() =>
    implementation.runBlock(ours, { ...options, block: ourBlock }),
  )
  count(tally, block, stockOutcome, ourOutcome)
  const differences = [
    ...compareOutcomes(stockOutcome, ourOutcome),
    ...(await compareStateRoots(stock, ours)),
    ...compareAny(stockEvents?.stop(), ourEvents?.stop(), 'events'),
    ...(await unlessUntouched(ourOutcome, rootBefore, ours)),
    ...wrongMode(run, implementation, ourOutcome),
  ]
  if (differences.length > 0) {
    differences.push(
      ...(await explainStateDifference(
        stock.stateManager as MerkleStateManager,
        ours.stateManager as MerkleStateManager,
        knownAddresses(coinbaseAt(run.blockPlan.coinbase)),
      )),
    )
  }
  return { differences, refused: stockOutcome.kind === 'error' }
}

/** A refused block must leave the state as it was. */
async function unlessUntouched(
  outcome: Outcome,
  rootBefore: Uint8Array | undefined,
  ours: VM,
): Promise<string[]> {
  if (outcome.kind === 'result' || rootBefore === undefined) return []
  const root = await ours.stateManager.getStateRoot()
  return compareAny(rootBefore, root, 'state root after a refused block')
}

/** Asked of both sides, because asking flushes; not asked where unflushed writes are the point. */
async function rootOfBoth({ plan, stock, ours }: Run): Promise<Uint8Array | undefined> {
  if (plan.meddle === 'unflushed') return undefined
  await stock.stateManager.getStateRoot()
  return await ours.stateManager.getStateRoot()
}

function wrongMode(run: Run, implementation: Implementation, outcome: Outcome): string[] {
  const { plan, blockPlan, block } = run
  if (implementation.isStock || outcome.kind === 'error') return []
  const report = reportOf(outcome)
  if (report === undefined) return ['result.parallel is missing']
  const mayBeSequential =
    plan.hardfork === 'spuriousDragon' ||
    blockPlan.reportPreimages ||
    blockPlan.skip !== 'nothing' ||
    block.transactions.length === 0
  if (plan.hardfork === 'spuriousDragon' && report.mode !== 'sequential') {
    return [`a block before Byzantium ran in mode ${report.mode}`]
  }
  if (mayBeSequential || report.mode === 'parallel') return []
  return [`expected mode parallel, got ${report.mode}: ${report.why}`]
}

function reportOf(outcome: Outcome) {
  if (outcome.kind === 'error') return undefined
  return (outcome.result as Awaited<ReturnType<Implementation['runBlock']>>).parallel
}

async function endAs(
  plan: WorldPlan,
  blockPlan: BlockPlan,
  built: BuiltBlock,
  before: StateTemplate,
): Promise<Pick<BuiltBlock, 'block' | 'options'>> {
  const brings = plan.hardfork === 'amsterdam' && blockPlan.accessList !== 'none'
  const isMade =
    blockPlan.ending === 'generate' && (!brings || blockPlan.accessList === 'whileMade')
  if (isMade && !brings) return built
  const vm = await makeVm(plan, before)
  const outcome = await outcomeOf(() => runBlock(vm, { ...built.options, block: built.block }))
  // A block that is refused anyway needs no header to be refused for.
  if (outcome.kind === 'error') return built
  const { blockLevelAccessList } = outcome.result
  const list =
    brings && blockLevelAccessList !== undefined
      ? broughtList(blockLevelAccessList, blockPlan)
      : undefined
  const blockAccessList = list === undefined ? {} : { blockAccessList: list.given() }
  const { generate, skipBlockValidation, ...rest } = built.options
  const hasUncles = built.block.uncleHeaders.length > 0
  if (isMade || hasUncles) {
    return { ...built, options: { ...built.options, ...blockAccessList } }
  }
  return {
    block: await withCheckedHeader(built.block, outcome.result, blockPlan.ending, list?.hash),
    options: { ...rest, ...blockAccessList, skipHeaderValidation: true },
  }
}

function decodedAnew(block: Block): Block {
  return createBlockFromRLP(block.serialize(), {
    common: block.common,
    skipConsensusFormatValidation: true,
  })
}

/**
 * Writes behind the executor's back. Stock's state root leaves out what was written before the block
 * and never flushed, so asking for a root or not makes a difference, and the same one on both sides.
 */
async function meddleWithAll(
  plan: WorldPlan,
  before: StateTemplate,
  stock: VM,
  ours: VM,
): Promise<StateTemplate> {
  const reference = await makeVm(plan, before)
  for (const vm of [reference, stock, ours]) {
    await meddle(vm)
    if (plan.meddle === 'flushed') await vm.stateManager.getStateRoot()
  }
  return await captureState(reference.stateManager as MerkleStateManager)
}

async function meddle(vm: VM): Promise<void> {
  const state = vm.stateManager
  const account = await state.getAccount(contracts.counter)
  if (account !== undefined) {
    account.balance += 5n
    await state.putAccount(contracts.counter, account)
    await state.putStorage(contracts.counter, numberWord(0), Uint8Array.of(99))
  }
}

function count(tally: Tally, block: Block, stock: Outcome, ours: Outcome): void {
  tally.blocks++
  tally.transactions += block.transactions.length
  if (stock.kind === 'error') {
    const reason = describeError(stock.error)
      .replace(/[(.:].*/s, '')
      .replace(/0x[0-9a-f]+|\d+/g, '#')
      .slice(0, 60)
    tally.refused.set(reason, (tally.refused.get(reason) ?? 0) + 1)
    return
  }
  tally.failedTransactions += stock.result.results.filter(
    ({ execResult }) => execResult.exceptionError !== undefined,
  ).length
  const report = reportOf(ours)
  const mode =
    report === undefined
      ? 'none'
      : report.mode === 'parallel'
        ? `parallel${report.plannedFrom === 'access list' ? ' from its list' : ''}`
        : `${report.mode} (${report.why})`
  tally.modes.set(mode, (tally.modes.get(mode) ?? 0) + 1)
  tally.conflicts += report?.conflicts ?? 0
  tally.reExecutions += report?.reExecutions ?? 0
}

/** A plan as one line, to paste into a bug report. */
export function printPlan(plan: WorldPlan): string {
  return JSON.stringify(plan)
}
