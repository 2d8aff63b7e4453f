// Runs a chunk of a builder's transactions on the workers, and takes what they commit into the block.
// Authority on the parallel part of building: what a verdict of the workers means, and what is left where
// they end early. What does not fit is found by them, and here again; whose word it is, is open-block.ts's.

import type { TypedTransaction } from '@ethereumjs/tx'
import type { VM } from '@ethereumjs/vm'
import { internalError } from '../errors.ts'
import { decodeError, decodeResult } from '../execution/result-codec.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { setCommitNotice } from '../memory/commit-notice.ts'
import { CONTROL, OUTCOME, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'
import { writeTerms } from '../scheduling/admission-gate.ts'
import { rootStorage } from '../state/flush-merkle.ts'
import { canFlush } from '../state/merkle-manager.ts'
import { learnFrom } from './access-learning.ts'
import { CommittedWrites } from './committed-writes.ts'
import { stockError } from './invalid-transaction.ts'
import { given, type OpenBlock, type TransactionOpts } from './open-block.ts'
import { hasListeners } from './ordered-commit.ts'
import type { ParallelSettings } from './parallel-settings.ts'
import { blobsOf, type PoolChunk } from './pool-chunk.ts'
import type { PoolLedger } from './pool-ledger.ts'
import type { BlockReport } from './report.ts'
import { StateWriteWatch } from './state-write-watch.ts'
import { COMMIT_BATCH, type RunOwner, WorkerRun } from './worker-run.ts'
import { applyWrites, foldIntoBase, slotsOf } from './write-back.ts'

/** What a chunk is a part of. */
export interface ChunkSurroundings {
  readonly vm: VM
  readonly open: OpenBlock
  readonly ledger: PoolLedger
  /** The whole list given to `addTransactions`. */
  readonly transactions: readonly TypedTransaction[]
  readonly opts: TransactionOpts
  readonly settings: ParallelSettings
  readonly report: BlockReport
  /** When nothing more is to be taken up, by `performance.now()`; Infinity = never. */
  readonly deadline: number
}

export class ParallelChunk implements RunOwner {
  readonly #around: ChunkSurroundings
  readonly #chunk: PoolChunk
  readonly #run: WorkerRun
  readonly #watch: StateWriteWatch
  readonly #writes: CommittedWrites
  /** The next member to be committed here. */
  #position = 0
  /** Why the workers' word is not taken for the next one. */
  #doubt: string | undefined
  #isLate = false
  /** Somebody has begun to listen, and is to be told of each transaction as it is tried. */
  #isHeard = false

  /** @throws stock's error for a header that is not allowed */
  constructor(around: ChunkSurroundings, chunk: PoolChunk) {
    const { vm, open, opts, settings, report } = around
    this.#around = around
    this.#chunk = chunk
    this.#watch = new StateWriteWatch(vm.stateManager, settings.memory)
    this.#writes = new CommittedWrites(settings.memory)
    const { skipHardForkValidation } = opts
    const block = open.blockFor(undefined, [...chunk.transactions])
    this.#watch.start()
    try {
      this.#run = new WorkerRun(
        vm,
        { block, ...given({ skipHardForkValidation }) },
        undefined,
        this.#watch,
        settings,
        report,
        (account) => this.#writes.accounts.get(account)?.reset === true,
      )
    } catch (error) {
      this.#watch.stop()
      throw error
    }
  }

  /** Why the calling thread is to execute what is left of the chunk, where nothing went wrong. */
  get inline(): string | undefined {
    return this.#isHeard ? 'a listener for transactions was added meanwhile' : this.#run.inline
  }

  /** What went wrong, if something did: the executor's memory must not be used again then. */
  get failure(): unknown {
    const { failure } = this.#run.tasks
    return failure ?? (this.#doubt === undefined ? undefined : new Error(this.#doubt))
  }

  /** To be called when what the calling thread executes instead has been executed, too. */
  compareModes(): void {
    if (!this.#isHeard) this.#run.compareModes()
  }

  /** @throws ParallelError `EXECUTOR_CLOSED` */
  async run(): Promise<void> {
    const { vm, open, ledger, report, deadline } = this.#around
    const start = performance.now()
    let stopClock: (() => void) | undefined
    let writesBefore = 0
    try {
      // Stock's next transaction begins with this: accounts touched before may go.
      await vm.evm.journal.cleanup()
      writesBefore = this.#watch.writes
      this.#watch.onlyCounts = true
      stopClock = this.#startClock(deadline - start)
      await this.#run.run(this, () => this.#writeTerms())
    } finally {
      stopClock?.()
      this.#watch.stop()
      report.phases.execute = performance.now() - start
      await open.writing(() => this.#write())
    }
    if (this.#isThrough) this.#refuseUntil(this.#chunk.end)
    else if (this.#isLate) ledger.stop()
    const isWhole = this.#isThrough && this.#watch.writes === writesBefore
    if (isWhole) this.#keep()
    else this.#around.settings.memory.forget()
  }

  nextNotice(): number {
    return this.#position + Math.max(COMMIT_BATCH, this.#chunk.members.length >> 5)
  }

  async commitFinished(): Promise<void> {
    const { control } = this.#around.settings.memory
    for (;;) {
      while (this.#position < nativeAtomics.load(control, CONTROL.COMMITTED)) {
        if (this.#isOver) return
        this.#commitNext()
        await this.#run.serve()
      }
      if (!setCommitNotice(nativeAtomics, control, this.nextNotice())) return
    }
  }

  get #isThrough(): boolean {
    return this.#position === this.#chunk.members.length
  }

  get #isOver(): boolean {
    return this.#around.ledger.isStopped || this.#isHeard || this.#doubt !== undefined
  }

  #commitNext(): void {
    const { ledger, vm } = this.#around
    const index = this.#chunk.members[this.#position]
    if (hasListeners(vm)) {
      this.#isHeard = true
    } else {
      this.#refuseUntil(index)
      if (!ledger.isStopped) this.#commit(index)
    }
    if (this.#isOver) this.#run.tasks.halt()
  }

  #commit(index: number): void {
    const { vm, open, ledger, transactions, settings, report } = this.#around
    const tx = transactions[index]
    const { control, block } = settings.memory
    const word = (field: number): number => control[transactionIndex(this.#position, field)]
    const outcome = word(TRANSACTION.OUTCOME)
    const refusal = open.refusal(tx, true)
    if ((outcome === OUTCOME.REFUSED) !== (refusal !== undefined)) {
      throw internalError('workers and main thread disagree on what fits into the block')
    }
    if (refusal !== undefined) {
      ledger.refuse(index, refusal)
    } else if (outcome === OUTCOME.ERROR) {
      const said = decodeError(readSizedBytes(block, word(TRANSACTION.RESULT)))
      const error = stockError(said, vm, tx, () => open.blockFor(tx))
      if (error === undefined) {
        // Not the transaction's fault, as far as one can see from here: the calling thread finds out.
        this.#doubt = `a worker met an error: ${said}`
        return
      }
      ledger.refuse(index, { error, isFull: false })
    } else {
      const result = decodeResult(readSizedBytes(block, word(TRANSACTION.RESULT)))
      this.#writes.add(word(TRANSACTION.WRITE_SET))
      report.levels = Math.max(report.levels, word(TRANSACTION.LEVEL))
      open.includeFound(tx, result)
      ledger.include(index, result)
    }
    this.#position++
  }

  /** Refuses those before `index` that did not go along, since they do not fit. */
  #refuseUntil(index: number): void {
    const { open, ledger, transactions, opts } = this.#around
    while (ledger.next < index && !ledger.isStopped) {
      const refusal = open.refusal(transactions[ledger.next], opts.allowNoBlobs)
      if (refusal === undefined) throw internalError('a transaction was left out that fits')
      ledger.refuse(ledger.next, refusal)
    }
  }

  #writeTerms(): void {
    const { open, ledger, settings } = this.#around
    const { control, block, blockAllocator } = settings.memory
    const { transactions } = this.#chunk
    writeTerms(control, block, blockAllocator, {
      gasLeft: open.gasLeft,
      blobsLeft: open.blobsLeft,
      stopsAtInvalid: ledger.rules.onInvalid === 'throw',
      stopsWhenFull: ledger.rules.onFull === 'stop',
      gasLimits: transactions.map(({ gasLimit }) => gasLimit),
      blobs: transactions.map(blobsOf),
    })
  }

  /** Ends the workers' part at the deadline. Returns how to stop the clock. */
  #startClock(ms: number): () => void {
    if (!Number.isFinite(ms)) return () => {}
    const timer = setTimeout(() => {
      this.#isLate = true
      this.#run.tasks.halt()
    }, ms)
    return () => clearTimeout(timer)
  }

  /** Puts what was committed into the state, which then is as stock's builder leaves it. */
  async #write(): Promise<void> {
    const { vm, settings, report } = this.#around
    const { evm, common, stateManager } = vm
    const start = performance.now()
    await applyWrites(settings.memory, this.#writes, this.#writes, stateManager, false)
    // Whoever looks now finds storage roots as after stock's writes; no flush, which stock cannot revert.
    if (canFlush(stateManager)) {
      await rootStorage(stateManager, slotsOf(settings.memory, this.#writes))
    }
    if (common.isActivatedEIP(2929)) evm.journal.cleanJournal()
    stateManager.originalStorageCache.clear()
    report.phases.write = performance.now() - start
  }

  /** Learns from the chunk, and makes what it wrote the base of the next. */
  #keep(): void {
    const { settings, report } = this.#around
    const { foresight, memory } = settings
    if (foresight !== undefined && this.#run.planner.source === 'predictions') {
      const start = performance.now()
      try {
        const { execute } = report.phases
        report.access = learnFrom(memory, this.#run.planner, foresight, execute)
      } catch (error) {
        // The block is right whatever was learned from it.
        if (!settings.fallback) throw error
        report.incidents.push(`Nothing was learned: ${String(error)}`)
      }
      report.phases.learn = performance.now() - start
    }
    foldIntoBase(memory, this.#writes)
  }
}
