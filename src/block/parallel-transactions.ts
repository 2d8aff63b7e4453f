// Runs a block's transactions on the workers and commits them in order on the calling thread.
// Authority on the course of a block's parallel part: start, serving, rolling commit, end, and what
// happens when it goes wrong midway. The driver (run-block.ts) does the rest of the block.

import type { BlockLevelAccessList } from '@ethereumjs/util'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import { decodeError, decodeResult } from '../execution/result-codec.ts'
import type { RecordId } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { setCommitNotice } from '../memory/commit-notice.ts'
import { CONTROL, HALT, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'
import type { FlatData } from '../state/flat-data.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { learnFrom } from './access-learning.ts'
import { listCommitted } from './committed-access-list.ts'
import { CommittedWrites } from './committed-writes.ts'
import { whyEvm } from './eligibility.ts'
import { isJournalUsed, runAnnounced } from './emitted-event.ts'
import { hasListeners, OrderedCommit, type TransactionListener } from './ordered-commit.ts'
import { type ParallelSettings, setupOf } from './parallel-settings.ts'
import type { BlockReport } from './report.ts'
import type { StateWriteWatch } from './state-write-watch.ts'
import { COMMIT_BATCH, WorkerRun } from './worker-run.ts'
import { applyWrites } from './write-back.ts'

/** Stock's manager writes to itself when it is asked for its root: what is in its caches. */
const WROTE = 'wrote to the state, or had its caches flushed'

export class ParallelTransactions {
  readonly #vm: VM
  readonly #settings: ParallelSettings
  readonly #report: BlockReport
  readonly #commit: OrderedCommit
  readonly #run: WorkerRun
  readonly #watch: StateWriteWatch
  readonly #onTransaction: TransactionListener | undefined
  /** Everything committed, for the base of the next block. */
  readonly writes: CommittedWrites
  /** Committed and not yet in the state manager. */
  readonly #pending: CommittedWrites
  /** Listeners, who can come midway, may look at the state: it is then the one that stock shows them. */
  #eager = false
  /** The flat state that is written while workers run, which must not read it then. */
  #flat: FlatData | undefined
  readonly #count: number
  #writesBefore = 0
  /** The listeners of the next transaction have run, and must not run again. */
  #isAnnounced = false

  constructor(
    vm: VM,
    options: RunBlockOpts,
    list: BlockLevelAccessList | undefined,
    onTransaction: TransactionListener | undefined,
    watch: StateWriteWatch,
    settings: ParallelSettings,
    report: BlockReport,
  ) {
    this.#vm = vm
    this.#settings = settings
    this.#report = report
    this.#watch = watch
    this.#onTransaction = onTransaction
    this.#count = options.block.transactions.length
    this.#commit = new OrderedCommit(vm, options, onTransaction)
    const isReset = (account: RecordId): boolean =>
      this.writes.accounts.get(account)?.reset === true
    this.#run = new WorkerRun(vm, options, list, watch, settings, report, isReset)
    this.writes = new CommittedWrites(settings.memory)
    this.#pending = new CommittedWrites(settings.memory)
  }

  /**
   * Runs all transactions; their changes are then in the state manager.
   * @throws what stock throws for an invalid transaction, EXECUTOR_CLOSED, FALLBACK_DISABLED
   */
  async run(): Promise<OrderedCommit> {
    this.#writesBefore = this.#watch.writes
    this.#watch.onlyCounts = true
    try {
      return await this.#runAll()
    } finally {
      this.#watch.onlyCounts = false
      this.#flat?.show()
    }
  }

  async #runAll(): Promise<OrderedCommit> {
    const executeStart = performance.now()
    await this.#run.run({
      commitFinished: () => this.#commitFinished(),
      nextNotice: () => this.#nextNotice(),
    })
    this.#report.phases.execute = performance.now() - executeStart

    if (this.#commit.length < this.#count) {
      await this.#finishSequentially()
      this.#report.phases.execute = performance.now() - executeStart
    }
    const writeStart = performance.now()
    await this.#flush()
    const { fallbackFrom, incidents } = this.#report
    if (fallbackFrom !== undefined) {
      this.#report.why += `, from number ${fallbackFrom} on sequentially: ${incidents.at(-1)}`
    }
    if (this.isWhole && this.#run.tasks.failure !== undefined) {
      this.#report.incidents.push(messageOf(this.#run.tasks.failure))
    }
    this.#run.compareModes()
    this.#learn()
    this.#report.phases.write = performance.now() - writeStart
    return this.#commit
  }

  /** Whether `writes` is the whole change: the workers ran everything and nobody else wrote. */
  get isWhole(): boolean {
    const isLeft = this.#report.fallbackFrom !== undefined || this.#run.inline !== undefined
    return !isLeft && this.#watch.writes === this.#writesBefore
  }

  /** Only where the workers ran everything: what others ran has left no sets. */
  #learn(): void {
    const { foresight, memory } = this.#settings
    if (foresight === undefined || this.#run.planner.source !== 'predictions') return
    if (!this.isWhole) return
    const start = performance.now()
    const { execute } = this.#report.phases
    try {
      this.#report.access = learnFrom(memory, this.#run.planner, foresight, execute)
    } catch (error) {
      // The block is right whatever was learned from it.
      if (!this.#settings.fallback) throw error
      this.#report.incidents.push(`Nothing was learned: ${messageOf(error)}`)
    }
    this.#report.phases.learn = performance.now() - start
  }

  /** Commits, on this side, what the workers have committed. */
  async #commitFinished(): Promise<void> {
    const { control } = this.#settings.memory
    for (;;) {
      while (
        this.#commit.length < nativeAtomics.load(control, CONTROL.COMMITTED) &&
        this.#report.fallbackFrom === undefined
      ) {
        await this.#commitNext()
        await this.#run.serve()
      }
      const isPassed = setCommitNotice(nativeAtomics, control, this.#nextNotice())
      if (!isPassed || this.#report.fallbackFrom !== undefined) return
    }
  }

  async #commitNext(): Promise<void> {
    const { memory } = this.#settings
    if (!this.#eager && hasListeners(this.#vm)) {
      this.#eager = true
      this.#flat = flatDataOf(this.#vm.stateManager, this.#watch.covered)
      this.#flat?.hide()
      await this.#flush()
    }
    const index = this.#commit.length
    this.#commit.admit()
    const writesBefore = this.#watch.writes
    await this.#commit.announce()
    // Too late for the workers, and the announcement must not be made twice.
    if (this.#watch.writes !== writesBefore) {
      return this.#leaveToSequential(index, `a beforeTx listener ${WROTE}`, true)
    }
    if (this.#eager && isJournalUsed(this.#vm)) {
      return this.#leaveToSequential(index, 'a beforeTx listener warmed an account', true)
    }
    const why = this.#eager ? whyEvm(this.#vm, setupOf(this.#settings)) : undefined
    if (why !== undefined) return this.#leaveToSequential(index, `a listener ran; ${why}`, true)
    const at = memory.control[transactionIndex(index, TRANSACTION.RESULT)]
    const result = decodeResult(readSizedBytes(memory.block, at))
    const writeSet = memory.control[transactionIndex(index, TRANSACTION.WRITE_SET)]
    listCommitted(this.#vm, memory, this.writes, index)
    this.writes.add(writeSet)
    this.#pending.add(writeSet)
    if (this.#eager) await this.#flush()
    const level = memory.control[transactionIndex(index, TRANSACTION.LEVEL)]
    this.#report.levels = Math.max(this.#report.levels, level)
    const writesBetween = this.#watch.writes
    await this.#commit.commit(result)
    if (this.#watch.writes !== writesBetween) {
      this.#leaveToSequential(index + 1, `an afterTx or onTransaction listener ${WROTE}`)
    }
  }

  /** The pending changes go to the state manager; the watch must not take them for foreign writes. */
  async #flush(isSeen = this.#eager): Promise<void> {
    // Who reads while it is written could keep in the manager's cache what is no longer so.
    await this.#run.planner.loaded()
    await this.#settings.beforeWrites?.()
    this.#watch.stop()
    try {
      const { memory } = this.#settings
      await applyWrites(memory, this.#pending, this.writes, this.#vm.stateManager, isSeen)
    } finally {
      this.#watch.start()
    }
    this.#pending.clear()
  }

  #leaveToSequential(index: number, why: string, announced = false): void {
    this.#report.fallbackFrom = index
    this.#report.incidents.push(why)
    this.#isAnnounced = announced
    this.#run.tasks.halt()
  }

  /** Runs what the workers did not commit, with stock's code. */
  async #finishSequentially(): Promise<void> {
    await this.#flush(true)
    const first = this.#commit.length
    const { control } = this.#settings.memory
    const reason = nativeAtomics.load(control, CONTROL.HALT)
    if (this.#report.fallbackFrom === undefined && reason === HALT.INVALID_TRANSACTION) {
      // Stock finds the same fault and throws its own error.
      await this.#commit.runSequentially()
      const at = control[transactionIndex(first, TRANSACTION.RESULT)]
      const said = decodeError(readSizedBytes(this.#settings.memory.block, at))
      this.#run.tasks.failure = new ParallelError(
        'INTERNAL',
        `A worker refused transaction ${first}, which stock accepts: ${said}`,
      )
    }
    if (this.#run.inline !== undefined && this.#run.tasks.failure === undefined) {
      this.#report.mode = 'inline'
      this.#report.workers = 0
      this.#report.why = this.#run.inline
    } else if (this.#report.fallbackFrom === undefined) {
      this.#report.fallbackFrom = first
      this.#report.incidents.push(messageOf(this.#run.tasks.failure))
      if (!this.#settings.fallback) {
        throw new ParallelError(
          'FALLBACK_DISABLED',
          `Parallel execution stopped at transaction ${first} of ${this.#count} and fallback is off: ${messageOf(this.#run.tasks.failure)}`,
          { cause: this.#run.tasks.failure },
        )
      }
    }
    while (this.#commit.length < this.#count) {
      if (!this.#isAnnounced) await this.#commit.runSequentially()
      else await runAnnounced(this.#vm, () => this.#commit.runSequentially())
      this.#isAnnounced = false
    }
  }

  #nextNotice(): number {
    const isHeard = hasListeners(this.#vm) || this.#onTransaction !== undefined
    return this.#commit.length + (isHeard ? 1 : Math.max(COMMIT_BATCH, this.#count >> 5))
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
