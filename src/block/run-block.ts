// The drop-in for stock's runBlock: everything of a block around its transactions.
// Authority on the order of a parallel block's steps, which is stock's; blocks that cannot run in
// parallel are handed to stock whole.

import { type Block, createBlock, genRequestsRoot } from '@ethereumjs/block'
import { EthereumJSErrorWithoutCode } from '@ethereumjs/util'
import {
  type AfterTxEvent,
  type RunBlockOpts,
  type RunBlockResult,
  runBlock as stockRunBlock,
  type VM,
} from '@ethereumjs/vm'
import { sha256 } from '@noble/hashes/sha2.js'
import type { SchedulerName } from '../options.ts'
import { flushMerkleStateManager } from '../state/flush-merkle.ts'
import { canFlush } from '../state/merkle-manager.ts'
import { collectRequests } from './consensus-requests.ts'
import { whySequential } from './eligibility.ts'
import { withoutEvent } from './emitted-event.ts'
import { blockError, checkHeader } from './header-checks.ts'
import type { OrderedCommit, TransactionListener } from './ordered-commit.ts'
import { type ParallelSettings, ParallelTransactions } from './parallel-transactions.ts'
import { type BlockReport, emptyReport } from './report.ts'
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

/** Runs a block in parallel where it can, otherwise with stock's runBlock. */
export async function runBlockWith(
  vm: VM,
  options: ParallelRunBlockOpts,
  scheduler: SchedulerName,
  settings: ParallelSettings,
): Promise<ParallelRunBlockResult> {
  const start = performance.now()
  const count = options.block.transactions.length
  const sequential =
    scheduler === 'sequential'
      ? 'asked for by the scheduler option'
      : whySequential(vm, options, settings.workerSetup !== undefined)
  let result: ParallelRunBlockResult
  if (sequential !== undefined) {
    result = await runStock(vm, options, emptyReport('sequential', sequential, count))
  } else if (count === 0) {
    result = await runStock(vm, options, emptyReport('inline', 'there are no transactions', 0))
  } else if (scheduler === 'auto' && count < FEWEST_TRANSACTIONS) {
    const why = `fewer than ${FEWEST_TRANSACTIONS} transactions do not pay for threads`
    result = await runStock(vm, options, emptyReport('inline', why, count))
  } else {
    const report = emptyReport('parallel', `${count} transactions`, count)
    result = await runInParallel(vm, options, settings, report)
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
    const why = whySequential(vm, options, settings.workerSetup !== undefined)
    if (why !== undefined) {
      const sequential = emptyReport('sequential', why, report.transactions)
      return withoutEvent(vm, 'beforeBlock', () => runStock(vm, options, sequential))
    }
  }
  if ((options.setHardfork ?? (vm as unknown as { _setHardfork: unknown })._setHardfork) === true) {
    vm.common.setHardforkBy({
      blockNumber: block.header.number,
      timestamp: block.header.timestamp,
    })
  }
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
      options.onTransaction,
      watch,
      settings,
      report,
    )
    const committed = await transactions.run()
    if (transactions.isWhole) foldIntoBase(memory, transactions.writes)
    else memory.forget()

    const finishStart = performance.now()
    ;({ result, finished } = await finish(vm, options, committed, watch))
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
  // The block is in the state by now, whatever a listener throws.
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
  committed: OrderedCommit,
  watch: StateWriteWatch,
): Promise<{ result: RunBlockResult; finished: Block }> {
  const { block } = options
  await afterTransactions(vm, block)

  let requests: RunBlockResult['requests']
  let requestsHash: Uint8Array | undefined
  if (block.common.isActivatedEIP(7685)) {
    requests = await collectRequests(vm, committed.results)
    requestsHash = genRequestsRoot(requests, vm.common.customCrypto.sha256 ?? sha256)
  }
  // Then the flush that is a part of the next call finds nothing left to do.
  if (canFlush(vm.stateManager, watch.covered)) await flushMerkleStateManager(vm.stateManager)
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
    const generated = {
      ...fields,
      receiptTrie: receiptsRoot,
      transactionsTrie: await transactionsRoot(block),
    }
    finished = createBlock(
      { ...block, header: { ...block.header, ...generated } },
      { common: vm.common },
    )
  } else {
    checkHeader(vm, block, outcome)
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
    blockLevelAccessList: undefined,
  }
  return { result, finished }
}
