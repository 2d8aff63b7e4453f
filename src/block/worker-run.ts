// The workers' part of a block, from their start to their end: planning, answering, waking, and what ends
// it early. Authority on when the main thread looks and when it sleeps. Whoever owns the run commits what
// the workers have committed, and knows what that means.

import type { EVM } from '@ethereumjs/evm'
import type { BlockLevelAccessList } from '@ethereumjs/util'
import type { RunBlockOpts, VM } from '@ethereumjs/vm'
import { ParallelError } from '../errors.ts'
import type { RecordId } from '../ids.ts'
import { nativeAtomics } from '../memory/atomics.ts'
import { mainMaySleep } from '../memory/doorbell.ts'
import { CONTROL } from '../memory/layout.ts'
import { flatDataOf } from '../state/flat-state.ts'
import { BaseServer } from './base-server.ts'
import { BlockPlanner } from './block-planner.ts'
import { blockTask, writeTransactions } from './block-task.ts'
import { BlockTasks } from './block-tasks.ts'
import { hasListeners } from './ordered-commit.ts'
import type { ParallelSettings } from './parallel-settings.ts'
import type { BlockReport } from './report.ts'
import type { StateWriteWatch } from './state-write-watch.ts'
import { readStatistics } from './worker-statistics.ts'

/** The main thread looks again after this many ms, should a ring ever be lost. */
const WATCH_MS = 25
/** Commits that the main thread lets pass before it decodes them, so that it wakes rarely. */
export const COMMIT_BATCH = 16

/** Who commits in order what the workers commit. */
export interface RunOwner {
  /** The workers may have committed more. */
  commitFinished(): Promise<void>
  /** The number of committed transactions at which the main thread wants to be rung. */
  nextNotice(): number
}

/** The block, as far as workers need it, and how its transactions run. */
export type RunOptions = Pick<
  RunBlockOpts,
  'block' | 'skipBalance' | 'skipNonce' | 'skipHardForkValidation'
>

export class WorkerRun {
  readonly server: BaseServer
  readonly planner: BlockPlanner
  readonly tasks: BlockTasks
  readonly #vm: VM
  readonly #options: RunOptions
  readonly #settings: ParallelSettings
  readonly #report: BlockReport
  /** As `blockTask` has it; for the whole run, since what workers have found in a flat state stays there. */
  readonly #covered: readonly string[] | undefined
  #plannedAt = 0
  #inline: string | undefined

  /** Empties the block's memory. `isReset` says whether committed transactions have cleared a storage. */
  constructor(
    vm: VM,
    options: RunOptions,
    list: BlockLevelAccessList | undefined,
    watch: StateWriteWatch,
    settings: ParallelSettings,
    report: BlockReport,
    isReset: (account: RecordId) => boolean,
  ) {
    const { memory, pool, limits, foresight } = settings
    const { block } = options
    this.#vm = vm
    this.#options = options
    this.#settings = settings
    this.#report = report
    // Where listeners are shown each transaction's state, it is written while workers run.
    this.#covered = hasListeners(vm) ? undefined : watch.covered
    const flat = this.#covered && flatDataOf(vm.stateManager, this.#covered)
    memory.beginBlock(block.transactions.length, flat?.table.buffers.id)
    this.tasks = new BlockTasks(pool, memory.control)
    this.server = new BaseServer(
      memory,
      vm.stateManager,
      (vm.evm as EVM).blockchain,
      block.header.number,
      isReset,
      watch.covered,
    )
    this.planner = new BlockPlanner(
      memory,
      this.server,
      block,
      { workers: pool.size, ...limits },
      foresight,
      list,
      (error) => this.tasks.fail(error),
    )
  }

  /** Why the calling thread executes after all, where it does. */
  get inline(): string | undefined {
    return this.#inline
  }

  /**
   * Lets the workers run the block's transactions until all are committed, they are halted, or something
   * fails, which is then in `tasks.failure`. Nobody uses the block's memory any more when it resolves.
   * `prepare` writes what else the workers are to find.
   * @throws ParallelError `EXECUTOR_CLOSED`
   */
  async run(owner: RunOwner, prepare: () => void = () => {}): Promise<void> {
    const { memory, pool, signal } = this.#settings
    const tasks = this.#start(owner, prepare)
    await this.#unlessFailed(() => this.planner.begin())
    const abort = (): void => this.tasks.halt()
    const stopTimer = this.#startTimer()
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    try {
      await this.#serveUntilEnd(tasks, owner)
    } finally {
      stopTimer()
      signal.removeEventListener('abort', abort)
      if (!this.tasks.haveEnded) this.tasks.halt()
      await tasks
      await this.planner.loaded()
    }
    if (signal.aborted) {
      throw new ParallelError('EXECUTOR_CLOSED', 'The executor was closed while it ran the block')
    }
    readStatistics(memory.control, pool.size, this.#report, this.tasks)
    await owner.commitFinished()
  }

  /** Answers requests, if there are some. */
  async serve(): Promise<void> {
    if (!this.server.hasRequests) return
    await this.#unlessFailed(async () => {
      while (this.server.hasRequests) await this.server.serve(this.#settings.pool.size)
    })
  }

  /** Lets the choice between workers and calling thread learn what this run took, as it ran. */
  compareModes(): void {
    const { outlook } = this.planner
    const { mode, incidents } = this.#report
    if (outlook === undefined || mode === 'sequential' || incidents.length > 0) return
    this.#settings.choice?.learn(mode, outlook, performance.now() - this.#plannedAt)
  }

  /** Starts the workers, if the block fits into memory. Resolves when all have ended. */
  #start(owner: RunOwner, prepare: () => void): Promise<void> {
    const { memory, pool, workerSetup, limits } = this.#settings
    const { control } = memory
    try {
      control[CONTROL.BATCH_SIZE] = Number.isFinite(limits.maxBatchSize) ? limits.maxBatchSize : 0
      control[CONTROL.COMMIT_NOTICE] = owner.nextNotice()
      writeTransactions(memory, this.#options.block)
      prepare()
    } catch (error) {
      this.tasks.fail(error)
      return Promise.resolve()
    }
    const task = blockTask(this.#vm, this.#options, memory, pool.size, workerSetup, this.#covered)
    return this.tasks.start(task)
  }

  async #serveUntilEnd(tasks: Promise<unknown>, owner: RunOwner): Promise<void> {
    const { control } = this.#settings.memory
    let ended = false
    const end = tasks.then(() => {
      ended = true
    })
    while (!ended) {
      const bell = nativeAtomics.load(control, CONTROL.MAIN_BELL)
      await this.#unlessFailed(() => this.#plan())
      await this.serve()
      await owner.commitFinished()
      if (ended) return
      this.tasks.watch()
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
      this.tasks.fail(new ParallelError('EXECUTION_TIMEOUT', message))
    }, executionTimeoutMs)
    return () => clearTimeout(timer)
  }

  async #plan(): Promise<void> {
    const { planner } = this
    // A plan that failed is half made, and nobody would follow it.
    if (this.tasks.areHalted || !(await planner.advance())) return
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
    if (this.#inline !== undefined) this.tasks.halt()
    else planner.publish()
  }

  /** Where the state cannot be read, or memory is full, the workers cannot go on. */
  async #unlessFailed(work: () => void | Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.tasks.fail(error)
    }
  }
}
