// The drop-in for stock's runBlock: everything of a block around its transactions.
// Authority on the order of a parallel block's steps, which is stock's; blocks that cannot run in
// parallel are handed to stock whole.

import { createBlockLevelAccessList, EthereumJSErrorWithoutCode } from '@ethereumjs/util'
import {
  type AfterTxEvent,
  type RunBlockOpts,
  type RunBlockResult,
  runBlock as stockRunBlock,
  type VM,
} from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import type { SchedulerName } from '../options.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { whySequential } from './eligibility.ts'
import { withoutEvent } from './emitted-event.ts'
import { type Ended, finishBlock } from './finish-block.ts'
import { blockError } from './header-checks.ts'
import { type ParentRoot, parentRootOf, versionOf } from './later-root.ts'
import type { TransactionListener } from './ordered-commit.ts'
import { type ParallelSettings, setupOf } from './parallel-settings.ts'
import { ParallelTransactions } from './parallel-transactions.ts'
import { providedAccessList } from './provided-access-list.ts'
import { cryptoHere, recoverAhead } from './recover-ahead.ts'
import { type BlockReport, emptyReport } from './report.ts'
import { StateWriteWatch } from './state-write-watch.ts'
import { beforeTransactions } from './system-operations.ts'
import { rememberTransactionsRoot } from './transactions-root.ts'
import { foldIntoBase } from './write-back.ts'

/** Stock's options, and a listener for results as they become final. */
export interface ParallelRunBlockOpts extends RunBlockOpts {
  /**
   * Called in canonical order with each transaction's final result, while later ones still run.
   * The block can still turn out invalid afterwards.
   */
  onTransaction?: TransactionListener
  /**
   * `true`: the result comes before the state root is known, where the state manager is a flat state, the
   * block runs in parallel and changes hundreds of accounts or slots, and nobody needs the root at once
   * (`generate`, `afterBlock` listeners, a checkpoint of the caller's); elsewhere it has no effect. Default
   * `false`. See `stateRootReady` of the result: the block can still be refused.
   */
  pipeline?: boolean
}

/** Stock's result, and how it was found. */
export interface ParallelRunBlockResult extends RunBlockResult {
  parallel: BlockReport
  /**
   * With `pipeline`: the state root, when it is known and committed. Until then `stateRoot` is what the
   * header says, and only reads of the state manager do not wait. Rejects with stock's error if the root is
   * another one; the state is then the one before the block again, and blocks that have begun since, or name
   * a refused block as their parent, are refused with `PARENT_REFUSED`.
   */
  stateRootReady?: Promise<Uint8Array>
}

/** Below this many transactions, starting the workers costs more than they save (measured). */
const FEWEST_TRANSACTIONS = 4
const BLOCK_EVENTS = ['beforeBlock', 'beforeTx', 'afterTx', 'afterBlock'] as const
const NO_TRANSACTIONS = 'there are no transactions'

/**
 * Runs a block in parallel where it can, otherwise with stock's runBlock.
 * @throws ParallelError `INVALID_ARGUMENT`; `PARENT_REFUSED` if the block before had another state root than
 *   its header says, and this one began before that was known, or names it as its parent
 */
export async function runBlockWith(
  vm: VM,
  options: ParallelRunBlockOpts,
  scheduler: SchedulerName,
  settings: ParallelSettings,
): Promise<ParallelRunBlockResult> {
  const { pipeline } = options
  if (pipeline !== undefined && typeof pipeline !== 'boolean') {
    throw new ParallelError('INVALID_ARGUMENT', 'pipeline must be true or false')
  }
  const parent = parentRootOf(vm.stateManager, options.block)
  try {
    // Listeners are to hear of no block that stock would not have come to.
    if (isHeard(vm, options)) await parent?.check()
    const result = await runAfter(parent, vm, options, scheduler, settings)
    if (pipeline === true) result.stateRootReady ??= Promise.resolve(result.stateRoot)
    return result
  } catch (error) {
    // Whatever is wrong with a block on a wrong state, that is the reason.
    await parent?.check()
    throw error
  }
}

