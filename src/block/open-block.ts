// The block that a builder has under construction: what it has room for, and what joins it.
// Authority on admission, which is stock's addTransaction's to the word, and the one place that reaches
// into stock's builder. It must not know who executes.

import { Block, createBlockHeader, type HeaderData } from '@ethereumjs/block'
import {
  Blob4844Tx,
  createMinimal4844TxFromNetworkWrapper,
  NetworkWrapperType,
  type TypedTransaction,
} from '@ethereumjs/tx'
import { EthereumJSErrorWithoutCode, TypeOutput, toType, type Withdrawal } from '@ethereumjs/util'
import {
  type BlockBuilder,
  type BuilderOpts,
  type RunTxResult,
  runTx,
  type VM,
} from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'

/** Stock's message for a transaction whose gas limit is more than what is left. */
export const BLOCK_IS_FULL = 'tx has a higher gas limit than the remaining gas in the block'

/** What stock's builder keeps and its types hide. */
interface BuilderInternals {
  readonly blockOpts: BuilderOpts
  readonly headerData: HeaderData
  readonly transactions: TypedTransaction[]
  readonly transactionResults: RunTxResult[]
  withdrawals: Withdrawal[] | undefined
  checkpointed: boolean
  gasUsed: bigint
  blobGasUsed: bigint
  _minerValue: bigint
  checkStatus(): void
}

/** Stock's options of one transaction. */
export interface TransactionOpts {
  /** Does not ask block, VM and transaction to have one hardfork. Default: it does. */
  skipHardForkValidation?: boolean
  /** Takes blob transactions without their blobs. Default: they are refused. */
  allowNoBlobs?: boolean
}

/** Why a transaction is not in the block. */
export interface Refusal {
  readonly error: unknown
  /** Its gas limit is more than what is left. */
  readonly isFull: boolean
}

export class OpenBlock {
  readonly #vm: VM
  readonly #open: BuilderInternals

  #withheld: TypedTransaction[] | undefined
  /** Why the state has not all that is in the block. */
  #broken: { readonly error: unknown } | undefined

  constructor(builder: BlockBuilder, vm: VM) {
    this.#vm = vm
    this.#open = builder as unknown as BuilderInternals
  }

  /** Those in the block so far. */
  get transactions(): readonly TypedTransaction[] {
    return this.#open.transactions
  }

  get results(): readonly RunTxResult[] {
    return this.#open.transactionResults
  }

