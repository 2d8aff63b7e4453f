// Runs a block's transactions on the workers and commits them in order on the calling thread.
// Authority on the course of a block's parallel part: start, serving, rolling commit, end, and what
// happens when it goes wrong midway. The driver (run-block.ts) does the rest of the block.

import type { EVM } from '@ethereumjs/evm'
import type { BlockLevelAccessList } from '@ethereumjs/util'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import { decodeError, decodeResult } from '../execution/result-codec.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { setCommitNotice } from '../memory/commit-notice.ts'
import { mainMaySleep } from '../memory/doorbell.ts'
import { CONTROL, HALT, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import { readSizedBytes } from '../memory/sized-bytes.ts'
import type { FlatData } from '../state/flat-data.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { learnFrom } from './access-learning.ts'
import { BaseServer } from './base-server.ts'
import { BlockPlanner } from './block-planner.ts'
import { blockTask, writeTransactions } from './block-task.ts'
import { BlockTasks } from './block-tasks.ts'
import { listCommitted } from './committed-access-list.ts'
import { CommittedWrites } from './committed-writes.ts'
import { whyEvm } from './eligibility.ts'
import { isJournalUsed, runAnnounced } from './emitted-event.ts'
import { hasListeners, OrderedCommit, type TransactionListener } from './ordered-commit.ts'
import { type ParallelSettings, setupOf } from './parallel-settings.ts'
import type { BlockReport } from './report.ts'
import type { StateWriteWatch } from './state-write-watch.ts'
import { readStatistics } from './worker-statistics.ts'
import { applyWrites } from './write-back.ts'

/** The main thread looks again after this many ms, should a ring ever be lost. */
const WATCH_MS = 25
/** Commits that the main thread lets pass before it decodes them, so that it wakes rarely. */
const COMMIT_BATCH = 16
/** Stock's manager writes to itself when it is asked for its root: what is in its caches. */
const WROTE = 'wrote to the state, or had its caches flushed'

export class ParallelTransactions {
  readonly #vm: VM
  readonly #options: RunBlockOpts
  readonly #settings: ParallelSettings
  readonly #report: BlockReport
  readonly #commit: OrderedCommit
  readonly #server: BaseServer
  readonly #planner: BlockPlanner
  readonly #tasks: BlockTasks
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
  #plannedAt = 0
  /** Why the calling thread executes after all, where it does. */
  #inline: string | undefined
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
    this.#options = options
    this.#settings = settings
    this.#report = report
    this.#watch = watch
    this.#onTransaction = onTransaction
    this.#count = options.block.transactions.length
    const flat = hasListeners(vm) ? undefined : flatDataOf(vm.stateManager, watch.covered)
    settings.memory.beginBlock(this.#count, flat?.table.buffers.id)
    this.#tasks = new BlockTasks(settings.pool, settings.memory.control)
    this.#commit = new OrderedCommit(vm, options, onTransaction)
    this.#server = new BaseServer(
      settings.memory,
      vm.stateManager,
      (vm.evm as EVM).blockchain,
      options.block.header.number,
      (account) => this.writes.accounts.get(account)?.reset === true,
      watch.covered,
    )
    this.#planner = new BlockPlanner(
      settings.memory,
      this.#server,
      options.block,
      { workers: settings.pool.size, ...settings.limits },
      settings.foresight,
      list,
      (error) => this.#tasks.fail(error),
    )
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
      return await this.#run()
    } finally {
      this.#watch.onlyCounts = false
      this.#flat?.show()
    }
  }

  async #run(): Promise<OrderedCommit> {
    const { memory, pool } = this.#settings
    const executeStart = performance.now()
    const tasks = this.#start()
    await this.#unlessFailed(() => this.#planner.begin())
    const abort = (): void => this.#tasks.halt()
    const stopTimer = this.#startTimer()
    this.#settings.signal.addEventListener('abort', abort)
    if (this.#settings.signal.aborted) abort()
    try {
      await this.#serveUntilEnd(tasks)
    } finally {
      stopTimer()
      this.#settings.signal.removeEventListener('abort', abort)
      if (!this.#tasks.haveEnded) this.#tasks.halt()
      await tasks
      await this.#planner.loaded()
    }
    if (this.#settings.signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor was closed while it ran the block')
    }
    readStatistics(memory.control, pool.size, this.#report, this.#tasks)
    await this.#commitFinished()
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
    if (this.isWhole && this.#tasks.failure !== undefined) {
      this.#report.incidents.push(messageOf(this.#tasks.failure))
    }
    this.#compareModes()
    this.#learn()
    this.#report.phases.write = performance.now() - writeStart
    return this.#commit
  }

  /** Whether `writes` is the whole change: the workers ran everything and nobody else wrote. */
  get isWhole(): boolean {
    const isLeft = this.#report.fallbackFrom !== undefined || this.#inline !== undefined
    return !isLeft && this.#watch.writes === this.#writesBefore
  }

  /** Starts the workers, if the block fits into memory. Resolves when all have ended. */
  #start(): Promise<void> {
    const { memory, pool, workerSetup, limits } = this.#settings
    const { control } = memory
    try {
      control[CONTROL.BATCH_SIZE] = Number.isFinite(limits.maxBatchSize) ? limits.maxBatchSize : 0
      control[CONTROL.COMMIT_NOTICE] = this.#nextNotice()
      writeTransactions(memory, this.#options.block)
    } catch (error) {
      this.#tasks.fail(error)
      return Promise.resolve()
    }
    const covered = hasListeners(this.#vm) ? undefined : this.#watch.covered
    const task = blockTask(this.#vm, this.#options, memory, pool.size, workerSetup, covered)
    return this.#tasks.start(task)
  }

  async #serveUntilEnd(tasks: Promise<unknown>): Promise<void> {
    const { control } = this.#settings.memory
    let ended = false
    const end = tasks.then(() => {
      ended = true
    })
    while (!ended) {
      const bell = nativeAtomics.load(control, CONTROL.MAIN_BELL)
      await this.#unlessFailed(() => this.#plan())
      await this.#serve()
      await this.#commitFinished()
      if (ended) return
      this.#tasks.watch()
      if (mainMaySleep(nativeAtomics, control, bell)) {
        const rung = Atomics.waitAsync(control, CONTROL.MAIN_ASLEEP, 1, WATCH_MS)
        if (rung.async) await Promise.race([rung.value, end])
      }
      nativeAtomics.store(control, CONTROL.MAIN_ASLEEP, 0)
    }
  }

  /** Ends the workers' part when it takes too long. Returns how to stop the clock. */
  #startTimer(): () => void {
    const { executionTimeoutMs } = this.#settings.limits
    if (!Number.isFinite(executionTimeoutMs)) return () => {}
    const timer = setTimeout(() => {
      const message = `The workers took longer than executionTimeoutMs, ${executionTimeoutMs} ms`
      this.#tasks.fail(new ParallelError('EXECUTION_TIMEOUT', message))
    }, executionTimeoutMs)
    return () => clearTimeout(timer)
  }

  async #plan(): Promise<void> {
    const planner = this.#planner
    // A plan that failed is half made, and nobody would follow it.
    if (this.#tasks.areHalted || !(await planner.advance())) return
    this.#plannedAt = performance.now()
    const { outlook } = planner
    if (outlook !== undefined) {
      const { levels, criticalGas, totalGas } = outlook
      this.#report.graph = { levels, criticalGas, bound: totalGas / criticalGas }
      this.#report.plannedFrom = planner.source
      this.#report.phases.plan = planner.planMs
      this.#inline = this.#settings.choice?.whyInline(outlook)
    }
    // The workers have recovered the senders, and that was what there is to gain.
    if (this.#inline !== undefined) this.#tasks.halt()
    else planner.publish()
  }

  #compareModes(): void {
    const { outlook } = this.#planner
    const { mode, incidents } = this.#report
    if (outlook === undefined || mode === 'sequential' || incidents.length > 0) return
    this.#settings.choice?.learn(mode, outlook, performance.now() - this.#plannedAt)
  }

  /** Only where the workers ran everything: what others ran has left no sets. */
  #learn(): void {
    const { foresight, memory } = this.#settings
    if (foresight === undefined || this.#planner.source !== 'predictions') return
    if (!this.isWhole) return
    const start = performance.now()
    const { execute } = this.#report.phases
    try {
      this.#report.access = learnFrom(memory, this.#planner, foresight, execute)
    } catch (error) {
      // The block is right whatever was learned from it.
      if (!this.#settings.fallback) throw error
      this.#report.incidents.push(`Nothing was learned: ${messageOf(error)}`)
    }
    this.#report.phases.learn = performance.now() - start
  }

  async #serve(): Promise<void> {
    await this.#unlessFailed(async () => {
      while (this.#server.hasRequests) await this.#server.serve(this.#settings.pool.size)
    })
  }

  /** Where the state cannot be read, or memory is full, the workers cannot go on. */
  async #unlessFailed(work: () => void | Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#tasks.fail(error)
    }
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
        if (this.#server.hasRequests) await this.#serve()
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
    await this.#planner.loaded()
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
    this.#tasks.halt()
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
      this.#tasks.failure = new ParallelError(
        'INTERNAL',
        `A worker refused transaction ${first}, which stock accepts: ${said}`,
      )
    }
    if (this.#inline !== undefined && this.#tasks.failure === undefined) {
      this.#report.mode = 'inline'
      this.#report.workers = 0
      this.#report.why = this.#inline
    } else if (this.#report.fallbackFrom === undefined) {
      this.#report.fallbackFrom = first
      this.#report.incidents.push(messageOf(this.#tasks.failure))
      if (!this.#settings.fallback) {
        throw new ParallelError(
          'FALLBACK_DISABLED',
          `Parallel execution stopped at transaction ${first} of ${this.#count} and fallback is off: ${messageOf(this.#tasks.failure)}`,
          { cause: this.#tasks.failure },
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