function isHeard({ events }: VM, { onTransaction }: ParallelRunBlockOpts): boolean {
  return onTransaction !== undefined || BLOCK_EVENTS.some((it) => events.listenerCount(it) > 0)
}

async function runAfter(
  parent: ParentRoot | undefined,
  vm: VM,
  options: ParallelRunBlockOpts,
  scheduler: SchedulerName,
  settings: ParallelSettings,
): Promise<ParallelRunBlockResult> {
  const start = performance.now()
  const { transactions } = options.block
  const count = transactions.length
  const isSmall = scheduler === 'auto' && count < FEWEST_TRANSACTIONS
  const whyNot = (): string | undefined =>
    scheduler === 'sequential'
      ? 'asked for by the scheduler option'
      : (settings.whySequential ?? whySequential(vm, options, setupOf(settings)))
  const crypto = await cryptoHere(transactions)
  const report = (mode: BlockReport['mode'], why: string) => emptyReport(mode, why, count, crypto)
  // Stock's validation asks for all senders, and so does its execution. Ours asks for them in workers.
  const isAsked = options.skipBlockValidation !== true || isSmall
  let sequential = isAsked ? undefined : whyNot()
  if (isAsked || sequential !== undefined) {
    await recoverAhead(transactions, recoverers(settings))
    // Asked after the wait: who listens to the VM may have changed in it.
    sequential = whyNot()
  }
  let result: ParallelRunBlockResult
  if (sequential !== undefined || count === 0 || isSmall) await parent?.check()
  if (sequential !== undefined) {
    result = await runStock(vm, options, report('sequential', sequential))
  } else if (count === 0) {
    result = await runStock(vm, options, report('inline', NO_TRANSACTIONS))
  } else if (isSmall) {
    const why = `fewer than ${FEWEST_TRANSACTIONS} transactions do not pay for threads`
    result = await runStock(vm, options, report('inline', why))
  } else {
    const how = report('parallel', `${count} transactions`)
    result = await runInParallel(parent, vm, options, settings, how)
  }
  result.parallel.phases.total = performance.now() - start
  return result
}

async function runStock(
  vm: VM,
  options: ParallelRunBlockOpts,
  report: BlockReport,
): Promise<ParallelRunBlockResult> {
  const { onTransaction, pipeline: _, ...stockOptions } = options
  const start = performance.now()
  if (onTransaction === undefined) {
    const result = await stockRunBlock(vm, stockOptions)
    report.phases.execute = performance.now() - start
    return { ...result, parallel: report }
  }
  let index = 0
  let failure: { error: unknown } | undefined
  const tell = (event: AfterTxEvent, done?: (value?: unknown) => void): void => {
    const { transaction: _, ...result } = event
    Promise.resolve()
      .then(() => onTransaction({ index: index++, result }))
      .catch((error: unknown) => {
        failure = { error }
      })
      .finally(done)
  }
  // Stock waits for the one above and takes errors only from the one below; then it reverts the block.
  const fail = (): void => {
    if (failure !== undefined) throw failure.error
  }
  vm.events.on('afterTx', tell)
  vm.events.on('afterTx', fail)
  try {
    const result = await stockRunBlock(vm, stockOptions)
    report.phases.execute = performance.now() - start
    return { ...result, parallel: report }
  } finally {
    vm.events.off('afterTx', tell)
    vm.events.off('afterTx', fail)
  }
}

