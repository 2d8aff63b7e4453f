// Functions as transactions: one, several as one, or many by their recorded accesses.
// Authority on repetition and atomicity of single functions; batches go through the common loops.

import type { ReadWriteSet } from '../access/read-write-set.ts'
import { ParallelError } from '../errors.ts'
import { ConflictDetector } from '../graph/conflict-detector.ts'
import type { TransactionId } from '../graph/transaction-id.ts'
import { integerWithin } from '../options.ts'
import { isConflict, isThenable } from './batch-work.ts'
import type { ExecutionStats } from './execution-stats.ts'
import type { ByteKey } from './key-bytes.ts'
import type { MvccStore } from './mvcc-store.ts'
import type { StateView } from './mvcc-transaction.ts'
import { type ParallelSchedulerOptions, resolveParallelOptions } from './parallel-options.ts'
import { lastNeededOf } from './run-batch.ts'
import { runOneByOne } from './run-one-by-one.ts'
import type { BatchResult, EngineTransaction, Executor, Scheduler } from './scheduler.ts'
import { type Call, SchedulerCore } from './scheduler-core.ts'
import { openSnapshot, type Snapshot } from './snapshot.ts'
import type { StateManager } from './state-manager.ts'

export class ParallelScheduler implements Scheduler {
  readonly name = 'parallel'
  readonly #core: SchedulerCore
  readonly #state: StateManager | undefined
  readonly #recorded = new Map<TransactionId, ReadWriteSet>()
  /** On a state, functions that await must not get between each other. */
  #last: Promise<unknown> = Promise.resolve()
  #isStateBusy = false

  /** @throws ParallelError `INVALID_OPTION` */
  constructor(options: ParallelSchedulerOptions = {}) {
    const { state, options: resolved } = resolveParallelOptions(options)
    this.#state = state
    this.#core = new SchedulerCore(resolved)
  }

  /** What it runs on. */
  get state(): StateManager | MvccStore {
    return this.#state ?? this.#core.store
  }

  get stats(): ExecutionStats {
    return this.#core.stats
  }

