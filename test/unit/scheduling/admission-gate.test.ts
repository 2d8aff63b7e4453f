// Holds what is let into a block that is being built: by gas, by blobs, and what ends the run.
// Authority on the gate alone and with the scheduler; on results, the tests of building are.
import { describe, expect, it } from 'vitest'
import type { LocationId, TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import {
  CONTROL,
  HALT,
  LOCATION,
  OUTCOME,
  SLOT,
  TRANSACTION,
  transactionIndex,
} from '../../../src/memory/layout.ts'
import { FOUND } from '../../../src/mvcc/version-store.ts'
import {
  AdmissionGate,
  MOST_BLOCK_GAS,
  type TermsOfAdmission,
  writeTerms,
} from '../../../src/scheduling/admission-gate.ts'
import { BlockStmScheduler } from '../../../src/scheduling/block-stm-scheduler.ts'
import { packStatus, STATE } from '../../../src/scheduling/transaction-status.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const tx = (index: number): TxIndex => index as TxIndex
const far = 2n ** 40n

function gateFor(terms: Partial<TermsOfAdmission>): { memory: VersionMemory; gate: AdmissionGate } {
  const memory = new VersionMemory()
  const { control, block, allocator } = memory
  control[CONTROL.TRANSACTION_COUNT] = terms.gasLimits?.length ?? 0
  const gasLimits = terms.gasLimits ?? []
  writeTerms(control, block, allocator, {
    gasLeft: 100n,
    blobsLeft: 0,
    stopsAtInvalid: false,
    stopsWhenFull: false,
    gasLimits,
    blobs: gasLimits.map(() => 0),
    ...terms,
  })
  return { memory, gate: new AdmissionGate(control, memory.store, nativeAtomics) }
}

function uses(memory: VersionMemory, index: number, gas: bigint): void {
  const at = transactionIndex(index, TRANSACTION.BLOCK_GAS)
  memory.control[at] = Number(gas & 0xffff_ffffn) | 0
  memory.control[at + 1] = Number(gas >> 32n)
}

describe('the gate', () => {
  it('is there where a block is being built only', () => {
    const memory = new VersionMemory()
    expect(AdmissionGate.of(memory.control, memory.store, nativeAtomics)).toBeUndefined()
    const built = gateFor({ gasLimits: [1n] }).memory
    expect(AdmissionGate.of(built.control, built.store, nativeAtomics)).toBeDefined()
  })

  it('counts what transactions used, and not what they asked for', () => {
    const { memory, gate } = gateFor({ gasLimits: [100n, 71n, 70n] })
    expect(gate.admits(tx(0))).toBe(true)
    uses(memory, 0, 30n)
    gate.admitted(tx(0))
    expect(gate.admits(tx(1))).toBe(false)
    expect(gate.admits(tx(2))).toBe(true)
  })

  it('counts beyond 32 bits, down to nothing', () => {
    const { memory, gate } = gateFor({ gasLeft: far + 5n, gasLimits: [far, 6n, 5n, 1n, 0n] })
    uses(memory, 0, far)
    gate.admitted(tx(0))
    expect([1, 2].map((index) => gate.admits(tx(index)))).toEqual([false, true])
    uses(memory, 2, 5n)
    gate.admitted(tx(2))
    expect([3, 4].map((index) => gate.admits(tx(index)))).toEqual([false, true])
  })

  it('has room for no transaction that asks for more than any block has', () => {
    const { gate } = gateFor({
      gasLeft: MOST_BLOCK_GAS,
      gasLimits: [MOST_BLOCK_GAS, MOST_BLOCK_GAS + 1n, 2n ** 255n],
    })
    expect([0, 1, 2].map((index) => gate.admits(tx(index)))).toEqual([true, false, false])
  })

  it('counts blobs apart from gas', () => {
    const { gate } = gateFor({ blobsLeft: 3, gasLimits: [1n, 1n, 1n], blobs: [2, 2, 0] })
    expect(gate.admits(tx(0))).toBe(true)
    gate.admitted(tx(0))
    expect([1, 2].map((index) => gate.admits(tx(index)))).toEqual([false, true])
  })

  it('stops at what it is told to stop at', () => {
    const stops = (terms: Partial<TermsOfAdmission>): boolean[] => {
      const { gate } = gateFor({ gasLimits: [1n, 101n, 1n], blobs: [0, 0, 1], ...terms })
      return [
        gate.stopsAfter(tx(0), OUTCOME.RESULT),
        gate.stopsAfter(tx(0), OUTCOME.ERROR),
        gate.stopsAfter(tx(1), OUTCOME.REFUSED),
        gate.stopsAfter(tx(2), OUTCOME.REFUSED),
      ]
    }
    expect(stops({})).toEqual([false, false, false, false])
    expect(stops({ stopsWhenFull: true })).toEqual([false, false, true, false])
    expect(stops({ stopsAtInvalid: true })).toEqual([false, true, true, true])
  })
})

describe('the scheduler with a gate', () => {
  const setUp = (terms: Partial<TermsOfAdmission>) => {
    const { memory, gate } = gateFor(terms)
    const log: string[] = []
    const judge = {
      refutes: () => false,
      markEstimates: () => {},
      committed: (transaction: TxIndex) => log.push(`committed ${transaction}`),
    }
    const order = undefined
    const scheduler = new BlockStmScheduler(memory.control, nativeAtomics, judge, order, gate)
    return { memory, scheduler, log }
  }
  const gasLimits = [10n, 10n, 10n]

  it('passes over an invalid transaction, and goes on', () => {
    const { memory, scheduler } = setUp({ gasLimits })
    for (const _ of gasLimits) scheduler.claimExecution(3)
    memory.setField(1, 'OUTCOME', OUTCOME.ERROR)
    for (const index of [0, 1, 2]) scheduler.finish(tx(index), true)
    expect(scheduler.commit()).toBe(true)
    expect(scheduler.committedEnd()).toBe(3)
    expect(scheduler.halted()).toBe(HALT.DONE)
  })

  it('passes over what does not fit without executing it', () => {
    const { memory, scheduler, log } = setUp({ gasLeft: 10n, gasLimits: [10n, 10n, 0n] })
    expect(scheduler.claimExecution(1)).toBe(0)
    uses(memory, 0, 5n)
    scheduler.finish(tx(0), true)
    scheduler.commit()
    expect(scheduler.committedEnd()).toBe(2)
    expect(memory.field(1, 'OUTCOME')).toBe(OUTCOME.REFUSED)
    expect(log).toEqual(['committed 0'])
    expect(scheduler.claimExecution(3)).toBe(2)
  })

  it('does not pass over one that is being executed before that has ended', () => {
    const { scheduler } = setUp({ gasLeft: 5n, gasLimits })
    expect(scheduler.claimExecution(3)).toBe(0)
    expect(scheduler.commit()).toBe(false)
    scheduler.finish(tx(0), true)
    expect(scheduler.commit()).toBe(true)
    expect(scheduler.committedEnd()).toBe(3)
  })

  it('wakes what was put aside for one that is passed over', () => {
    const { scheduler, memory } = setUp({ gasLimits: [101n, 1n] })
    expect([scheduler.claimExecution(2), scheduler.claimExecution(2)]).toEqual([0, 1])
    memory.setField(0, 'STATUS', packStatus(0, STATE.READY))
    scheduler.defer(tx(1), tx(0))
    expect(memory.field(1, 'STATUS')).toBe(packStatus(0, STATE.BLOCKED))
    expect(scheduler.commit()).toBe(true)
    expect(memory.field(1, 'STATUS')).toBe(packStatus(0, STATE.READY))
    expect(scheduler.claimExecution(2)).toBe(1)
  })

  it('stops after the transaction that it is told to stop at, with it committed', () => {
    const { scheduler } = setUp({ gasLeft: 5n, stopsWhenFull: true, gasLimits })
    expect(scheduler.commit()).toBe(true)
    expect(scheduler.committedEnd()).toBe(1)
    expect(scheduler.halted()).toBe(HALT.STOPPED)
  })

  it('takes back what one has written that does not fit, and has its readers looked at again', () => {
    const { memory, scheduler } = setUp({ gasLeft: 5n, gasLimits: [10n, 1n] })
    for (const _ of gasLimits) scheduler.claimExecution(2)
    const slot = memory.slot(memory.account(1), 1, 0)
    const location = (slot + SLOT.HEAD) as LocationId
    const node = memory.publishSlot(slot, 0, 7)
    memory.setField(0, 'WRITE_SET', memory.writeSet([[LOCATION.SLOT, location, node]]))
    scheduler.finish(tx(0), true)
    memory.control[CONTROL.VALIDATION_CURSOR] = 2
    expect(memory.store.find(location, tx(1))).toBe(FOUND.VERSION)
    expect(scheduler.commit()).toBe(true)
    expect(memory.store.find(location, tx(1))).toBe(FOUND.BASE)
    expect(memory.control[CONTROL.VALIDATION_CURSOR]).toBe(1)
  })
})
