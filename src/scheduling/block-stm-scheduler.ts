// Block-STM's collaborative scheduler over words in shared memory: who executes, validates and commits
// which transaction next. Authority on the order of work, not on results: what is right is decided by
// validation at the commit head, where everything below is final. Never touches versions itself.
//
// Two cursors sweep the block. Claims move them up by compare-exchange, aborts and new writes rewind
// them, always after the status that makes the work available was stored: a sweep that passes a
// transaction before it becomes available is repeated by the rewind that follows.
//
// Validation by the cursor is early warning: it finds stale reads while other work can overlap the
// repetition. Validation at the commit head is the authority. Source: Block-STM (arXiv:2203.06871).

import { type Incarnation, NOTHING, type TxIndex } from '../ids.ts'
import type { AtomicOperations } from '../memory/atomics.ts'
import { CONTROL, HALT, OUTCOME, TRANSACTION, transactionIndex } from '../memory/layout.ts'
import type { Admission } from './admission-gate.ts'
import type { PlannedOrder } from './planned-order.ts'
import { incarnationOf, packStatus, STATE, stateOf } from './transaction-status.ts'

/** What the scheduler asks of the versions; implemented over the version store, or by a test. */
export interface VersionJudge {
  /**
   * Whether the last incarnation of `transaction` would read something else now. Above the commit
   * head (`isFinal` false) the judge may leave in doubt what a lower transaction is about to write
   * again: the end of every repetition has those above it validated anew.
   */
  refutes(transaction: TxIndex, isFinal: boolean): boolean
  /** Turns everything that the last incarnation wrote into estimates. */
  markEstimates(transaction: TxIndex): void
  /** Called under the commit lock, in canonical order, once per transaction that the gate has not refused. */
  committed(transaction: TxIndex): void
}

export class BlockStmScheduler {
  readonly #control: Int32Array
  readonly #atomics: AtomicOperations
  readonly #judge: VersionJudge
  readonly #order: PlannedOrder | undefined
  readonly #gate: Admission | undefined
  readonly #count: number
  readonly #batchSize: number

  /**
   * Without an `order`, nothing waits before its first execution. With a `gate`, transactions that are
   * invalid or do not fit are passed over, as if they had written nothing; without, one ends the block.
   */
  constructor(
    control: Int32Array,
    atomics: AtomicOperations,
    judge: VersionJudge,
    order?: PlannedOrder,
    gate?: Admission,
  ) {
    this.#control = control
    this.#atomics = atomics
    this.#judge = judge
    this.#order = order
    this.#gate = gate
    this.#count = control[CONTROL.TRANSACTION_COUNT]
    this.#batchSize = control[CONTROL.BATCH_SIZE]
  }

  /** A {@link HALT} value other than RUNNING tells the workers to stop. */
  halted(): number {
    return this.#atomics.load(this.#control, CONTROL.HALT)
  }

