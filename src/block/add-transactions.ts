// One `addTransactions` of a builder, from the first transaction to the last that is tried.
// Authority on who executes which: the workers in chunks, the calling thread where they cannot, or where
// something went wrong. The result is in every case that of adding one after the other.

import type { TypedTransaction } from '@ethereumjs/tx'
import type { RunTxResult, VM } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import type { SchedulerName } from '../options.ts'
import { MOST_BLOCK_GAS } from '../scheduling/admission-gate.ts'
import { transactionCheck, whySequential } from './eligibility.ts'
import { isAbout } from './invalid-transaction.ts'
import { BLOCK_IS_FULL, given, type OpenBlock, type TransactionOpts } from './open-block.ts'
import { hasListeners } from './ordered-commit.ts'
import { ParallelChunk } from './parallel-chunk.ts'
import { type ParallelSettings, setupOf } from './parallel-settings.ts'
import { isPlain, nextChunk, type PoolChunk, type PoolSource } from './pool-chunk.ts'
import type { PoolLedger } from './pool-ledger.ts'
import { cryptoHere, recoverAhead } from './recover-ahead.ts'
import { addReport, type BlockReport, emptyReport } from './report.ts'

/** Below this many transactions, starting the workers costs more than they save. */
const FEWEST_TRANSACTIONS = 4
const LISTENERS = 'listeners are told of each transaction as it is tried'
const FEW = `fewer than ${FEWEST_TRANSACTIONS} transactions do not pay for threads`
/** After so many incidents the calling thread goes on alone. */
const MOST_INCIDENTS = 3
/** Senders recovered ahead at once where the calling thread executes. */
const RECOVERY_BATCH = 256

/** The executor's workers, for the time of one call. */
export interface WorkersLease {
  readonly scheduler: SchedulerName
  /** With the memory as it is now. */
  settings(): ParallelSettings
  /** The memory is not used again. */
  renewMemory(): void
}

export interface PoolRunOptions extends TransactionOpts {
  readonly vm: VM
  readonly open: OpenBlock
  readonly ledger: PoolLedger
  readonly transactions: readonly TypedTransaction[]
  /** By `performance.now()`; Infinity = none. */
  readonly deadline: number
  /** Stock's own `addTransaction`. */
  readonly addAsStock: (tx: TypedTransaction) => Promise<RunTxResult>
}

export class PoolRun {
  readonly report: BlockReport
  readonly #options: PoolRunOptions
  readonly #lease: WorkersLease
  readonly #ledger: PoolLedger
  readonly #source: PoolSource
  #recoveredUntil = 0
  /** Stock's builder itself is asked for each transaction. */
  #isAsStock: boolean

  constructor(options: PoolRunOptions, lease: WorkersLease) {
    this.#options = options
    this.#lease = lease
    this.#ledger = options.ledger
    this.report = emptyReport('sequential', '', 0, 'javascript')
    this.#source = sourceOf(options, lease)
    this.#isAsStock = isAsStock(options, this.#source)
  }

  /**
   * Tries the transactions in order, until all are decided, the ledger says stop, or it is late.
   * @throws what is no transaction's fault: the state's errors, EXECUTOR_CLOSED, FALLBACK_DISABLED
   */
  async run(): Promise<void> {
    const start = performance.now()
    const { transactions } = this.#options
    try {
      this.report.crypto = await cryptoHere(transactions)
      await this.#all()
    } finally {
      this.report.transactions = this.#ledger.included.length + this.#ledger.skipped.length
      this.report.phases.total = performance.now() - start
    }
  }