  get gasLimit(): bigint {
    return toType(this.#open.headerData.gasLimit, TypeOutput.BigInt) as bigint
  }

  get gasLeft(): bigint {
    return this.gasLimit - this.#open.gasUsed
  }

  /** Blobs that the block has room for; 0 where blocks have none. */
  get blobsLeft(): number {
    const { common } = this.#vm
    if (!common.isActivatedEIP(4844)) return 0
    const { maxBlobGasPerBlock } = common.getBlobGasSchedule()
    return Number(
      (maxBlobGasPerBlock - this.#open.blobGasUsed) / this.#vm.common.param('blobGasPerBlob'),
    )
  }

  /** @throws stock's error where the block was built or reverted, ParallelError `BUILDER_BROKEN` */
  check(): void {
    this.#open.checkStatus()
    if (this.#broken === undefined) return
    throw new ParallelError(
      'BUILDER_BROKEN',
      'The state could not take what is in the block, so that no valid block can come of it: revert it',
      { cause: this.#broken.error },
    )
  }

  /** Runs `write`, after which the state is to have what is in the block; where it throws, it has not. */
  async writing(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      this.#broken ??= { error }
      throw error
    }
  }

  addWithdrawals(withdrawals: readonly Withdrawal[]): void {
    this.#open.withdrawals = [...(this.#open.withdrawals ?? []), ...withdrawals]
  }

  /** Opens the checkpoint that holds the block's changes until it is built or reverted. */
  async begin(): Promise<void> {
    if (this.#open.checkpointed) return
    await this.#vm.evm.journal.checkpoint()
    this.#open.checkpointed = true
  }

  /** Why `tx` cannot join the block, as far as that does not depend on the state. */
  refusal(tx: TypedTransaction, allowNoBlobs: boolean | undefined): Refusal | undefined {
    if (tx.gasLimit > this.gasLeft) {
      return { error: EthereumJSErrorWithoutCode(BLOCK_IS_FULL), isFull: true }
    }
    const error = tx instanceof Blob4844Tx ? this.#blobError(tx, allowNoBlobs) : undefined
    return error === undefined ? undefined : { error, isFull: false }
  }

  #blobError(tx: Blob4844Tx, allowNoBlobs: boolean | undefined): Error | undefined {
    const { common } = this.#vm
    const { maxBlobGasPerBlock } = common.getBlobGasSchedule()
    const hasCellProofs = common.isActivatedEIP(7594)
    if (tx.networkWrapperVersion === NetworkWrapperType.EIP4844 && hasCellProofs) {
      return new Error('eip4844 blob transaction for eip7594 activated fork')
    }
    if (tx.networkWrapperVersion === NetworkWrapperType.EIP7594 && !hasCellProofs) {
      return new Error('eip7594 blob transaction but eip not yet activated')
    }
    if (this.#open.blockOpts.common?.isActivatedEIP(4844) === false) {
      return new Error('eip4844 not activated yet for adding a blob transaction')
    }
    if (tx.blobs === undefined && allowNoBlobs !== true) {
      return EthereumJSErrorWithoutCode('blobs missing for 4844 transaction')
    }
    const blobGas = BigInt(tx.numBlobs()) * common.param('blobGasPerBlob')
    return this.#open.blobGasUsed + blobGas > maxBlobGasPerBlock
      ? EthereumJSErrorWithoutCode('block blob gas limit reached')
      : undefined
  }

  /**
   * The block as `tx` would see it, with `transactions`, by default those in it so far. Unlike stock's, it
   * holds the transactions that it is given and not copies of them.
   * @throws stock's error for a header that is not allowed
   */
  blockFor(tx?: TypedTransaction, transactions = this.#open.transactions): Block {
    const { headerData, blockOpts, gasUsed } = this.#open
    const blobGasUsed = tx instanceof Blob4844Tx ? this.#open.blobGasUsed : undefined
    const header = createBlockHeader({ ...headerData, gasUsed, blobGasUsed }, blockOpts)
    return new Block(header, transactions, [], undefined, blockOpts)
  }

  /** Runs `tx` on the VM's own state, and adds it. @throws what stock's `runTx` throws */
  async run(tx: TypedTransaction, opts: TransactionOpts): Promise<RunTxResult> {
    const { skipHardForkValidation } = opts
    const block = this.blockFor(tx)
    const result = await runTx(this.#vm, { tx, block, ...given({ skipHardForkValidation }) })
    this.include(tx, result)
    return result
  }

  /**
   * Lets stock make the block without its transactions, which {@link sealing} puts into it. Stock would copy
   * each one, and check it, to give it the block's Common: not worth it where it has that already.
   */
  withhold(): void {
    const { transactions } = this.#open
    const { common, blockchain } = this.#vm
    const isShared = common.copy() === common && Object.isExtensible(blockchain)
    const isSame = (tx: TypedTransaction) => tx.common === common && Object.isFrozen(tx)
    if (isShared && transactions.every(isSame)) this.#withheld = transactions.splice(0)
  }

  /** Runs `build`, after which the block has what was withheld, and the blockchain is given it so. */
  async sealing<T extends { readonly block: Block }>(build: () => Promise<T>): Promise<T> {
    const { blockchain } = this.#vm as { blockchain: { putBlock: (block: Block) => Promise<void> } }
    const own = Object.getOwnPropertyDescriptor(blockchain, 'putBlock')
    const { putBlock } = blockchain
    const complete = (block: Block): void => {
      if (block.transactions.length === 0) block.transactions.push(...(this.#withheld ?? []))
    }
    if (Object.isExtensible(blockchain)) {
      blockchain.putBlock = async (block) => {
        complete(block)
        await putBlock.call(blockchain, block)
      }
    }
    try {
      const built = await build()
      complete(built.block)
      return built
    } finally {
      if (own !== undefined) Object.defineProperty(blockchain, 'putBlock', own)
      else delete (blockchain as Partial<typeof blockchain>).putBlock
      this.#open.transactions.push(...(this.#withheld ?? []))
      this.#withheld = undefined
    }
  }

  /** Adds a result that a worker found for `tx`, as if it were the first of the block. */
  includeFound(tx: TypedTransaction, result: RunTxResult): void {
    result.receipt.cumulativeBlockGasUsed = this.#open.gasUsed + result.totalGasSpent
    this.include(tx, result)
  }

  include(tx: TypedTransaction, result: RunTxResult): void {
    const open = this.#open
    let included = tx
    if (tx instanceof Blob4844Tx) {
      const { common } = open.blockOpts
      open.blobGasUsed +=
        BigInt(tx.blobVersionedHashes.length) * this.#vm.common.param('blobGasPerBlob')
      included = createMinimal4844TxFromNetworkWrapper(tx, common === undefined ? {} : { common })
    }
    open.transactions.push(included)
    open.transactionResults.push(result)
    open.gasUsed += result.blockGasSpent
    open._minerValue += result.minerValue
  }
}

/** The option, where it is given: exact types tell an option that is absent from one that is undefined. */
export function given<K extends string, T>(
  option: Record<K, T | undefined>,
): Partial<Record<K, T>> {
  return Object.fromEntries(
    Object.entries(option).filter(([, value]) => value !== undefined),
  ) as Partial<Record<K, T>>
}
