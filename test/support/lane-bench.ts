// A block whose transactions are run one by one on lanes that the test chooses, all on one thread.
// Authority on the wiring of transaction runners without workers; the test plays the scheduler.
// It must not decide what is right: it hands out results, and the test compares them.
import type { Block } from '@ethereumjs/block'
import type { StateManagerInterface } from '@ethereumjs/common'
import type { RunTxResult } from '@ethereumjs/vm'
import { BlockMemory } from '../../src/block/block-memory.ts'
import { CodeCache } from '../../src/execution/code-cache.ts'
import type { RunnerWaits } from '../../src/execution/lane-waits.ts'
import { PreimageLog } from '../../src/execution/preimage-log.ts'
import { decodeResult } from '../../src/execution/result-codec.ts'
import { type BlockContext, TransactionRunner } from '../../src/execution/transaction-runner.ts'
import { TransferTrust } from '../../src/execution/transfer-trust.ts'
import { type Incarnation, NOTHING, type TxIndex } from '../../src/ids.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import { OUTCOME, TRANSACTION, transactionIndex } from '../../src/memory/layout.ts'
import { readBytes, wordsForBytes } from '../../src/memory/word-codec.ts'
import { judgeVersions } from '../../src/scheduling/judge-versions.ts'
import { servedWaits } from './served-waits.ts'

export interface BenchOptions {
  readonly block: Block
  /** The state before the block. */
  readonly base: StateManagerInterface
  /** Default: memory of its own. */
  readonly memory?: BlockMemory
  readonly evmOptions?: BlockContext['evmOptions']
}

export class LaneBench {
  readonly memory: BlockMemory
  readonly #context: BlockContext
  readonly #waits: RunnerWaits
  readonly #incarnations: number[] = []
  /** What a lane does that must wait for a lower transaction. */
  whileWaiting: (lower: number) => Promise<unknown> = () => Promise.reject(new Error('must wait'))
  /** What the lanes have seen of stock's transfers. */
  readonly transferTrust = new TransferTrust()
  /** How often a lane had to. */
  waits = 0
  /** The transaction to which higher ones are to give way. */
  waitingHead: TxIndex | typeof NOTHING = NOTHING

  constructor({ block, base, memory, evmOptions = {} }: BenchOptions) {
    this.memory = memory ?? ownMemory(block.transactions.length)
    this.#waits = {
      ...servedWaits(this.memory, base),
      transaction: async (lower) => {
        this.waits++
        await this.whileWaiting(lower)
      },
      waitingHead: () => this.waitingHead,
      committed: async (lower) => {
        this.waits++
        await this.whileWaiting(lower)
      },
    }
    this.#context = {
      control: this.memory.control,
      store: this.memory.store,
      table: this.memory.table,
      allocator: this.memory.blockAllocator,
      codes: new CodeCache(),
      preimages: new PreimageLog(),
      atomics: nativeAtomics,
      common: block.common,
      block,
      evmOptions,
      hasBls: false,
      rules: { skipBalance: undefined, skipNonce: undefined, skipHardForkValidation: undefined },
      transferTrust: this.transferTrust,
    }
  }

  newLane(): TransactionRunner {
    return new TransactionRunner(this.#context, this.#waits)
  }

  /** Runs the next incarnation of a transaction, which must be valid. */
  async run(lane: TransactionRunner, transaction: number): Promise<RunTxResult> {
    const incarnation = this.#incarnations[transaction] ?? 0
    const tx = this.#context.block.transactions[transaction]!
    await lane.run(transaction as TxIndex, incarnation as Incarnation, tx)
    this.#incarnations[transaction] = incarnation + 1
    const { control, block } = this.memory
    if (control[transactionIndex(transaction, TRANSACTION.OUTCOME)] !== OUTCOME.RESULT) {
      throw new Error(`transaction ${transaction} is invalid`)
    }
    const at = control[transactionIndex(transaction, TRANSACTION.RESULT)]!
    const length = block.reach(at)[at]!
    block.reach(at + 1 + wordsForBytes(length))
    return decodeResult(readBytes(block.bytes, at + 1, length))
  }

  /** Aborts the last incarnation: what it wrote is estimates from now on. */
  abort(transaction: number): void {
    const { control, store } = this.memory
    judgeVersions(control, store, nativeAtomics).markEstimates(transaction as TxIndex)
  }
}

function ownMemory(transactions: number): BlockMemory {
  const memory = new BlockMemory(8, 8)
  memory.beginBlock(transactions)
  return memory
}
