// Counts how transactions ended, and says when that is not as it should be.
// Authority on the rates and on the limits at which they are alarming. Must not measure anything itself.

import { ParallelError } from '../errors.ts'
import { invalidOption } from '../options.ts'

/** What is counted. */
export interface ExecutionCounts {
  /** Transactions that committed, and those that did not in the end. */
  readonly successful: number
  readonly failed: number
  /** Executions whose writes were taken back, of failed transactions and of such that ran again. */
  readonly rollbacks: number
  /** Executions beyond the first of each transaction. */
  readonly retries: number
  /** Executions that lost against another transaction. */
  readonly conflicts: number
  /** Milliseconds, of batches the time from start to end. */
  readonly elapsedMs: number
}

/** Limits of the rates; what is beyond them is alarming. */
export interface AlertThresholds {
  /** Default 0.95: an alert below it. */
  minSuccessRate?: number
  /** Default 0.1: an alert above it. */
  maxConflictRate?: number
  /** Default 0.5: an alert above it. */
  maxRollbackRate?: number
}

export interface Alert {
  readonly rate: 'success' | 'conflict' | 'rollback'
  readonly value: number
  readonly threshold: number
  readonly message: string
}

const DEFAULTS: Required<AlertThresholds> = {
  minSuccessRate: 0.95,
  maxConflictRate: 0.1,
  maxRollbackRate: 0.5,
}

export class ExecutionStats implements ExecutionCounts {
  successful = 0
  failed = 0
  rollbacks = 0
  retries = 0
  conflicts = 0
  elapsedMs = 0
  readonly #thresholds: Required<AlertThresholds>
  readonly #onAlert: ((alert: Alert) => void) | undefined

  /**
   * `onAlert` is called after each {@link add} that leaves a rate beyond its threshold. What it throws is
   * an uncaught exception: what has been counted is over, and must not fail because of it.
   * @throws ParallelError `INVALID_OPTION` for a threshold outside of 0..1.
   */
  constructor(thresholds: AlertThresholds = {}, onAlert?: (alert: Alert) => void) {
    const given = Object.entries(thresholds).filter(([, value]) => value !== undefined)
    this.#thresholds = { ...DEFAULTS, ...Object.fromEntries(given) }
    if (onAlert !== undefined && typeof onAlert !== 'function') {
      throw invalidOption('onAlert', onAlert, 'a function')
    }
    this.#onAlert = onAlert
    for (const [name, value] of Object.entries(this.#thresholds)) {
      if (!Object.hasOwn(DEFAULTS, name) || !isRate(value)) {
        throw new ParallelError(
          'INVALID_OPTION',
          `Threshold "${name}" is ${value}; it must be from 0 to 1, and one of ${Object.keys(DEFAULTS).join(', ')}`,
        )
      }
    }
  }

  /** Counts what is named. */
  add(counts: Partial<ExecutionCounts>): void {
    this.successful += counts.successful ?? 0
    this.failed += counts.failed ?? 0
    this.rollbacks += counts.rollbacks ?? 0
    this.retries += counts.retries ?? 0
    this.conflicts += counts.conflicts ?? 0
    this.elapsedMs += counts.elapsedMs ?? 0
    const onAlert = this.#onAlert
    if (onAlert === undefined) return
    for (const alert of this.alerts()) {
      try {
        onAlert(alert)
      } catch (error) {
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  /** Transactions that have ended, one way or the other. */
  totalTxs(): number {
    return this.successful + this.failed
  }

  /** Executions, repetitions among them. */
  totalExecutions(): number {
    return this.totalTxs() + this.retries
  }

  /** Successful per transaction; 1 where there was none. */
  successRate(): number {
    return this.totalTxs() === 0 ? 1 : this.successful / this.totalTxs()
  }

  /** Rollbacks per execution. */
  rollbackRate(): number {
    return this.totalExecutions() === 0 ? 0 : this.rollbacks / this.totalExecutions()
  }

  /** Conflicts per execution. */
  conflictRate(): number {
    return this.totalExecutions() === 0 ? 0 : this.conflicts / this.totalExecutions()
  }

  /** The rates that are beyond their thresholds now. */
  alerts(): Alert[] {
    const { minSuccessRate, maxConflictRate, maxRollbackRate } = this.#thresholds
    const alerts: Alert[] = []
    const alert = (rate: Alert['rate'], value: number, threshold: number): void => {
      const side = rate === 'success' ? 'below' : 'above'
      const message = `The ${rate} rate is ${value.toFixed(3)}, ${side} ${threshold}`
      alerts.push({ rate, value, threshold, message })
    }
    if (this.successRate() < minSuccessRate) alert('success', this.successRate(), minSuccessRate)
    if (this.conflictRate() > maxConflictRate) {
      alert('conflict', this.conflictRate(), maxConflictRate)
    }
    if (this.rollbackRate() > maxRollbackRate) {
      alert('rollback', this.rollbackRate(), maxRollbackRate)
    }
    return alerts
  }

  /** Begins to count anew. */
  reset(): void {
    this.successful = 0
    this.failed = 0
    this.rollbacks = 0
    this.retries = 0
    this.conflicts = 0
    this.elapsedMs = 0
  }
}

function isRate(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}
