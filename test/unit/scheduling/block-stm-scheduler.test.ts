// Holds the scheduler, called by one thread, to the order of work: who may be claimed, validated,
// finished and deferred when. The judge is the test's. What happens between atomic operations is the
// interleaver's matter.
import { describe, expect, it } from 'vitest'
import { NOTHING } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { CONTROL } from '../../../src/memory/layout.ts'
import {
  BlockStmScheduler,
  type VersionJudge,
} from '../../../src/scheduling/block-stm-scheduler.ts'
import { packStatus, STATE } from '../../../src/scheduling/transaction-status.ts'
import { atomicsWith } from '../../support/atomics.ts'
import { ALL, Block, tx } from './support/block.ts'

describe('claiming', () => {
  it('hands out transactions in order, each once', () => {
    const { scheduler } = new Block(3)
    const claimed = [1, 2, 3, 4].map(() => scheduler.claimExecution(ALL))
    expect(claimed).toEqual([0, 1, 2, NOTHING])
  })

  it('hands out nothing at or above the limit', () => {
    const { scheduler } = new Block(3)
    scheduler.claimExecution(ALL)
    expect(scheduler.claimExecution(1)).toBe(NOTHING)
    expect(scheduler.claimExecution(2)).toBe(1)
  })

  it('passes over what others hold or have finished', () => {
    const block = new Block(4)
    block.set(0, 'STATUS', packStatus(0, STATE.EXECUTED))
    block.set(1, 'STATUS', packStatus(0, STATE.EXECUTING))
    block.set(2, 'STATUS', packStatus(2, STATE.ABORTING))
    expect(block.scheduler.claimExecution(ALL)).toBe(3)
  })

  it('takes what became ready again, with its next incarnation', () => {
    const block = new Block(3)
    block.execute(0)
    block.execute(1)
    block.stale.add(0)
    block.scheduler.validateNext()
    block.stale.clear()
    expect(block.scheduler.claimExecution(ALL)).toBe(0)
    expect(block.scheduler.incarnation(tx(0))).toBe(1)
    expect(block.status(0)).toBe('EXECUTING(1)')
  })

  it('leaves a transaction to who is faster', () => {
    const block = new Block(2)
    let claimedByOther: number | undefined
    const slow = block.another(
      atomicsWith({
        compareExchange: (words, index, expected, replacement) => {
          claimedByOther ??= block.scheduler.claimExecution(ALL)
          return Atomics.compareExchange(words, index, expected, replacement)
        },
      }),
    )
    expect(slow.claimExecution(ALL)).toBe(1)
    expect(claimedByOther).toBe(0)
  })
})

describe('settledness', () => {
  it('is having a finished incarnation, and nothing less', () => {
    const block = new Block(1)
    const settled = Object.values(STATE).filter((state) => {
      block.set(0, 'STATUS', packStatus(3, state))
      return block.scheduler.isSettled(0)
    })
    expect(settled.sort()).toEqual([STATE.EXECUTED, STATE.COMMITTED].sort())
  })
})

describe('validation by the cursor', () => {
  it('goes no further than execution has come', () => {
    const block = new Block(3)
    expect(block.scheduler.validateNext()).toBe(false)
    block.execute(0)
    expect(block.scheduler.validateNext()).toBe(true)
    expect(block.scheduler.validateNext()).toBe(false)
    expect(block.events).toEqual(['validation of 0'])
  })

  it('passes over what is not executed', () => {
    const block = new Block(3)
    block.scheduler.claimExecution(ALL)
    block.execute(1)
    expect(block.scheduler.validateNext()).toBe(true)
    expect(block.events).toEqual(['validation of 1'])
  })

  it('aborts what is stale: estimates are marked before it is ready again', () => {
    const block = new Block(2)
    block.execute(0)
    block.stale.add(0)
    const marked: string[] = []
    block.whileValidating = () => marked.push(block.status(0))
    block.scheduler.validateNext()
    expect(block.events).toEqual(['validation of 0', 'estimates of 0'])
    expect(block.status(0)).toBe('READY(1)')
    expect(block.control[CONTROL.FAILED_VALIDATIONS]).toBe(1)
  })

  it('marks estimates while nobody can claim the transaction', () => {
    const block = new Block(1)
    let statusThen = ''
    const judge: VersionJudge = {
      refutes: () => true,
      markEstimates: () => {
        statusThen = block.status(0)
      },
      committed: () => {},
    }
    block.execute(0)
    new BlockStmScheduler(block.control, nativeAtomics, judge).validateNext()
    expect(statusThen).toBe('ABORTING(0)')
  })

  it('rewinds both cursors with an abort, so that it is executed and those above validated again', () => {
    const block = new Block(4)
    for (const transaction of [0, 1, 2, 3]) block.execute(transaction)
    while (block.scheduler.validateNext()) block.events.length = 0
    block.stale.add(1)
    block.set(0, 'STATUS', packStatus(0, STATE.EXECUTING))
    block.scheduler.finish(tx(0), true)
    block.scheduler.validateNext()
    block.scheduler.validateNext()
    expect(block.status(1)).toBe('READY(1)')
    expect(block.cursors).toEqual({ execution: 1, validation: 2 })
  })

  it('leaves cursors that are lower where they are', () => {
    const block = new Block(4)
    for (const transaction of [0, 1, 2]) block.execute(transaction)
    block.control[CONTROL.VALIDATION_CURSOR] = 2
    block.control[CONTROL.EXECUTION_CURSOR] = 3
    block.stale.add(2)
    block.whileValidating = () => {
      block.control[CONTROL.VALIDATION_CURSOR] = 0
      block.control[CONTROL.EXECUTION_CURSOR] = 1
    }
    block.scheduler.validateNext()
    expect(block.status(2)).toBe('READY(1)')
    expect(block.cursors).toEqual({ execution: 1, validation: 0 })
  })

  it('cannot invalidate an incarnation that is no longer the one it looked at', () => {
    const block = new Block(1)
    block.execute(0)
    block.stale.add(0)
    block.whileValidating = () => block.set(0, 'STATUS', packStatus(1, STATE.EXECUTED))
    block.scheduler.validateNext()
    expect(block.status(0)).toBe('EXECUTED(1)')
    expect(block.events).not.toContain('estimates of 0')
  })

  it('cannot invalidate what was committed in the meantime', () => {
    const block = new Block(1)
    block.execute(0)
    block.stale.add(0)
    block.whileValidating = () => block.set(0, 'STATUS', packStatus(0, STATE.COMMITTED))
    block.scheduler.validateNext()
    expect(block.status(0)).toBe('COMMITTED(0)')
  })

  it('aborts an incarnation once where two find it stale at the same time', () => {
    const block = new Block(2)
    block.execute(0)
    block.stale.add(0)
    let nested = false
    block.whileValidating = () => {
      if (nested) return
      nested = true
      block.control[CONTROL.VALIDATION_CURSOR] = 0
      block.another().validateNext()
    }
    block.scheduler.validateNext()
    expect(block.status(0)).toBe('READY(1)')
    expect(block.control[CONTROL.FAILED_VALIDATIONS]).toBe(1)
  })
})

