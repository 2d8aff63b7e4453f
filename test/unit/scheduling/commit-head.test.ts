// Holds the commit head: the executed prefix in order, one worker at a time, each after a final validation.
// Only here an invalid transaction is an error. The judge is the test's.
import { describe, expect, it } from 'vitest'

import { CONTROL, HALT, OUTCOME } from '../../../src/memory/layout.ts'
import { atomicsWith } from '../../support/atomics.ts'
import { ALL, Block, tx } from './support/block.ts'

describe('committing', () => {
  it('takes the executed prefix in order, each after a final validation', () => {
    const block = new Block(4)
    block.execute(0)
    block.execute(1)
    block.scheduler.claimExecution(ALL)
    block.execute(3)
    expect(block.scheduler.commit()).toBe(true)
    expect(block.events).toEqual([
      'final validation of 0',
      'commit of 0',
      'final validation of 1',
      'commit of 1',
    ])
    expect(block.scheduler.committedEnd()).toBe(2)
    expect(block.scheduler.halted()).toBe(HALT.RUNNING)
    expect(block.scheduler.commit()).toBe(false)
  })

  it('halts the block when its last transaction is committed', () => {
    const block = new Block(2)
    block.execute(0)
    block.execute(1)
    block.scheduler.commit()
    expect(block.scheduler.halted()).toBe(HALT.DONE)
    expect([0, 1].map((transaction) => block.status(transaction))).toEqual([
      'COMMITTED(0)',
      'COMMITTED(0)',
    ])
  })

  it('aborts a stale head, and takes its next incarnation', () => {
    const block = new Block(2)
    block.execute(0)
    block.stale.add(0)
    expect(block.scheduler.commit()).toBe(false)
    expect(block.status(0)).toBe('READY(1)')
    block.stale.clear()
    block.execute(0)
    expect(block.scheduler.commit()).toBe(true)
    expect(block.status(0)).toBe('COMMITTED(1)')
  })

  it('leaves at once where another commits', () => {
    const block = new Block(1)
    block.execute(0)
    block.control[CONTROL.COMMIT_LOCK] = 1
    expect(block.scheduler.commit()).toBe(false)
    expect(block.events).toEqual([])
    expect(block.status(0)).toBe('EXECUTED(0)')
  })

  it('looks again after it let go, for what a worker that found it locked has left', () => {
    const block = new Block(2)
    block.execute(0)
    expect(block.scheduler.claimExecution(ALL)).toBe(1)
    const other = block.another()
    let otherCommitted: boolean | undefined
    const committing = block.another(
      atomicsWith({
        store: (words, index, value) => {
          if (index === CONTROL.COMMIT_LOCK && otherCommitted === undefined) {
            // Just before the lock is let go, the next transaction is finished.
            other.finish(tx(1), true)
            otherCommitted = other.commit()
          }
          return Atomics.store(words, index, value)
        },
      }),
    )
    expect(committing.commit()).toBe(true)
    expect(otherCommitted).toBe(false)
    expect(block.scheduler.committedEnd()).toBe(2)
    expect(block.scheduler.halted()).toBe(HALT.DONE)
  })

  it('lets the lock go even when validation throws', () => {
    const block = new Block(1)
    block.execute(0)
    block.whileValidating = () => {
      throw new Error('memory is gone')
    }
    expect(() => block.scheduler.commit()).toThrow('memory is gone')
    expect(block.control[CONTROL.COMMIT_LOCK]).toBe(0)
  })
})

describe('an invalid transaction', () => {
  it('halts the block at the commit head, with everything below it committed', () => {
    const block = new Block(3)
    for (const transaction of [0, 1, 2]) block.execute(transaction)
    block.set(1, 'OUTCOME', OUTCOME.ERROR)
    expect(block.scheduler.commit()).toBe(true)
    expect(block.scheduler.halted()).toBe(HALT.INVALID_TRANSACTION)
    expect(block.control[CONTROL.HALT_TRANSACTION]).toBe(1)
    expect(block.scheduler.committedEnd()).toBe(1)
    expect(block.events).not.toContain('commit of 1')
  })

  it('halts nothing above the commit head: it may have seen stale state', () => {
    const block = new Block(2)
    expect(block.scheduler.claimExecution(ALL)).toBe(0)
    block.execute(1)
    block.set(1, 'OUTCOME', OUTCOME.ERROR)
    block.scheduler.validateNext()
    block.scheduler.commit()
    expect(block.scheduler.halted()).toBe(HALT.RUNNING)
  })

  it('is executed again where what it saw was stale', () => {
    const block = new Block(1)
    block.execute(0)
    block.set(0, 'OUTCOME', OUTCOME.ERROR)
    block.stale.add(0)
    block.scheduler.commit()
    expect(block.scheduler.halted()).toBe(HALT.RUNNING)
    expect(block.status(0)).toBe('READY(1)')
    block.stale.clear()
    block.set(0, 'OUTCOME', OUTCOME.RESULT)
    block.execute(0)
    block.scheduler.commit()
    expect(block.scheduler.halted()).toBe(HALT.DONE)
  })
})

describe('halting', () => {
  it('keeps the first reason', () => {
    const { scheduler } = new Block(1)
    expect(scheduler.halt(HALT.WORKER_ERROR, 0)).toBe(true)
    expect(scheduler.halt(HALT.DONE, 1)).toBe(false)
    expect(scheduler.halted()).toBe(HALT.WORKER_ERROR)
  })
})