  execute<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    return this.executeParallel(transactions, executor)
  }

  /**
   * Runs transactions, at once as far as they do not conflict. Where the accesses of all of them are
   * declared or recorded ({@link recordRwSet}), those that conflict run in the order given; otherwise in
   * any, and are repeated where they collide.
   */
  async executeParallel<I, R>(
    transactions: readonly EngineTransaction<I>[],
    executor: Executor<I, R>,
  ): Promise<BatchResult<R>> {
    this.#core.check(transactions, executor as Executor)
    if (this.#state !== undefined) {
      const state = this.#state
      return this.#alone(async () => {
        this.#isStateBusy = true
        try {
          return await runOneByOne(state, transactions, executor, this.#core.options)
        } finally {
          this.#isStateBusy = false
        }
      })
    }
    const sets = transactions.map(({ id, accesses }) => accesses ?? this.#recorded.get(id))
    if (sets.includes(undefined)) {
      return this.#core.run(transactions, executor, {
        inOrder: false,
        why: 'accesses are not known, so each transaction has a snapshot of its own',
      })
    }
    const detector = new ConflictDetector()
    for (const [i, set] of sets.entries()) detector.record(transactions[i].id, set as ReadWriteSet)
    return this.#core.run(transactions, executor, {
      inOrder: true,
      lastNeeded: lastNeededOf(transactions, detector.buildDependencyGraph()),
      why: 'accesses are known: those that conflict run in order',
    })
  }

  /**
   * Says what a transaction will access, in place of what was said before. Kept until
   * {@link clearRwSets}; what a transaction declares itself counts before it, and is not kept.
   */
  recordRwSet(txId: TransactionId, accesses: ReadWriteSet): void {
    this.#recorded.set(txId, accesses)
  }

  /** Forgets all that was recorded. */
  clearRwSets(): void {
    this.#recorded.clear()
  }

  /**
   * Those of `all`, in canonical order, that can run at once: no one of them conflicts with an earlier
   * one of `all` that is not `completed`.
   * @throws ParallelError `UNKNOWN_TRANSACTION` for one whose accesses were not recorded.
   */
  getParallelBatch(
    all: readonly TransactionId[],
    completed: ReadonlySet<TransactionId> = new Set(),
  ): TransactionId[] {
    const detector = new ConflictDetector()
    const left = all.filter((id) => !completed.has(id))
    for (const id of left) {
      const set = this.#recorded.get(id)
      if (set !== undefined) detector.record(id, set)
    }
    return detector.buildDependencyGraph(left).getRoots()
  }

  /**
   * Runs a function on a snapshot. What it wrote stays if it returns, and is undone if it throws. Returns
   * what it returns: a promise only if that is one.
   * @throws whatever it throws; WriteConflictError on a store.
   */
  executeWithSnapshot<T>(run: (state: StateView) => T): T {
    this.#core.mustBeOpen()
    return this.#once(false, run)
  }

  /** The same for a function that only reads: cheaper on a store, and refused if it writes. */
  executeReadOnly<T>(run: (state: StateView) => T): T {
    this.#core.mustBeOpen()
    return this.#once(true, run)
  }

  /**
   * Runs a function on one snapshot after the other until it gets through.
   * @throws what it threw last: an error that `isRetriable` says no to (by default all but conflicts), or
   * the error after `maxRetries` repetitions, by default those of the options. ParallelError
   * `INVALID_OPTION` for a number that is no integer from 0.
   */
  async executeWithRetry<T>(
    run: (state: StateView) => T | Promise<T>,
    maxRetries: number = this.#core.options.maxRetries,
    isRetriable: (error: unknown) => boolean = this.#core.options.isRetriable ?? isConflict,
  ): Promise<T> {
    integerWithin('maxRetries', maxRetries, 0, Number.MAX_SAFE_INTEGER, 0)
    return this.#alone(() => this.#retry(run, maxRetries, isRetriable))
  }

  async #retry<T>(
    run: (state: StateView) => T | Promise<T>,
    maxRetries: number,
    isRetriable: (error: unknown) => boolean,
  ): Promise<T> {
    for (let retry = 0; ; retry++) {
      try {
        return await this.#once(false, run, false)
      } catch (error) {
        if (retry >= maxRetries || !isRetriable(error)) {
          this.stats.add({ failed: 1 })
          throw error
        }
        this.stats.add({ retries: 1 })
      }
    }
  }

  /**
   * Runs functions one after the other on one snapshot: what they wrote stays together, or not at all if
   * one throws. Each sees what those before it wrote.
   * @throws what the first of them throws; WriteConflictError on a store.
   */
  async executeBatch<T>(
    functions: readonly ((state: StateView) => T | Promise<T>)[],
  ): Promise<T[]> {
    const runAll = async (state: StateView): Promise<T[]> => {
      const values: T[] = []
      for (const run of functions) values.push(await run(state))
      return values
    }
    return this.#alone(() => this.#once(false, runAll))
  }

  batchRead(keys: Iterable<ByteKey>): (Uint8Array | undefined)[] {
    return this.executeReadOnly((state) => Array.from(keys, (key) => state.read(key)))
  }

  /** All or none. */
  batchWrite(entries: Iterable<readonly [ByteKey, Uint8Array]>): void {
    this.executeWithSnapshot((state) => {
      for (const [key, value] of entries) state.write(key, value)
    })
  }

  /** All or none. */
  batchDelete(keys: Iterable<ByteKey>): void {
    this.executeWithSnapshot((state) => {
      for (const key of keys) state.delete(key)
    })
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** `isLast`: if it throws, the transaction has failed, and is not run again. */
  #once<T>(isReadOnly: boolean, run: (state: StateView) => T, isLast = true): T {
    if (typeof run !== 'function') {
      throw new ParallelError('INVALID_ARGUMENT', 'What is to be run is a function of a state')
    }
    if (this.#isStateBusy) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        'A function that runs on this state has not ended; await it first, or use executeWithRetry, which waits',
      )
    }
    const snapshot = openSnapshot(this.state, isReadOnly, this.#core.options.isolation)
    const call: Call = { isOver: false }
    let value: T
    try {
      // On a store nothing waits for another, so that nobody needs to know who calls.
      value =
        this.#state === undefined
          ? run(snapshot.state)
          : this.#core.within(call, () => run(snapshot.state))
      if (!isThenable(value)) {
        call.isOver = true
        return this.#keep(snapshot, value)
      }
    } catch (error) {
      throw this.#undo(snapshot, error, isLast)
    }
    this.#isStateBusy = this.#state !== undefined
    const ended = Promise.resolve(value as PromiseLike<unknown>).then(
      (result) => this.#keepOrUndo(snapshot, result, isLast),
      (error: unknown) => {
        throw this.#undo(snapshot, error, isLast)
      },
    )
    const free = (): void => {
      call.isOver = true
      if (this.#state !== undefined) this.#isStateBusy = false
    }
    const freed = ended.then(free, free)
    if (this.#state !== undefined) this.#last = Promise.all([this.#last, freed])
    return this.#core.track(() => ended) as T
  }

  #keepOrUndo<T>(snapshot: Snapshot, value: T, isLast: boolean): T {
    try {
      return this.#keep(snapshot, value)
    } catch (error) {
      throw this.#undo(snapshot, error, isLast)
    }
  }

  #keep<T>(snapshot: Snapshot, value: T): T {
    snapshot.keep()
    this.stats.add({ successful: 1 })
    return value
  }

  #undo(snapshot: Snapshot, error: unknown, isLast: boolean): unknown {
    snapshot.undo()
    const failed = isLast ? 1 : 0
    this.stats.add({ failed, rollbacks: 1, conflicts: isConflict(error) ? 1 : 0 })
    return error
  }

  /**
   * On a state, after all that came before it; on a store at once.
   * @throws ParallelError `INVALID_ARGUMENT` for a function on a state that would wait for itself.
   */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#core.mustBeOpen()
    if (this.#state === undefined) return this.#core.track(work)
    if (this.#core.isWithin) {
      throw new ParallelError(
        'INVALID_ARGUMENT',
        'A function that runs on this state would wait for its own end; use the state that it was given',
      )
    }
    const before = this.#last
    const next = this.#core.track(() => before.then(work))
    this.#last = next.catch(() => {})
    return next
  }
}
