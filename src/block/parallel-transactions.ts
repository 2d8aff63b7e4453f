// Runs a block's transactions on the workers and commits them in order on the calling thread.
// Authority on the course of a block's parallel part: start, serving, rolling commit, end, and what
// happens when it goes wrong midway. The driver (run-block.ts) does the rest of the block.

import type { EVM } from '@ethereumjs/evm'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import { encodeCommon, encodeTransaction } from '../execution/chain-data.ts'
import { decodeError, decodeResult } from '../execution/result-codec.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { setCommitNotice } from '../memory/commit-notice.ts'
import { mainMaySleep } from '../memory/doorbell.ts'
import {
  CONTROL,
  HALT,
  LOCATION,
  type LocationKind,
  TRANSACTION,
  transactionIndex,
} from '../memory/layout.ts'
import { readSizedBytes, writeSizedBytes } from '../memory/sized-bytes.ts'
import type { WorkerPool } from '../workers/pool.ts'
import type { BlockTask } from '../workers/protocol.ts'
import { learnFrom } from './access-learning.ts'
import { BaseServer } from './base-server.ts'
import type { BlockMemory } from './block-memory.ts'
import { BlockPlanner, type Foresight } from './block-planner.ts'
import { BlockTasks } from './block-tasks.ts'
import { listCommitted } from './committed-access-list.ts'
import { CommittedWrites } from './committed-writes.ts'
import { whyEvm } from './eligibility.ts'
import { isJournalUsed, runAnnounced } from './emitted-event.ts'
import { OrderedCommit, type TransactionListener } from './ordered-commit.ts'
import type { BlockReport } from './report.ts'
import type { StateWriteWatch } from './state-write-watch.ts'
import { applyWrites } from './write-back.ts'

/**
 * Executions under way at once per worker. Each can wait for a base value while the others go on;
 * more than the main thread can answer in the time of one execution gain nothing.
 */
const LANES = 8
/** The main thread looks again after this many ms, should a ring ever be lost. */
const WATCH_MS = 25
/** Commits that the main thread lets pass before it decodes them, so that it wakes rarely. */
const COMMIT_BATCH = 16

export interface ParallelSettings {
  memory: BlockMemory
  pool: WorkerPool
  fallback: boolean
  workerSetup: string | undefined
  /** Predictions; undefined where the scheduler is to go without. */
  foresight: Foresight | undefined
  /** Aborted by `close()`. */
  signal: AbortSignal
}

export class ParallelTransactions {
  readonly #vm: VM
  readonly #options: RunBlockOpts
  readonly #settings: ParallelSettings
  readonly #report: BlockReport
  readonly #commit: OrderedCommit
  readonly #server: BaseServer
  #tasks: BlockTasks
  readonly #watch: StateWriteWatch
  readonly #onTransaction: TransactionListener | undefined
  /** Everything committed, for the base of the next block. */
  readonly writes: CommittedWrites
  /** Committed and not yet in the state manager. */
  readonly #pending: CommittedWrites
  /** Listeners may look at the state, which must then be the one that stock shows them. */
  readonly #eager: boolean
  #count = 0
  #writesBefore = 0
  /** The listeners of the next transaction have run, and must not run again. */
  #isAnnounced = false

