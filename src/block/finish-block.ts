// The end of a parallel block: what follows its transactions, its root, and whether its header is right.
// Authority on what is compared before the block is in the state, and when the root may come afterwards
// (option `pipeline`); later-root.ts has what becomes of it then.

import { type Block, createBlock, genRequestsRoot } from '@ethereumjs/block'
import type { BlockLevelAccessList } from '@ethereumjs/util'
import type { RunBlockOpts, RunBlockResult, VM } from '@ethereumjs/vm'
import { sha256 } from '@noble/hashes/sha2.js'
import { flatDataOf } from '../state/flat-state.ts'
import type { Version } from '../state/flat-versions.ts'
import { flushMerkleStateManager } from '../state/flush-merkle.ts'
import { canFlush } from '../state/merkle-manager.ts'
import { accessListOf } from './committed-access-list.ts'
import { collectRequests } from './consensus-requests.ts'
import { checkHeader } from './header-checks.ts'
import { takeRootLater } from './later-root.ts'
import type { OrderedCommit } from './ordered-commit.ts'
import type { ParallelSettings } from './parallel-settings.ts'
import { checkListSize } from './provided-access-list.ts'
import type { BlockReport } from './report.ts'
import { areManyChanged, hashOnWorkers } from './shared-root.ts'
import type { StateWriteWatch } from './state-write-watch.ts'
import { afterTransactions } from './system-operations.ts'
import { transactionsRoot } from './transactions-root.ts'

/** What the end of a block needs of its beginning. */
export interface Begun {
  readonly report: BlockReport
  readonly committed: OrderedCommit
  readonly watch: StateWriteWatch
  readonly provided: BlockLevelAccessList | undefined
  /** Where to go back to if the root turns out wrong when the block has ended. */
  readonly before: Version | undefined
}

export interface Ended {
  readonly result: RunBlockResult
  readonly finished: Block
  /** Where the root comes later. */
  readonly stateRootReady: Promise<Uint8Array> | undefined
  /** A flat state's count of changes. */
  readonly changes: number | undefined
}

/** From the last transaction to the end of the block. */
export async function finishBlock(
  vm: VM,
  options: RunBlockOpts,
  { pool, onLater }: ParallelSettings,
  { report, committed, watch, provided, before }: Begun,
): Promise<Ended> {
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
  // A pool that has just lost a worker would start another one for this.
  const receiptsRoot = committed.receiptsRoot(report.incidents.length > 0 ? undefined : pool)
  // Told where it is awaited; until then nobody hears of it.
  receiptsRoot.catch(() => {})
  const flat = flatDataOf(vm.stateManager, watch.covered)
  const isLater =
    before !== undefined && flat !== undefined && !needsRoot(vm, options) && areManyChanged(flat)
  const incident = flat && !isLater ? await hashOnWorkers(flat, pool) : undefined
  if (incident !== undefined) report.incidents.push(incident)
  const stateRoot = isLater ? block.header.stateRoot.slice() : await vm.stateManager.getStateRoot()
  const outcome = {
    requestsHash,
    receiptsRoot: await receiptsRoot,
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
  const changes = flat?.changes
  const stateRootReady = isLater ? takeRootLater(vm, block, flat, before, pool) : undefined
  if (stateRootReady !== undefined) onLater(stateRootReady)

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
  return { result, finished, stateRootReady, changes }
}

/** Whether the root is asked for when the block ends. */
function needsRoot(vm: VM, { generate }: RunBlockOpts): boolean {
  return generate === true || vm.events.listenerCount('afterBlock') > 0
}