  async #all(): Promise<void> {
    const { transactions, open } = this.#options
    const whyNot = this.#whyNot()
    if (transactions.length > 0) await open.begin()
    if (whyNot !== undefined) {
      Object.assign(this.report, whyNot)
      return this.#sequentially(transactions.length)
    }
    this.#lease.settings().memory.forget()
    try {
      await this.#inChunks()
    } finally {
      // The state goes on from here with writes of the caller's, or is reverted.
      this.#lease.settings().memory.forget()
    }
  }

  async #inChunks(): Promise<void> {
    const { transactions } = this.#options
    let incidents = 0
    while (this.#ledger.next < transactions.length && !this.#isOver) {
      const chunk = nextChunk(this.#source)
      const isHopeless = incidents === MOST_INCIDENTS
      const why = isHopeless ? 'something went wrong too often' : this.#whySequentially(chunk)
      if (why !== undefined) {
        if (this.report.mode === 'sequential') this.report.why ||= why
        const end = isHopeless ? transactions.length : chunk.end
        await this.#sequentially(Math.max(end, this.#ledger.next + 1))
      } else if (!(await this.#inParallel(chunk))) {
        incidents++
        // What ended the workers' part is perhaps this one's doing, and must not end it again.
        if (!this.#isOver) await this.#sequentially(this.#ledger.next + 1)
      }
    }
  }

  /** Returns whether all went well. */
  async #inParallel(members: PoolChunk): Promise<boolean> {
    const { deadline, vm, open, transactions } = this.#options
    const settings = this.#lease.settings()
    const { crypto } = this.report
    const why = `${transactions.length} transactions`
    const report = emptyReport('parallel', why, members.members.length, crypto)
    const opts = this.#options
    const ledger = this.#ledger
    const around = { vm, open, ledger, transactions, opts, settings, report, deadline }
    const chunk = new ParallelChunk(around, members)
    try {
      await chunk.run()
      if (chunk.failure === undefined && chunk.inline !== undefined && !this.#isOver) {
        Object.assign(report, { mode: 'inline', why: chunk.inline, workers: 0 })
        await this.#sequentially(members.end)
      }
    } finally {
      addReport(this.report, report)
    }
    if (chunk.failure === undefined) {
      if (!this.#ledger.isStopped) chunk.compareModes()
      return true
    }
    this.#failed(chunk.failure, members.end, settings.fallback)
    return false
  }

  #failed(failure: unknown, end: number, fallback: boolean): void {
    const message = failure instanceof Error ? failure.message : String(failure)
    const { next } = this.#ledger
    this.report.incidents.push(message)
    this.#lease.renewMemory()
    if (next >= end || this.#isOver) return
    this.report.fallbackFrom ??= next
    if (fallback) return
    throw new ParallelError(
      'FALLBACK_DISABLED',
      `Parallel execution stopped at transaction ${next} and fallback is off: ${message}`,
      { cause: failure },
    )
  }

  /** Tries those before `end` on the calling thread. */
  async #sequentially(end: number): Promise<void> {
    const start = performance.now()
    const { transactions } = this.#options
    const until = Math.min(end, transactions.length)
    while (this.#ledger.next < until && !this.#isOver) {
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
      try {
        this.#ledger.include(index, await this.#options.open.run(tx, this.#options))
      } catch (error) {
        if (!(error instanceof Error) || !isAbout(error.message, tx)) throw error
        this.#ledger.refuse(index, { error, isFull: false })
      }
    }
    this.report.phases.execute += performance.now() - start
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

  /** Whether nothing more is to be taken up. */
  get #isOver(): boolean {
    if (this.#lease.settings().signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor was closed while it built the block')
    }
    if (this.#ledger.isStopped) return true
    return performance.now() >= this.#options.deadline
  }

  /** Why no chunk can go to the workers, and how that is called. */
  #whyNot(): Pick<BlockReport, 'mode' | 'why'> | undefined {
    const { vm, open, transactions } = this.#options
    const { whySequential: asked } = this.#lease.settings()
    const { scheduler } = this.#lease
    const sequential = (why: string) => ({ mode: 'sequential', why }) as const
    if (scheduler === 'sequential') return sequential('asked for by the scheduler option')
    if (asked !== undefined) return sequential(asked)
    if (this.#isAsStock) {
      return sequential('EIP-7928 or EIP-8037 is active, or a transaction in the block is odd')
    }
    if (hasListeners(vm)) return sequential(LISTENERS)
    if (open.gasLimit > MOST_BLOCK_GAS) return sequential('the gas limit is above 2^53')
    const inline = (why: string) => ({ mode: 'inline', why }) as const
    if (transactions.length === 0) return inline('there are no transactions')
    const isSmall = scheduler === 'auto' && transactions.length < FEWEST_TRANSACTIONS
    return isSmall ? inline(FEW) : undefined
  }

  /** Why the next chunk must be tried on the calling thread. */
  #whySequentially({ members, end }: PoolChunk): string | undefined {
    if (this.#isAsStock) return 'a transaction in the block is odd'
    if (hasListeners(this.#options.vm)) return LISTENERS
    if (members.length === 0) {
      const fits = end === this.#ledger.next
      return fits ? 'workers cannot run the transactions' : 'no transaction fits'
    }
    if (this.#lease.scheduler === 'auto' && members.length < FEWEST_TRANSACTIONS) return FEW
    const { vm, open, skipHardForkValidation } = this.#options
    try {
      // Without transactions: the chunk has only such as suit the workers.
      const block = open.blockFor(undefined, [])
      const options = { block, setHardfork: false, ...given({ skipHardForkValidation }) }
      return whySequential(vm, options, setupOf(this.#lease.settings()))
    } catch {
      return 'stock refuses the header'
    }
  }
}

function sourceOf(options: PoolRunOptions, lease: WorkersLease): PoolSource {
  const { vm, open, ledger, transactions, skipHardForkValidation } = options
  const setup = setupOf(lease.settings())
  const whyNot = transactionCheck(vm.common.hardfork(), skipHardForkValidation, setup)
  return { vm, open, ledger, transactions, opts: options, whyNot }
}

/** Whether the block can only be built by stock's builder itself. */
function isAsStock({ vm: { common }, open }: PoolRunOptions, source: PoolSource): boolean {
  const isNew = common.isActivatedEIP(7928) || common.isActivatedEIP(8037)
  // Stock makes copies of what is in the block, and refuses to with some.
  return isNew || !open.transactions.every((tx) => isPlain(tx, source))
}