  constructor(
    vm: VM,
    options: RunBlockOpts,
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
    this.writes = new CommittedWrites(settings.memory)
    this.#pending = new CommittedWrites(settings.memory)
    this.#eager = ['beforeTx', 'afterTx'].some(
      (event) => vm.events.listenerCount(event as 'beforeTx') > 0,
    )
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
    }
  }

  async #run(): Promise<OrderedCommit> {
    const { memory, pool } = this.#settings
    const executeStart = performance.now()
    const tasks = this.#encodeTransactions() ? this.#tasks.start(this.#task()) : Promise.resolve()
    const { foresight } = this.#settings
    const planner = new BlockPlanner(
      memory,
      this.#server,
      this.#options.block,
      pool.size,
      foresight,
    )
    const begun = this.#unlessFailed(() => planner.begin())
    const abort = (): void => this.#tasks.halt()
    this.#settings.signal.addEventListener('abort', abort)
    if (this.#settings.signal.aborted) abort()
    try {
      await this.#serveUntilEnd(tasks, planner)
    } finally {
      this.#settings.signal.removeEventListener('abort', abort)
      if (!this.#tasks.haveEnded) this.#tasks.halt()
      await tasks
      // It writes to the memory that the next block uses.
      await begun
    }
    if (this.#settings.signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor was closed while it ran the block')
    }
    this.#readStatistics(pool.size)
    await this.#commitFinished()
    this.#report.phases.execute = performance.now() - executeStart

    const writeStart = performance.now()
    if (this.#commit.length < this.#count) await this.#finishSequentially()
    else await this.#flush()
    if (this.isWhole && this.#tasks.failure !== undefined) {
      this.#report.incidents.push(messageOf(this.#tasks.failure))
    }
    this.#learn(planner)
    this.#report.phases.write = performance.now() - writeStart
    return this.#commit
  }

  /** Whether `writes` is the whole change: the workers ran everything and nobody else wrote. */
  get isWhole(): boolean {
    return this.#report.fallbackFrom === undefined && this.#watch.writes === this.#writesBefore
  }

  /** Returns whether the block fits into memory. */
  #encodeTransactions(): boolean {
    const { memory, pool } = this.#settings
    this.#count = this.#options.block.transactions.length
    memory.beginBlock(this.#count)
    this.#tasks = new BlockTasks(pool, memory.control)
    try {
      this.#writeTransactions(memory)
      return true
    } catch (error) {
      this.#tasks.fail(error)
      return false
    }
  }

  #writeTransactions(memory: BlockMemory): void {
    const { control, blockAllocator } = memory
    control[CONTROL.TRANSACTION_COUNT] = this.#count
    control[CONTROL.COMMIT_NOTICE] = this.#nextNotice()
    this.#options.block.transactions.forEach((tx, index) => {
      const at = writeSizedBytes(blockAllocator, encodeTransaction(tx))
      control[transactionIndex(index, TRANSACTION.BYTES)] = at
    })
  }

  /** What every worker gets. */
  #task(): Omit<BlockTask, 'worker'> {
    const { memory, pool, workerSetup } = this.#settings
    const { block, skipBalance, skipNonce, skipHardForkValidation } = this.#options
    const evm = this.#vm.evm as EVM
    return {
      kind: 'block',
      workers: pool.size,
      workerSetup,
      memoryGeneration: memory.memoryGeneration,
      stateGeneration: memory.stateGeneration,
      control: memory.control.buffer as SharedArrayBuffer,
      buckets: memory.buckets.buffer as SharedArrayBuffer,
      seed: memory.seed,
      state: memory.state.buffer,
      block: memory.block.buffer,
      headerRlp: block.header.serialize(),
      vmCommon: encodeCommon(this.#vm.common),
      blockCommon: encodeCommon(block.common),
      transactionCommon: encodeCommon(block.transactions[0].common),
      rules: { skipBalance, skipNonce, skipHardForkValidation },
      evm: {
        allowUnlimitedContractSize: evm.allowUnlimitedContractSize,
        allowUnlimitedInitCodeSize: evm.allowUnlimitedInitCodeSize,
        bls: (evm as unknown as { _bls?: unknown })._bls !== undefined,
      },
      lanes: LANES,
    }
  }

  async #serveUntilEnd(tasks: Promise<unknown>, planner: BlockPlanner): Promise<void> {
    const { control } = this.#settings.memory
    let ended = false
    const end = tasks.then(() => {
      ended = true
    })
    while (!ended) {
      const bell = nativeAtomics.load(control, CONTROL.MAIN_BELL)
      await this.#unlessFailed(() => this.#plan(planner))
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

  async #plan(planner: BlockPlanner): Promise<void> {
    if (!(await planner.advance())) return
    planner.publish()
    const { outlook } = planner
    if (outlook === undefined) return
    const { levels, criticalGas, totalGas, planMs } = outlook
    this.#report.graph = { levels, criticalGas, bound: totalGas / criticalGas }
    this.#report.phases.plan = planMs
  }

  /** Only where the workers ran everything: what others ran has left no sets. */
  #learn(planner: BlockPlanner): void {
    const { foresight, memory } = this.#settings
    if (foresight === undefined || !this.isWhole) return
    const start = performance.now()
    const { execute } = this.#report.phases
    this.#report.access = learnFrom(memory, planner, foresight, execute)
    this.#report.phases.learn = performance.now() - start
  }

  async #serve(): Promise<void> {
    await this.#unlessFailed(async () => {
      while (this.#server.hasRequests) await this.#server.serve(this.#settings.pool.size)
    })
  }

  /** Where the state cannot be read, or memory is full, the workers cannot go on. */
  async #unlessFailed(work: () => Promise<void>): Promise<void> {
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
    const index = this.#commit.length
    this.#commit.admit()
    const writesBefore = this.#watch.writes
    await this.#commit.announce()
    // Too late for the workers, and the announcement must not be made twice.
    if (this.#watch.writes !== writesBefore) {
      return this.#leaveToSequential(index, 'a beforeTx listener wrote to the state', true)
    }
    if (this.#eager && isJournalUsed(this.#vm)) {
      return this.#leaveToSequential(index, 'a beforeTx listener warmed an account', true)
    }
    const why = this.#eager ? whyEvm(this.#vm, this.#settings.workerSetup !== undefined) : undefined
    if (why !== undefined)
      return this.#leaveToSequential(index, `since a listener ran, ${why}`, true)
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
      this.#leaveToSequential(index + 1, 'an afterTx or onTransaction listener wrote to the state')
    }
  }

  /** The pending changes go to the state manager; the watch must not take them for foreign writes. */
  async #flush(): Promise<void> {
    this.#watch.stop()
    try {
      await applyWrites(this.#settings.memory, this.#pending, this.writes, this.#vm.stateManager)
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
    await this.#flush()
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
    if (this.#report.fallbackFrom === undefined) {
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

  #readStatistics(workers: number): void {
    const { control } = this.#settings.memory
    const report = this.#report
    const refuted = (kind: LocationKind): number => control[CONTROL.REFUTED + kind]
    report.workers = workers
    report.executions = control[CONTROL.EXECUTIONS]
    report.reExecutions = Math.max(0, report.executions - this.#count)
    report.causes = {
      existence: refuted(LOCATION.EXISTS),
      balance: refuted(LOCATION.BALANCE),
      nonce: refuted(LOCATION.NONCE),
      code: refuted(LOCATION.CODE),
      reset: refuted(LOCATION.RESET),
      slot: refuted(LOCATION.SLOT),
    }
    report.conflicts = control[CONTROL.FAILED_VALIDATIONS] + control[CONTROL.ESTIMATE_WAITS]
  }

  #nextNotice(): number {
    // Whoever listens wants each transaction as soon as it is final.
    const batch = this.#eager || this.#onTransaction !== undefined ? 1 : COMMIT_BATCH
    return this.#commit.length + batch
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