async function runInParallel(
  parent: ParentRoot | undefined,
  vm: VM,
  options: ParallelRunBlockOpts,
  settings: ParallelSettings,
  report: BlockReport,
): Promise<ParallelRunBlockResult> {
  const { memory } = settings
  const { block, root } = options
  const prepareStart = performance.now()
  const manager = vm.stateManager

  const listeners = vm.events.listenerCount('beforeBlock')
  if (listeners > 0) await parent?.check()
  await vm._emit('beforeBlock', block)
  if (listeners > 0) {
    const count = block.transactions.length
    report.transactions = count
    const why = whySequential(vm, options, setupOf(settings))
    if (why !== undefined || count === 0) {
      const [mode, reason] =
        why === undefined ? (['inline', NO_TRANSACTIONS] as const) : (['sequential', why] as const)
      const stock = emptyReport(mode, reason, count, report.crypto)
      await recoverAhead(block.transactions, recoverers(settings))
      await parent?.check()
      return withoutEvent(vm, 'beforeBlock', () => runStock(vm, options, stock))
    }
  }
  if ((options.setHardfork ?? (vm as unknown as { _setHardfork: unknown })._setHardfork) === true) {
    vm.common.setHardforkBy({
      blockNumber: block.header.number,
      timestamp: block.header.timestamp,
    })
  }
  if (vm.common.isActivatedEIP(7928)) vm.evm.blockLevelAccessList = createBlockLevelAccessList()
  const provided = providedAccessList(vm, options)
  if (root !== undefined) await manager.setStateRoot(root, options.clearCache ?? true)
  await memory.adopt(manager)

  const before = options.pipeline === true ? versionOf(manager) : undefined
  const watch = new StateWriteWatch(manager, memory)
  watch.start()
  const open = (): Promise<void> => vm.evm.journal.checkpoint()
  await (parent === undefined
    ? open()
    : (flatDataOf(manager, watch.covered)?.follow(open) ?? open()))
  let ended: Ended
  try {
    await validate(vm, options)
    // What these write has to wait for the root before; blocks without them go on to the transactions.
    if (vm.common.isActivatedEIP(4788) || vm.common.isActivatedEIP(2935)) await parent?.check()
    await beforeTransactions(vm, block)
    // Stock's first transaction begins with this: accounts touched before the block may go.
    await vm.evm.journal.cleanup()
    report.phases.prepare = performance.now() - prepareStart

    const transactions = new ParallelTransactions(
      vm,
      options,
      provided,
      options.onTransaction,
      watch,
      parent === undefined ? settings : { ...settings, beforeWrites: () => parent.check() },
      report,
    )
    const committed = await transactions.run()
    if (transactions.isWhole) foldIntoBase(memory, transactions.writes)
    else memory.forget()

    const finishStart = performance.now()
    ended = await finishBlock(vm, options, settings, { report, committed, watch, provided, before })
    const { result, changes, stateRootReady } = ended
    const known = stateRootReady === undefined ? result.stateRoot : undefined
    memory.settle(manager, known, changes)
    report.phases.finish = performance.now() - finishStart
  } catch (error) {
    watch.stop()
    memory.forget()
    await vm.evm.journal.revert()
    throw error
  } finally {
    watch.stop()
  }
  // The block is in the state by now, whatever a listener throws; and what it awaits may be the next block.
  settings.onDone(report)
  const { result, finished, stateRootReady } = ended
  // Somebody listens since: stock announces no block whose root is wrong.
  if (vm.events.listenerCount('afterBlock') > 0) await stateRootReady
  await vm._emit('afterBlock', { ...result, block: finished })
  return {
    ...result,
    ...(stateRootReady === undefined ? {} : { stateRootReady }),
    parallel: report,
  }
}

async function validate(vm: VM, options: RunBlockOpts): Promise<void> {
  const { block } = options
  if (options.skipBlockValidation === true) return
  if (block.header.gasLimit >= 0x8000000000000000n) {
    throw blockError('Invalid block with gas limit greater than (2^63 - 1)', vm, block)
  }
  if (options.skipHeaderValidation !== true) {
    const blockchain = vm.blockchain as { validateHeader?: (header: unknown) => Promise<void> }
    if (typeof blockchain.validateHeader !== 'function') {
      throw EthereumJSErrorWithoutCode(
        'cannot validate header: blockchain has no `validateHeader` method',
      )
    }
    await blockchain.validateHeader(block.header)
  }
  await rememberTransactionsRoot(block)
  await block.validateData(false, true, options.validateBlockSize ?? false)
}

/** Workers that may help to recover; not where a listener's block has them, and waits for this one. */
function recoverers({
  pool,
  whySequential: why,
}: ParallelSettings): ParallelSettings['pool'] | undefined {
  return why === undefined ? pool : undefined
}
