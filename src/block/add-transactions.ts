// One `addTransactions` of a builder, from the first transaction to the last that is tried.
// Authority on who executes which: the workers in chunks, the calling thread where they cannot, or where
// something went wrong. The result is in every case that of adding one after the other.

import type { TypedTransaction } from '@ethereumjs/tx'
import { ParallelError } from '../errors.ts'
import { MOST_BLOCK_GAS } from '../scheduling/admission-gate.ts'
import { CallingThreadRun } from './calling-thread-run.ts'
import { transactionCheck, whySequential } from './eligibility.ts'
import { given } from './open-block.ts'
import { hasListeners } from './ordered-commit.ts'
import { ParallelChunk } from './parallel-chunk.ts'
import { setupOf } from './parallel-settings.ts'
import { directRunEnd, nextChunk, type PoolChunk, type PoolSource } from './pool-chunk.ts'
import type { PoolLedger } from './pool-ledger.ts'
import type { PoolRunOptions, WorkersLease } from './pool-run-options.ts'
import { cryptoHere } from './recover-ahead.ts'
import { addReport, type BlockReport, emptyReport } from './report.ts'
import { TransferRun } from './transfer-run.ts'

/** Below this many transactions, starting the workers costs more than they save. */
const FEWEST_TRANSACTIONS = 4
const LISTENERS = 'listeners are told of each transaction as it is tried'
const FEW = `fewer than ${FEWEST_TRANSACTIONS} transactions do not pay for threads`
/** After so many incidents the calling thread goes on alone. */
const MOST_INCIDENTS = 3

export class PoolRun {
  readonly report: BlockReport
  readonly #options: PoolRunOptions
  readonly #lease: WorkersLease
  readonly #ledger: PoolLedger
  readonly #source: PoolSource
  readonly #here: CallingThreadRun

  constructor(options: PoolRunOptions, lease: WorkersLease) {
    this.#options = options
    this.#lease = lease
    this.#ledger = options.ledger
    this.report = emptyReport('sequential', '', 0, 'javascript')
    const transfers = new TransferRun(options.vm, lease.scheduler === 'auto')
    this.#source = sourceOf(options, lease, transfers)
    this.#here = new CallingThreadRun(options, lease, this.#source, transfers, this.report)
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
      return this.#here.sequentially(transactions.length)
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
    while (this.#ledger.next < transactions.length && !this.#here.isOver) {
      const isHopeless = incidents === MOST_INCIDENTS
      const whyStock = isHopeless ? 'something went wrong too often' : this.#whyStock()
      const directEnd = whyStock === undefined ? directRunEnd(this.#source) : this.#ledger.next
      if (directEnd > this.#ledger.next) {
        await this.#here.directly(directEnd)
        continue
      }
      const chunk = nextChunk(this.#source)
      const why = whyStock ?? this.#whySequentially(chunk)
      if (why !== undefined) {
        if (this.report.mode === 'sequential') this.report.why ||= why
        const end = isHopeless ? transactions.length : chunk.end
        await this.#betweenChunks(Math.max(end, this.#ledger.next + 1))
      } else if (!(await this.#inParallel(chunk))) {
        incidents++
        // What ended the workers' part is perhaps this one's doing, and must not end it again.
        if (!this.#here.isOver) await this.#betweenChunks(this.#ledger.next + 1)
      }
    }
  }

  #betweenChunks(end: number): Promise<void> {
    // What workers have read of the state before will be no longer so.
    this.#lease.settings().memory.forget()
    return this.#here.sequentially(end)
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
      if (chunk.failure === undefined && chunk.inline !== undefined && !this.#here.isOver) {
        Object.assign(report, { mode: 'inline', why: chunk.inline, workers: 0 })
        await this.#betweenChunks(members.end)
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
    if (next >= end || this.#here.isOver) return
    this.report.fallbackFrom ??= next
    if (fallback) return
    throw new ParallelError(
      'FALLBACK_DISABLED',
      `Parallel execution stopped at transaction ${next} and fallback is off: ${message}`,
      { cause: failure },
    )
  }

  /** Why no chunk can go to the workers, and how that is called. */
  #whyNot(): Pick<BlockReport, 'mode' | 'why'> | undefined {
    const { vm, open, transactions } = this.#options
    const { whySequential: asked } = this.#lease.settings()
    const { scheduler } = this.#lease
    const sequential = (why: string) => ({ mode: 'sequential', why }) as const
    if (scheduler === 'sequential') return sequential('asked for by the scheduler option')
    if (asked !== undefined) return sequential(asked)
    if (this.#here.isAsStock) {
      return sequential('EIP-7928 or EIP-8037 is active, or a transaction in the block is odd')
    }
    if (hasListeners(vm)) return sequential(LISTENERS)
    if (open.gasLimit > MOST_BLOCK_GAS) return sequential('the gas limit is above 2^53')
    const inline = (why: string) => ({ mode: 'inline', why }) as const
    if (transactions.length === 0) return inline('there are no transactions')
    const isSmall = scheduler === 'auto' && transactions.length < FEWEST_TRANSACTIONS
    return isSmall ? inline(FEW) : undefined
  }

  /** Why stock has to run whatever comes next. */
  #whyStock(): string | undefined {
    if (this.#here.isAsStock) return 'a transaction in the block is odd'
    if (hasListeners(this.#options.vm)) return LISTENERS
    const { vm, open, skipHardForkValidation } = this.#options
    try {
      // Without transactions: each is looked at by itself.
      const block = open.blockFor(undefined, [])
      const options = { block, setHardfork: false, ...given({ skipHardForkValidation }) }
      return whySequential(vm, options, setupOf(this.#lease.settings()))
    } catch {
      return 'stock refuses the header'
    }
  }

  /** Why the next chunk must be tried on the calling thread. */
  #whySequentially({ members, end }: PoolChunk): string | undefined {
    if (members.length === 0) {
      const fits = end === this.#ledger.next
      return fits ? 'workers cannot run the transactions' : 'no transaction fits'
    }
    const isSmall = this.#lease.scheduler === 'auto' && members.length < FEWEST_TRANSACTIONS
    return isSmall ? FEW : undefined
  }
}

function sourceOf(
  options: PoolRunOptions,
  lease: WorkersLease,
  transfers: TransferRun,
): PoolSource {
  const { vm, open, ledger, transactions, skipHardForkValidation } = options
  const setup = setupOf(lease.settings())
  const whyNot = transactionCheck(vm.common.hardfork(), skipHardForkValidation, setup)
  const isCandidate = (tx: TypedTransaction): boolean => transfers.isCandidate(tx)
  return { vm, open, ledger, transactions, opts: options, whyNot, isCandidate }
}
