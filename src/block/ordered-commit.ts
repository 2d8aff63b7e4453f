// The ordered part of a block: gas admission, cumulative gas, receipts, bloom, events, one transaction
// after the other. Authority on everything of a result that depends on the transactions before it.

import type { Block } from '@ethereumjs/block'
import { txExceedsAvailableBlockGas8037 } from '@ethereumjs/evm'
import {
  Bloom,
  type RunBlockOpts,
  type RunTxResult,
  runTx,
  type TxReceipt,
  type VM,
} from '@ethereumjs/vm'
import { listRoot } from '../state/list-root.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { accessListOf } from './committed-access-list.ts'
import { blockError } from './header-checks.ts'
import { ReceiptEncoder } from './receipt-encoder.ts'
import { recoverAhead } from './recover-ahead.ts'
import { listRootOnWorkers } from './shared-list-root.ts'

/** Called with every transaction's final result, in canonical order, before the block ends. */
export type TransactionListener = (event: {
  /** Position in the block, 0-based. */
  index: number
  result: RunTxResult
}) => void | Promise<void>

/** Whether somebody is told of each transaction, and may look at the state then. */
export function hasListeners({ events }: VM): boolean {
  return events.listenerCount('beforeTx') > 0 || events.listenerCount('afterTx') > 0
}

export class OrderedCommit {
  readonly results: RunTxResult[] = []
  readonly receipts: TxReceipt[] = []
  readonly bloom: Bloom
  readonly #receiptEncoder = new ReceiptEncoder()
  /** Gas of the header; cumulative gas of receipts grows separately (EIP-7778 tells them apart). */
  gasUsed = 0n
  #receiptGasUsed = 0n
  /** The two dimensions of EIP-8037; the header has the larger one. */
  #regularGasUsed = 0n
  #stateGasUsed = 0n
  readonly #vm: VM
  readonly #block: Block
  readonly #options: RunBlockOpts
  readonly #onTransaction: TransactionListener | undefined
  readonly #encodedReceipts: Uint8Array[] = []

  constructor(vm: VM, options: RunBlockOpts, onTransaction: TransactionListener | undefined) {
    this.#vm = vm
    this.#block = options.block
    this.#options = options
    this.#onTransaction = onTransaction
    this.bloom = new Bloom(undefined, vm.common)
  }

  /** Transactions committed so far. */
  get length(): number {
    return this.results.length
  }

  /** @throws stock's error if the next transaction does not fit into the block */
  admit(): void {
    const { common } = this.#vm
    const list = accessListOf(this.#vm)
    if (list !== undefined) list.blockAccessIndex = this.length + 1
    const tx = this.#block.transactions[this.length]
    const { gasLimit } = this.#block.header
    const exceeds = common.isActivatedEIP(8037)
      ? txExceedsAvailableBlockGas8037(
          tx.gasLimit,
          tx.common.param('maxTransactionGasLimit'),
          gasLimit,
          this.#regularGasUsed,
          this.#stateGasUsed,
        )
      : gasLimit < tx.gasLimit + this.gasUsed
    if (exceeds) {
      throw blockError('tx has a higher gas limit than the block', this.#vm, this.#block)
    }
  }

  /**
   * Announces the next transaction, as stock does before it runs it: within the transaction's checkpoint,
   * where stock's manager shows its root without what it has not flushed yet.
   */
  async announce(): Promise<void> {
    const { evm, events } = this.#vm
    if (events.listenerCount('beforeTx') === 0) return
    await evm.journal.checkpoint()
    try {
      await this.#vm._emit('beforeTx', this.#block.transactions[this.length])
    } catch (error) {
      await evm.journal.revert()
      throw error
    }
    await evm.journal.commit()
  }

  /** Commits a result that a worker found for the next transaction. */
  async commit(result: RunTxResult): Promise<void> {
    const tx = this.#block.transactions[this.length]
    result.receipt.cumulativeBlockGasUsed = this.#receiptGasUsed + result.totalGasSpent
    await this.#vm._emit('afterTx', { transaction: tx, ...result })
    // Stock's last step with a transaction: what listeners warmed or touched does not outlive it.
    const { evm, common } = this.#vm
    if (common.isActivatedEIP(2929)) evm.journal.cleanJournal()
    evm.stateManager.originalStorageCache.clear()
    await this.#append(result)
  }

  /** Runs the next transaction with stock's code, on the VM's own state. */
  async runSequentially(): Promise<void> {
    this.admit()
    const tx = this.#block.transactions[this.length]
    await recoverAhead([tx], undefined)
    const { skipBalance, skipNonce, skipHardForkValidation, reportPreimages } = this.#options
    const result = await runTx(this.#vm, {
      tx,
      block: this.#block,
      blockGasUsed: this.#receiptGasUsed,
      ...(skipBalance === undefined ? {} : { skipBalance }),
      ...(skipNonce === undefined ? {} : { skipNonce }),
      ...(skipHardForkValidation === undefined ? {} : { skipHardForkValidation }),
      ...(reportPreimages === undefined ? {} : { reportPreimages }),
    })
    await this.#append(result)
  }

  /** Found by one of the workers of `pool`, where that pays. */
  async receiptsRoot(pool: WorkerPool | undefined): Promise<Uint8Array> {
    const { keccak256 } = this.#vm.common.customCrypto
    return keccak256 === undefined
      ? listRootOnWorkers(this.#encodedReceipts, pool)
      : listRoot(this.#encodedReceipts, keccak256)
  }

  async #append(result: RunTxResult): Promise<void> {
    const index = this.length
    const tx = this.#block.transactions[index]
    this.results.push(result)
    this.receipts.push(result.receipt)
    this.#addBlockGas(result)
    this.#receiptGasUsed += result.totalGasSpent
    this.bloom.or(result.bloom)
    this.#encodedReceipts.push(this.#receiptEncoder.encode(result.receipt, tx.type))
    await this.#onTransaction?.({ index, result })
  }

  #addBlockGas(result: RunTxResult): void {
    if (!this.#vm.common.isActivatedEIP(8037) || result.txRegularGas === undefined) {
      this.gasUsed += result.blockGasSpent
      return
    }
    this.#regularGasUsed += result.txRegularGas
    this.#stateGasUsed += result.txStateGas ?? 0n
    this.gasUsed =
      this.#regularGasUsed > this.#stateGasUsed ? this.#regularGasUsed : this.#stateGasUsed
  }
}
