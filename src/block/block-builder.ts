// The drop-in for stock's BlockBuilder: stock's own, with a method that adds many transactions at once.
// Authority on what its users see of building. Everything that stock's builder does is done by stock's
// code, but for roots, which are computed in one pass.

import type { MerkleStateManager } from '@ethereumjs/statemanager'
import type { TypedTransaction } from '@ethereumjs/tx'
import { createWithdrawal, type WithdrawalData } from '@ethereumjs/util'
import {
  BlockBuilder,
  type BuildBlockOpts,
  type RunTxResult,
  type SealBlockOpts,
  type VM,
} from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import { transactionBytes } from '../execution/transaction-rlp.ts'
import type { FlatData } from '../state/flat-data.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { flushMerkleStateManager } from '../state/flush-merkle.ts'
import { canFlush } from '../state/merkle-manager.ts'
import { type AddTransactionsOpts, resolveAddOptions } from './add-options.ts'
import { PoolRun } from './add-transactions.ts'
import { OpenBlock, type TransactionOpts } from './open-block.ts'
import { type IncludedTransaction, PoolLedger, type SkippedTransaction } from './pool-ledger.ts'
import type { WorkersLease } from './pool-run-options.ts'
import { ReceiptEncoder } from './receipt-encoder.ts'
import type { BlockReport } from './report.ts'
import { FEWEST_VALUES } from './shared-list-root.ts'

/** What became of the transactions given to `addTransactions`, by their place in the list. */
export interface AddTransactionsResult {
  /** In the block, in the order of the list. */
  included: IncludedTransaction[]
  /** Tried and refused, with stock's errors, in the order of the list. They left nothing in the state. */
  skipped: SkippedTransaction[]
  /** Places of those that were not tried: all from some place on, because of `onFull` or `deadlineMs`. */
  left: number[]
  /** How the call was run. */
  parallel: BlockReport
}

/** What a builder needs of an executor. */
export interface BuilderWorkers {
  /** Gives `work` the executor's workers as soon as nobody else has them. */
  lease<T>(work: (lease: WorkersLease) => Promise<T>): Promise<T>
  /** Hashes what is stale in a flat state on the workers, if nobody has them; it never rejects. */
  hash(flat: FlatData): Promise<void>
  /** Roots of lists, by keccak-256, on the workers if nobody has them; it never rejects. */
  listRoots(lists: readonly (readonly Uint8Array[])[]): Promise<Uint8Array[]>
}

/**
 * Builds a block, like `BlockBuilder` of `@ethereumjs/vm`, which it is: made by
 * `ParallelExecutor.buildBlock` or {@link buildBlock}. One thing at a time: while transactions are added,
 * all methods that change the block reject with `BUILDER_BUSY`.
 */
export class ParallelBlockBuilder extends BlockBuilder {
  readonly #vm: VM
  readonly #open: OpenBlock
  readonly #workers: BuilderWorkers
  #isBusy = false
  #isBuilding = false
  /** Of transactions and receipts, as soon as they are asked for while the block is built. */
  #listRoots: Promise<Uint8Array[]> | undefined
  #report: BlockReport | undefined

  /** Not to be called by users: the builder needs an executor's workers. */
  constructor(vm: VM, opts: BuildBlockOpts, workers: BuilderWorkers) {
    super(vm, opts)
    this.#vm = vm
    this.#open = new OpenBlock(this, vm)
    this.#workers = workers
  }

  /** How the last {@link addTransactions} was run, also where it threw; `undefined` before it. */
  get parallel(): BlockReport | undefined {
    return this.#report
  }