  /** Stops all workers; the first reason stays. */
  halt(reason: number, transaction: number): boolean {
    const atomics = this.#atomics
    if (atomics.load(this.#control, CONTROL.HALT) !== HALT.RUNNING) return false
    atomics.store(this.#control, CONTROL.HALT_TRANSACTION, transaction)
    return (
      atomics.compareExchange(this.#control, CONTROL.HALT, HALT.RUNNING, reason) === HALT.RUNNING
    )
  }

  /** Transactions below this one are final. */
  committedEnd(): number {
    return this.#atomics.load(this.#control, CONTROL.COMMITTED)
  }

  incarnation(transaction: TxIndex): Incarnation {
    return incarnationOf(this.#status(transaction))
  }

  /** Whether `transaction` has a finished incarnation, so that a reader may go on. */
  isSettled(transaction: number): boolean {
    const state = stateOf(this.#status(transaction as TxIndex))
    return state === STATE.EXECUTED || state === STATE.COMMITTED
  }

  /** Whether nobody executes `transaction`, although it may be executed. */
  isReady(transaction: TxIndex): boolean {
    return stateOf(this.#status(transaction)) === STATE.READY
  }

  /**
   * Claims a transaction whose sender is to be recovered, or returns {@link NOTHING}. The caller ends
   * with {@link recovered}.
   */
  claimRecovery(): TxIndex | typeof NOTHING {
    // A look first, so that a cursor that nobody claims from any more stays where it is.
    if (this.#atomics.load(this.#control, CONTROL.RECOVERY_CURSOR) >= this.#count) return NOTHING
    const index = this.#atomics.add(this.#control, CONTROL.RECOVERY_CURSOR, 1)
    return index < this.#count ? (index as TxIndex) : NOTHING
  }

  /** The sender of one more transaction is known. Returns whether main wants to hear of it. */
  recovered(): boolean {
    const count = this.#atomics.add(this.#control, CONTROL.RECOVERED, 1) + 1
    const notice = this.#atomics.load(this.#control, CONTROL.RECOVERY_NOTICE)
    return count === this.#count || count === notice
  }

  /** Whether executions may be claimed. */
  isPlanned(): boolean {
    return this.#order === undefined || this.#order.isReady()
  }

  /**
   * Claims the lowest transaction that is ready and below `limit`, or returns {@link NOTHING}.
   * One that the plan says should wait is put aside until what it waits for has settled. The caller
   * holds what it gets until {@link finish}.
   */
  claimExecution(limit: number): TxIndex | typeof NOTHING {
    const first = this.#claimPriority(limit)
    if (first !== NOTHING) return first
    const atomics = this.#atomics
    const end = Math.min(limit, this.#windowEnd())
    for (;;) {
      const index = atomics.load(this.#control, CONTROL.EXECUTION_CURSOR)
      if (index >= end) return NOTHING
      if (!this.#advance(CONTROL.EXECUTION_CURSOR, index)) continue
      if (this.#claim(index as TxIndex)) return index as TxIndex
    }
  }

  /** Claims the first of the plan's priorities that may run. The others are claimed in block order. */
  #claimPriority(limit: number): TxIndex | typeof NOTHING {
    const order = this.#order
    if (order === undefined || !order.isReady() || order.priorities === 0) return NOTHING
    const end = Math.min(limit, this.#windowEnd())
    for (;;) {
      const position = this.#atomics.load(this.#control, CONTROL.PRIORITY_CURSOR)
      if (position >= order.priorities) return NOTHING
      const transaction = order.priority(position)
      if (transaction >= end) return NOTHING
      if (!this.#advance(CONTROL.PRIORITY_CURSOR, position)) continue
      if (this.#claim(transaction)) return transaction
    }
  }

  /** Transactions from here on must not start yet. */
  #windowEnd(): number {
    const size = this.#batchSize
    return size === 0 ? this.#count : Math.min(this.#count, this.committedEnd() + size)
  }

  /** Takes `transaction` if it is ready and the plan lets it run; if the plan does not, puts it aside. */
  #claim(transaction: TxIndex): boolean {
    const status = this.#status(transaction)
    if (stateOf(status) !== STATE.READY) return false
    const incarnation = incarnationOf(status)
    if (!this.#exchange(transaction, status, packStatus(incarnation, STATE.EXECUTING))) return false
    const blocker =
      this.#order?.blocker(transaction, incarnation, this.#isOtherSettled, this.#windowEnd()) ??
      NOTHING
    if (blocker === NOTHING) return true
    this.defer(transaction, blocker)
    return false
  }

  readonly #isOtherSettled = (other: TxIndex): boolean => this.isSettled(other)

  /**
   * Validates the lowest transaction that may need it. Returns false when there was none.
   * A failed validation aborts the transaction, which makes it ready again.
   */
  validateNext(): boolean {
    const atomics = this.#atomics
    for (;;) {
      const index = atomics.load(this.#control, CONTROL.VALIDATION_CURSOR)
      const end = Math.min(atomics.load(this.#control, CONTROL.EXECUTION_CURSOR), this.#count)
      if (index >= end) return false
      if (!this.#advance(CONTROL.VALIDATION_CURSOR, index)) continue
      const transaction = index as TxIndex
      const status = this.#status(transaction)
      if (stateOf(status) !== STATE.EXECUTED) continue
      if (this.#judge.refutes(transaction, false)) this.#invalidate(transaction, status)
      return true
    }
  }

  /**
   * Ends an execution. Its versions, sets, result and outcome were written before the call.
   * `wroteElsewhere`: it wrote a location that its previous incarnation did not. Then, and after
   * every repetition, those above are validated again; else only it itself is.
   */
  finish(transaction: TxIndex, wroteElsewhere: boolean): void {
    const executed = packStatus(this.incarnation(transaction), STATE.EXECUTED)
    this.#atomics.store(this.#control, transactionIndex(transaction, TRANSACTION.STATUS), executed)
    this.#releaseDeferred(transaction)
    if (this.#atomics.load(this.#control, CONTROL.VALIDATION_CURSOR) <= transaction) return
    if (wroteElsewhere || incarnationOf(executed) > 0) {
      this.#rewind(CONTROL.VALIDATION_CURSOR, transaction)
    } else if (this.#judge.refutes(transaction, false)) {
      this.#invalidate(transaction, executed)
    }
  }

  /** Puts `transaction`, just claimed, aside until `blocker` settles. */
  defer(transaction: TxIndex, blocker: TxIndex): void {
    const atomics = this.#atomics
    const blocked = packStatus(this.incarnation(transaction), STATE.BLOCKED)
    atomics.store(this.#control, transactionIndex(transaction, TRANSACTION.STATUS), blocked)
    const list = transactionIndex(blocker, TRANSACTION.DEFERRED)
    for (;;) {
      const head = atomics.load(this.#control, list)
      atomics.store(this.#control, transactionIndex(transaction, TRANSACTION.NEXT_DEFERRED), head)
      if (atomics.compareExchange(this.#control, list, head, transaction + 1) === head) break
    }
    // The blocker may have settled and emptied its list just before: then nobody else would wake us.
    if (this.isSettled(blocker)) this.#releaseDeferred(blocker)
  }

  /** Makes everything that waits for `blocker` ready again. Whoever takes the list releases it. */
  #releaseDeferred(blocker: TxIndex): void {
    const atomics = this.#atomics
    const list = transactionIndex(blocker, TRANSACTION.DEFERRED)
    let head = atomics.load(this.#control, list)
    while (head !== 0) {
      const seen = atomics.compareExchange(this.#control, list, head, 0)
      if (seen === head) break
      head = seen
    }
    while (head !== 0) {
      const transaction = (head - 1) as TxIndex
      head = atomics.load(this.#control, transactionIndex(transaction, TRANSACTION.NEXT_DEFERRED))
      const status = this.#status(transaction)
      if (stateOf(status) !== STATE.BLOCKED) continue
      const ready = packStatus(incarnationOf(status), STATE.READY)
      if (this.#exchange(transaction, status, ready)) {
        this.#rewindExecution(transaction)
      }
    }
  }

  /**
   * Commits what can be committed. Returns whether the commit head moved. A worker that finds the
   * lock taken leaves: the holder looks again after it lets go.
   */
  commit(): boolean {
    const atomics = this.#atomics
    let moved = false
    for (;;) {
      if (!this.#headIsReady()) return moved
      if (atomics.compareExchange(this.#control, CONTROL.COMMIT_LOCK, 0, 1) !== 0) return moved
      try {
        if (this.#commitPrefix()) moved = true
      } finally {
        atomics.store(this.#control, CONTROL.COMMIT_LOCK, 0)
      }
      if (atomics.load(this.#control, CONTROL.HALT) !== HALT.RUNNING) return moved
    }
  }

  /** Runs under the commit lock. */
  #commitPrefix(): boolean {
    const atomics = this.#atomics
    const first = atomics.load(this.#control, CONTROL.COMMITTED)
    let head = first
    while (head < this.#count) {
      const transaction = head as TxIndex
      if (!this.#commitHead(transaction)) break
      head++
      atomics.store(this.#control, CONTROL.COMMITTED, head)
      if (this.#gate?.stopsAfter(transaction, this.#outcome(transaction)) === true) {
        this.halt(HALT.STOPPED, transaction)
        return true
      }
    }
    if (head === this.#count) this.halt(HALT.DONE, head)
    return head > first
  }

  /** Commits the transaction at the commit head, or passes it over. Returns whether it did. */
  #commitHead(transaction: TxIndex): boolean {
    const status = this.#status(transaction)
    if (this.#gate?.admits(transaction) === false) return this.#refuse(transaction, status)
    if (stateOf(status) !== STATE.EXECUTED) return false
    if (this.#judge.refutes(transaction, true)) {
      this.#invalidate(transaction, status)
      return false
    }
    const outcome = this.#outcome(transaction)
    if (outcome === OUTCOME.ERROR && this.#gate === undefined) {
      this.halt(HALT.INVALID_TRANSACTION, transaction)
      return false
    }
    // Everything below is final, so nothing can invalidate it any more; a cursor validation that is
    // under way now resolves the same versions and finds the same.
    if (!this.#exchange(transaction, status, packStatus(incarnationOf(status), STATE.COMMITTED))) {
      return false
    }
    this.#judge.committed(transaction)
    if (outcome === OUTCOME.RESULT) this.#gate?.admitted(transaction)
    return true
  }

  /**
   * Passes over a transaction that does not fit, whether it was executed or not; what it wrote goes, and
   * those above that read it are repeated. One that somebody holds is passed over when he lets go.
   */
  #refuse(transaction: TxIndex, status: number): boolean {
    if (!isFree(status)) return false
    const incarnation = incarnationOf(status)
    if (!this.#exchange(transaction, status, packStatus(incarnation, STATE.ABORTING))) return false
    this.#gate?.refused(transaction)
    const committed = packStatus(incarnation, STATE.COMMITTED)
    this.#atomics.store(this.#control, transactionIndex(transaction, TRANSACTION.STATUS), committed)
    this.#releaseDeferred(transaction)
    this.#rewind(CONTROL.VALIDATION_CURSOR, transaction + 1)
    return true
  }

  #outcome(transaction: TxIndex): number {
    return this.#atomics.load(this.#control, transactionIndex(transaction, TRANSACTION.OUTCOME))
  }

  /** Whether it is worth taking the commit lock. */
  #headIsReady(): boolean {
    const head = this.#atomics.load(this.#control, CONTROL.COMMITTED) as TxIndex
    if (head >= this.#count) return false
    const status = this.#status(head)
    return (
      stateOf(status) === STATE.EXECUTED ||
      (this.#gate !== undefined && isFree(status) && !this.#gate.admits(head))
    )
  }

  /** Aborts an executed incarnation, unless somebody else already has. */
  #invalidate(transaction: TxIndex, executed: number): void {
    const incarnation = incarnationOf(executed)
    if (!this.#exchange(transaction, executed, packStatus(incarnation, STATE.ABORTING))) return
    this.#atomics.add(this.#control, CONTROL.FAILED_VALIDATIONS, 1)
    this.#judge.markEstimates(transaction)
    this.#atomics.store(
      this.#control,
      transactionIndex(transaction, TRANSACTION.STATUS),
      packStatus(incarnation + 1, STATE.READY),
    )
    this.#rewind(CONTROL.VALIDATION_CURSOR, transaction + 1)
    this.#rewindExecution(transaction)
  }

  #status(transaction: TxIndex): number {
    return this.#atomics.load(this.#control, transactionIndex(transaction, TRANSACTION.STATUS))
  }

  #exchange(transaction: TxIndex, from: number, to: number): boolean {
    const index = transactionIndex(transaction, TRANSACTION.STATUS)
    return this.#atomics.compareExchange(this.#control, index, from, to) === from
  }

  #advance(cursor: number, from: number): boolean {
    return this.#atomics.compareExchange(this.#control, cursor, from, from + 1) === from
  }

  /** `transaction` is ready (again): whoever claims finds it. */
  #rewindExecution(transaction: TxIndex): void {
    const position = this.#order?.positionOf(transaction) ?? -1
    if (position >= 0) this.#rewind(CONTROL.PRIORITY_CURSOR, position)
    this.#rewind(CONTROL.EXECUTION_CURSOR, transaction)
  }

  /** Lowers a cursor to `to`; a cursor that is lower stays. */
  #rewind(cursor: number, to: number): void {
    for (;;) {
      const current = this.#atomics.load(this.#control, cursor)
      if (current <= to) return
      if (this.#atomics.compareExchange(this.#control, cursor, current, to) === current) return
    }
  }
}

/** Whether nobody holds the transaction: its status may be changed by whoever wins the exchange. */
function isFree(status: number): boolean {
  const state = stateOf(status)
  return state === STATE.READY || state === STATE.BLOCKED || state === STATE.EXECUTED
}