describe('finishing', () => {
  it('leaves validation to the cursor where that has yet to come', () => {
    const block = new Block(2)
    block.execute(0)
    expect(block.events).toEqual([])
    expect(block.cursors.validation).toBe(0)
  })

  it('has those above validated again where it wrote what nobody knew of', () => {
    const block = new Block(3)
    block.scheduler.claimExecution(ALL)
    block.execute(1)
    while (block.scheduler.validateNext());
    expect(block.cursors.validation).toBe(2)
    block.scheduler.finish(tx(0), true)
    expect(block.cursors.validation).toBe(0)
  })

  it('has those above validated again after every repetition', () => {
    const block = new Block(3)
    for (const transaction of [0, 1]) block.execute(transaction)
    block.stale.add(0)
    block.scheduler.validateNext()
    block.stale.clear()
    expect(block.scheduler.claimExecution(ALL)).toBe(0)
    while (block.scheduler.validateNext());
    block.control[CONTROL.VALIDATION_CURSOR] = 2
    block.scheduler.finish(tx(0), false)
    expect(block.cursors.validation).toBe(0)
  })

  it('of a first incarnation that wrote nothing validates itself alone', () => {
    const block = new Block(3)
    block.scheduler.claimExecution(ALL)
    block.execute(1)
    while (block.scheduler.validateNext());
    block.events.length = 0
    block.scheduler.finish(tx(0), false)
    expect(block.events).toEqual(['validation of 0'])
    expect(block.cursors.validation).toBe(2)
  })

  it('aborts itself where that validation fails', () => {
    const block = new Block(3)
    block.scheduler.claimExecution(ALL)
    block.execute(1)
    while (block.scheduler.validateNext());
    block.stale.add(0)
    block.scheduler.finish(tx(0), false)
    expect(block.status(0)).toBe('READY(1)')
    expect(block.cursors.execution).toBe(0)
  })
})

describe('deferring', () => {
  it('gives the transaction back, and makes it ready when the other settles', () => {
    const block = new Block(3)
    block.scheduler.claimExecution(ALL)
    block.scheduler.claimExecution(ALL)
    block.scheduler.defer(tx(1), tx(0))
    expect(block.status(1)).toBe('BLOCKED(0)')
    expect(block.scheduler.claimExecution(ALL)).toBe(2)
    block.scheduler.finish(tx(0), true)
    expect(block.status(1)).toBe('READY(0)')
    expect(block.scheduler.claimExecution(ALL)).toBe(1)
  })

  it('makes it ready at once where the other has settled already', () => {
    const block = new Block(3)
    block.execute(0)
    block.scheduler.claimExecution(ALL)
    block.scheduler.defer(tx(1), tx(0))
    expect(block.status(1)).toBe('READY(0)')
    expect(block.scheduler.claimExecution(ALL)).toBe(1)
  })

  it('remembers all that wait for one, and releases each once', () => {
    const block = new Block(5)
    for (let i = 0; i < 4; i++) block.scheduler.claimExecution(ALL)
    for (const waiting of [3, 1, 2]) block.scheduler.defer(tx(waiting), tx(0))
    block.scheduler.finish(tx(0), true)
    const claimed = [1, 2, 3, 4].map(() => block.scheduler.claimExecution(ALL))
    expect(claimed).toEqual([1, 2, 3, 4])
  })

  it('keeps the incarnation: nothing was executed', () => {
    const block = new Block(2)
    block.set(1, 'STATUS', packStatus(4, STATE.READY))
    block.scheduler.claimExecution(ALL)
    block.scheduler.claimExecution(ALL)
    block.scheduler.defer(tx(1), tx(0))
    block.scheduler.finish(tx(0), true)
    expect(block.status(1)).toBe('READY(4)')
  })

  it('works in chains', () => {
    const block = new Block(3)
    for (let i = 0; i < 3; i++) block.scheduler.claimExecution(ALL)
    block.scheduler.defer(tx(2), tx(1))
    block.scheduler.defer(tx(1), tx(0))
    block.scheduler.finish(tx(0), true)
    expect([block.status(1), block.status(2)]).toEqual(['READY(0)', 'BLOCKED(0)'])
    block.execute(1)
    expect(block.status(2)).toBe('READY(0)')
  })
})