  /**
   * Adds the transactions that are valid, in the order given, as if each were given to
   * {@link addTransaction} and its error caught; but they are executed in parallel, on the executor's
   * workers, where they can be. Whether one is valid, and fits, is judged on the state and the gas that
   * those before it in the block leave.
   *
   * @throws with `onInvalid: 'throw'` stock's error for the first that is refused; those before it are in
   * the block
   * @throws what the state manager throws: where it failed to read, transactions tried before are in the block
   * and later ones are not; where it failed to write, the builder can only be reverted
   * @throws ParallelError `INVALID_OPTION`, `BUILDER_BUSY`, `BUILDER_BROKEN`, `EXECUTOR_CLOSED`, and with `fallback: false`
   * `FALLBACK_DISABLED`
   */
  async addTransactions(
    transactions: readonly TypedTransaction[],
    options: AddTransactionsOpts = {},
  ): Promise<AddTransactionsResult> {
    const { deadlineMs, onInvalid, onFull, ...opts } = resolveAddOptions(options)
    const deadline = performance.now() + deadlineMs
    const list = [...transactions]
    const ledger = new PoolLedger({ onInvalid, onFull })
    await this.#alone(async () => {
      this.#open.check()
      await this.#workers.lease(async (lease) => {
        const run = new PoolRun(
          {
            ...opts,
            vm: this.#vm,
            open: this.#open,
            ledger,
            transactions: list,
            deadline,
            addAsStock: (tx) => super.addTransaction(tx, opts),
          },
          lease,
        )
        this.#report = run.report
        await run.run()
      })
    })
    if (ledger.failure !== undefined) throw ledger.failure.error
    const { included, skipped, next } = ledger
    const left = Array.from({ length: list.length - next }, (_, index) => next + index)
    return { included, skipped, left, parallel: this.#report as BlockReport }
  }

  /**
   * As stock's, on the calling thread.
   * @throws what stock throws, and ParallelError `BUILDER_BUSY`, `BUILDER_BROKEN`
   */
  override addTransaction(tx: TypedTransaction, options?: TransactionOpts): Promise<RunTxResult> {
    return this.#alone(async () => {
      this.#open.check()
      return super.addTransaction(tx, options)
    })
  }

  /**
   * Adds withdrawals (EIP-4895) to those of the builder's options; they are paid when the block is built.
   * @throws stock's error where the block was built or reverted, and for malformed data
   */
  addWithdrawals(withdrawals: readonly WithdrawalData[]): void {
    if (this.#isBusy) throw busy()
    this.#open.check()
    this.#open.addWithdrawals(withdrawals.map(createWithdrawal))
  }

  /** As stock's. @throws what stock throws, and ParallelError `BUILDER_BUSY`, `BUILDER_BROKEN` */
  override build(sealOpts?: SealBlockOpts): ReturnType<BlockBuilder['build']> {
    return this.#alone(async () => {
      this.#open.check()
      const { stateManager } = this.#vm
      const flat = flatDataOf(stateManager)
      const isOurs = flat !== undefined || canFlush(stateManager)
      if (!isOurs || !Object.isExtensible(stateManager)) return this.#build(sealOpts)
      // Stock asks for the root once, at the end, and its flush then finds nothing left to do. Not earlier:
      // what is flushed stock cannot revert, and building can fail before that.
      const getStateRoot = stateManager.getStateRoot
      stateManager.getStateRoot = async () => {
        if (flat !== undefined) await this.#workers.hash(flat)
        else await flushMerkleStateManager(stateManager as MerkleStateManager)
        const root = await getStateRoot.call(stateManager)
        // The last that stock asks for before it makes the block; it has the roots of the lists by now.
        this.#open.withhold()
        return root
      }
      try {
        return await this.#open.sealing(() => this.#build(sealOpts))
      } finally {
        delete (stateManager as Partial<typeof stateManager>).getStateRoot
      }
    })
  }

  async #build(sealOpts?: SealBlockOpts): ReturnType<BlockBuilder['build']> {
    this.#isBuilding = true
    try {
      return await super.build(sealOpts)
    } finally {
      this.#isBuilding = false
      this.#listRoots = undefined
    }
  }

  /** As stock's. @throws what stock throws, and ParallelError `BUILDER_BUSY` */
  override revert(): Promise<void> {
    return this.#alone(() => super.revert())
  }

  /** As stock's. */
  override async transactionsTrie(): Promise<Uint8Array> {
    const [root] = (await this.#rootsOf('transactions')) ?? []
    return root ?? super.transactionsTrie()
  }

  /** As stock's. */
  override async receiptTrie(): Promise<Uint8Array> {
    const [root] = (await this.#rootsOf('receipts')) ?? []
    return root ?? super.receiptTrie()
  }

  /** Found together where the block is built, since stock then asks for both. `undefined`: stock finds it. */
  async #rootsOf(list: 'transactions' | 'receipts'): Promise<readonly Uint8Array[] | undefined> {
    if (this.#listRoots === undefined) {
      if (this.#open.transactions.length === 0) return undefined
      if (this.#vm.common.customCrypto.keccak256 !== undefined) return undefined
      if (!this.#isBuilding) return this.#workers.listRoots([this.#valuesOf(list)])
      this.#listRoots = this.#bothRoots()
    }
    const [ofTransactions, ofReceipts] = await this.#listRoots
    return [list === 'transactions' ? ofTransactions : ofReceipts]
  }

  async #bothRoots(): Promise<Uint8Array[]> {
    const transactions = this.#valuesOf('transactions')
    await this.#turn()
    const receipts = this.#valuesOf('receipts')
    await this.#turn()
    return this.#workers.listRoots([transactions, receipts])
  }

  #valuesOf(list: 'transactions' | 'receipts'): Uint8Array[] {
    const { transactions, results } = this.#open
    if (list === 'transactions') return transactions.map(transactionBytes)
    const encoder = new ReceiptEncoder()
    return results.map(({ receipt }, i) => encoder.encode(receipt, transactions[i].type))
  }

  /** Others of this thread have theirs, between parts that take ms where the block is large. */
  async #turn(): Promise<void> {
    if (this.#open.transactions.length < FEWEST_VALUES) return
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Lets nobody else change the block meanwhile. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw busy()
    this.#isBusy = true
    try {
      return await work()
    } finally {
      this.#isBusy = false
    }
  }
}

function busy(): ParallelError {
  const message = 'The builder is adding transactions, or is being built or reverted; wait for that'
  return new ParallelError('BUILDER_BUSY', message)
}
