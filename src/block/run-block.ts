// The drop-in for stock's runBlock: everything of a block around its transactions.
// Authority on the order of a parallel block's steps, which is stock's; blocks that cannot run in
// parallel are handed to stock whole.

import { type Block, createBlock, genRequestsRoot } from '@ethereumjs/block'
import {
  type BlockLevelAccessList,
  createBlockLevelAccessList,
  EthereumJSErrorWithoutCode,
} from '@ethereumjs/util'
import {
  type AfterTxEvent,
  type RunBlockOpts,
  type RunBlockResult,
  runBlock as stockRunBlock,
  type VM,
} from '@ethereumjs/vm'
import { sha256 } from '@noble/hashes/sha2.js'
import type { SchedulerName } from '../options.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { flushMerkleStateManager } from '../state/flush-merkle.ts'
import { canFlush } from '../state/merkle-manager.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { accessListOf } from './committed-access-list.ts'
import { collectRequests } from './consensus-requests.ts'
import { whySequential } from './eligibility.ts'
import { withoutEvent } from './emitted-event.ts'
import { blockError, checkHeader } from './header-checks.ts'
import type { OrderedCommit, TransactionListener } from './ordered-commit.ts'
import { type ParallelSettings, setupOf } from './parallel-settings.ts'
import { ParallelTransactions } from './parallel-transactions.ts'
import { checkListSize, providedAccessList } from './provided-access-list.ts'
import { cryptoHere, recoverAhead } from './recover-ahead.ts'
import { type BlockReport, emptyReport } from './report.ts'
import { hashOnWorkers } from './shared-root.ts'
import { StateWriteWatch } from './state-write-watch.ts'
import { afterTransactions, beforeTransactions } from './system-operations.ts'
import { rememberTransactionsRoot, transactionsRoot } from './transactions-root.ts'
import { foldIntoBase } from './write-back.ts'

/** Stock's options, and a listener for results as they become final. */
export interface ParallelRunBlockOpts extends RunBlockOpts {
  /**
   * Called in canonical order with each transaction's final result, while later ones still run.
   * The block can still turn out invalid afterwards.
   */
  onTransaction?: TransactionListener
}

/** Stock's result, and how it was found. */
export interface ParallelRunBlockResult extends RunBlockResult {
  parallel: BlockReport
}

/** Below this many transactions, starting the workers costs more than they save (measured). */
const FEWEST_TRANSACTIONS = 4
const NO_TRANSACTIONS = 'there are no transactions'

/** Runs a block in parallel where it can, otherwise with stock's runBlock. */
export async function runBlockWith(
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
  if (sequential !== undefined) {
    result = await runStock(vm, options, report('sequential', sequential))
  } else if (count === 0) {
    result = await runStock(vm, options, report('inline', NO_TRANSACTIONS))
  } else if (isSmall) {
    const why = `fewer than ${FEWEST_TRANSACTIONS} transactions do not pay for threads`
    result = await runStock(vm, options, report('inline', why))
  } else {
    result = await runInParallel(vm, options, settings, report('parallel', `${count} transactions`))
  }
  result.parallel.phases.total = performance.now() - start
  return result
}

async function runStock(
  vm: VM,
  options: ParallelRunBlockOpts,
  report: BlockReport,
): Promise<ParallelRunBlockResult> {
  const { onTransaction, ...stockOptions } = options
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

  const watch = new StateWriteWatch(manager, memory)
  watch.start()
  await vm.evm.journal.checkpoint()
  let result: RunBlockResult
  let finished: Block
  try {
    await validate(vm, options)
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
      settings,
      report,
    )
    const committed = await transactions.run()
    if (transactions.isWhole) foldIntoBase(memory, transactions.writes)
    else memory.forget()

    const finishStart = performance.now()
    ;({ result, finished } = await finish(
      vm,
      options,
      settings.pool,
      report,
      committed,
      watch,
      provided,
    ))
    memory.settle(manager, result.stateRoot)
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
  await vm._emit('afterBlock', { ...result, block: finished })
  return { ...result, parallel: report }
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

/** From the last transaction to the end of the block. */
async function finish(
  vm: VM,
  options: RunBlockOpts,
  pool: WorkerPool,
  report: BlockReport,
  committed: OrderedCommit,
  watch: StateWriteWatch,
  provided: BlockLevelAccessList | undefined,
): Promise<{ result: RunBlockResult; finished: Block }> {
  const { block } = options
  await afterTransactions(vm, block)

  let requests: RunBlockResult['requests']
  let requestsHash: Uint8Array | undefined
  if (block.common.isActivatedEIP(7685)) {
    requests = await collectRequests(vm, committed.results, options.generate === true)
    requestsHash = genRequestsRoot(requests, vm.common.customCrypto.sha256 ?? sha256)
  }
  checkListSize(vm, block)
  // Then the flush that is a part of the next call finds nothing left to do.
  if (canFlush(vm.stateManager, watch.covered)) await flushMerkleStateManager(vm.stateManager)
  const flat = flatDataOf(vm.stateManager, watch.covered)
  const incident = flat && (await hashOnWorkers(flat, pool))
  if (incident !== undefined) report.incidents.push(incident)
  const stateRoot = await vm.stateManager.getStateRoot()
  const outcome = {
    requestsHash,
    receiptsRoot: await committed.receiptsRoot(),
    logsBloom: committed.bloom.bitvector,
    gasUsed: committed.gasUsed,
    stateRoot,
  }
  let finished = block
  if (options.generate === true) {
    const { receiptsRoot, ...fields } = outcome
    const own = accessListOf(vm)
    const generated = {
      ...fields,
      receiptTrie: receiptsRoot,
      transactionsTrie: await transactionsRoot(block),
      ...(own === undefined ? {} : { blockAccessListHash: own.hash() }),
    }
    finished = createBlock(
      { ...block, header: { ...block.header, ...generated } },
      { common: vm.common },
    )
  } else {
    checkHeader(vm, block, outcome, provided)
  }
  await vm.evm.journal.commit()

  const result: RunBlockResult = {
    receipts: committed.receipts,
    logsBloom: outcome.logsBloom,
    results: committed.results,
    stateRoot,
    gasUsed: outcome.gasUsed,
    receiptsRoot: outcome.receiptsRoot,
    preimages: new Map(),
    requestsHash,
    requests,
    blockLevelAccessList: vm.evm.blockLevelAccessList,
  }
  return { result, finished }
}

/** Workers that may help to recover; not where a listener's block has them, and waits for this one. */
function recoverers({
  pool,
  whySequential: why,
}: ParallelSettings): ParallelSettings['pool'] | undefined {
  return why === undefined ? pool : undefined
}
