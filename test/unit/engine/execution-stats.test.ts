// Holds the rates and the limits at which they are alarming.
import { describe, expect, it } from 'vitest'

import { type Alert, ExecutionStats } from '../../../src/engine/execution-stats.ts'
import { errorOf } from './support/values.ts'

describe('statistics', () => {
  it('are rates of transactions and executions', () => {
    const stats = new ExecutionStats()
    expect([stats.successRate(), stats.rollbackRate(), stats.conflictRate()]).toEqual([1, 0, 0])
    stats.add({ successful: 8, failed: 2, retries: 10, conflicts: 5, rollbacks: 12, elapsedMs: 3 })
    expect(stats.totalTxs()).toBe(10)
    expect([stats.successRate(), stats.rollbackRate(), stats.conflictRate()]).toEqual([
      0.8, 0.6, 0.25,
    ])
    stats.reset()
    expect(stats.totalTxs()).toBe(0)
  })

  it('raise an alert beyond each limit, and not at it', () => {
    const alerts: Alert[] = []
    const stats = new ExecutionStats({}, (alert) => alerts.push(alert))
    stats.add({ successful: 95, failed: 5, conflicts: 10, rollbacks: 50 })
    expect(alerts).toEqual([])
    stats.add({ failed: 1, conflicts: 1, rollbacks: 10 })
    expect(alerts.map(({ rate, threshold }) => [rate, threshold])).toEqual([
      ['success', 0.95],
      ['conflict', 0.1],
      ['rollback', 0.5],
    ])
    expect(alerts[0]!.message).toContain('below 0.95')
    expect(new ExecutionStats({ minSuccessRate: 0 }).alerts()).toEqual([])
  })

  it('refuse limits that are no rates', () => {
    for (const thresholds of [
      { minSuccessRate: 2 },
      { maxConflictRate: Number.NaN },
      { max: 0 } as never,
      { minSuccessRate: '0.5' } as never,
      { toString: 0.5 } as never,
    ]) {
      expect(errorOf(() => new ExecutionStats(thresholds)).code).toBe('INVALID_OPTION')
    }
    expect(errorOf(() => new ExecutionStats({}, 5 as never)).code).toBe('INVALID_OPTION')
    const byDefault = new ExecutionStats({ minSuccessRate: undefined } as never)
    byDefault.add({ successful: 9, failed: 1 })
    expect(byDefault.alerts()).toHaveLength(1)
  })

  it('let what a listener throws be no error of what was counted', async () => {
    const thrown = new Promise((resolve) => {
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other)
        resolve(error)
      })
    })
    const boom = new Error('boom')
    const stats = new ExecutionStats({}, () => {
      throw boom
    })
    stats.add({ failed: 1 })
    expect(stats.failed).toBe(1)
    expect(await thrown).toBe(boom)
  })
})
