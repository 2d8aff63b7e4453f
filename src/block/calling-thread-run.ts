// The calling thread's part of an `addTransactions`: what workers cannot run, and what they would only delay.
// Authority on how a transaction is tried here, by which of stock's functions or by none. It decides
// nothing about who executes which.

import type { TypedTransaction } from '@ethereumjs/tx'
import type { RunTxResult } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import { isAbout } from './invalid-transaction.ts'
import { BLOCK_IS_FULL } from './open-block.ts'
import { hasListeners } from './ordered-commit.ts'
import { isPlain, type PoolSource } from './pool-chunk.ts'
import type { PoolLedger } from './pool-ledger.ts'
import type { PoolRunOptions, WorkersLease } from './pool-run-options.ts'
import { recoverAhead } from './recover-ahead.ts'
import type { BlockReport } from './report.ts'
import type { TransferRun } from './transfer-run.ts'

/** Senders recovered ahead at once where the calling thread executes. */
const RECOVERY_BATCH = 256
/** Transfers after which others of this thread have their turn: some 2 ms. */
const TURN = 128
const DIRECT = {
  mode: 'inline',
  why: 'plain transfers take the calling thread less than handing them on',
} as const

export class CallingThreadRun {
  readonly #options: PoolRunOptions
  readonly #lease: WorkersLease
  readonly #ledger: PoolLedger
  readonly #source: PoolSource
  readonly #transfers: TransferRun
  readonly #report: BlockReport
  #recoveredUntil = 0
  #isAsStock: boolean

  constructor(
    options: PoolRunOptions,
    lease: WorkersLease,
    source: PoolSource,
    transfers: TransferRun,
    report: BlockReport,
  ) {
    this.#options = options
    this.#lease = lease
    this.#ledger = options.ledger
    this.#source = source
    this.#transfers = transfers
    this.#report = report
    this.#isAsStock = mustBeStock(options, source)
  }

  /** Stock's builder itself is asked for each transaction. */
  get isAsStock(): boolean {
    return this.#isAsStock
  }

  /** Whether nothing more is to be taken up. */
  get isOver(): boolean {
    if (this.#lease.settings().signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor was closed while it built the block')
    }
    if (this.#ledger.isStopped) return true
    return performance.now() >= this.#options.deadline
  }

  /**
   * Does plain transfers before `end`, which all are candidates that workers could run, until it turns out
   * that too many are none.
   */
  async directly(end: number): Promise<void> {
    const start = performance.now()
    const { vm, open, transactions, allowNoBlobs } = this.#options
    const transfers = this.#transfers
    let hasBegun = false
    try {
      while (this.#ledger.next < end) {
        const index = this.#ledger.next
        if (index % TURN === 0) await new Promise((resolve) => setImmediate(resolve))
        await this.#recover(index, end)
        if (this.isOver || hasListeners(vm)) break
        const tx = transactions[index]
        if (!transfers.isCandidate(tx)) break
        const refusal = open.refusal(tx, allowNoBlobs)
        if (refusal !== undefined) {
          this.#ledger.refuse(index, refusal)
          continue
        }
        if (!hasBegun) await transfers.begin(open.blockFor(undefined, []).header)
        hasBegun = true
        const result = await transfers.run(tx)
        if (result === undefined) {
          await transfers.learnFrom(tx, () => this.#withStock(index, tx))
        } else {
          open.includeFound(tx, result)
          this.#ledger.include(index, result)
          if (this.#report.mode === 'sequential') Object.assign(this.#report, DIRECT)
          this.#report.direct = (this.#report.direct ?? 0) + 1
        }
      }
    } finally {
      if (hasBegun) await open.writing(() => transfers.flush())
      this.#lease.settings().memory.forget()
      this.#report.phases.execute += performance.now() - start
    }
  }

  /** Tries those before `end` on the calling thread. */
  async sequentially(end: number): Promise<void> {
    const start = performance.now()
    const { transactions } = this.#options
    const until = Math.min(end, transactions.length)
    while (this.#ledger.next < until && !this.isOver) {
      const index = this.#ledger.next
      const tx = transactions[index]
      if (this.#isAsStock || !isPlain(tx, this.#source)) {
        await this.#recover(index, until)
        await this.#asStock(index, tx)
        continue
      }
      const refusal = this.#options.open.refusal(tx, this.#options.allowNoBlobs)
      if (refusal !== undefined) {
        this.#ledger.refuse(index, refusal)
        continue
      }
      await this.#recover(index, until)
      await this.#withStock(index, tx)
    }
    this.#report.phases.execute += performance.now() - start
  }

  /** Runs `tx` with stock's `runTx`; returns `undefined` where that refuses it. */
  async #withStock(index: number, tx: TypedTransaction): Promise<RunTxResult | undefined> {
    try {
      const result = await this.#options.open.run(tx, this.#options)
      this.#ledger.include(index, result)
      return result
    } catch (error) {
      if (!(error instanceof Error) || !isAbout(error.message, tx)) throw error
      this.#ledger.refuse(index, { error, isFull: false })
      return undefined
    }
  }

  /** By stock's own method, whose errors do not tell whether they are the transaction's. */
  async #asStock(index: number, tx: TypedTransaction): Promise<void> {
    const { open, addAsStock } = this.#options
    try {
      this.#ledger.include(index, await addAsStock(tx))
    } catch (error) {
      const isFull = error instanceof Error && error.message === BLOCK_IS_FULL
      this.#ledger.refuse(index, { error, isFull })
      return
    }
    this.#isAsStock ||= !isPlain(open.transactions[open.transactions.length - 1], this.#source)
  }

  /** Finds senders ahead of stock's code, some at a time: nobody knows how many will be tried. */
  async #recover(index: number, end: number): Promise<void> {
    if (index < this.#recoveredUntil) return
    this.#recoveredUntil = Math.min(end, index + RECOVERY_BATCH)
    const settings = this.#lease.settings()
    const pool = settings.whySequential === undefined ? settings.pool : undefined
    const { transactions } = this.#options
    await recoverAhead(transactions.slice(index, this.#recoveredUntil), pool)
  }
}

/** Whether the block can only be built by stock's builder itself. */
function mustBeStock({ vm: { common }, open }: PoolRunOptions, source: PoolSource): boolean {
  const isNew = common.isActivatedEIP(7928) || common.isActivatedEIP(8037)
  // Stock makes copies of what is in the block, and refuses to with some.
  return isNew || !open.transactions.every((tx) => isPlain(tx, source))
}
