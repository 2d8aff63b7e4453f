// Holds that every transaction is taken once, in the order of priority, and that who has nothing steals.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Admission } from '../../../src/engine/admission.ts'
import { BOARD, createBoard } from '../../../src/engine/board.ts'
import { StealingQueues } from '../../../src/engine/stealing-queues.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'

function queuesOf(workers: number, priorities: readonly number[]): StealingQueues {
  const shape = { workers, transactions: priorities.length }
  const board = new Int32Array(createBoard(shape))
  StealingQueues.order(board, shape, (transaction) => priorities[transaction]!)
  return new StealingQueues(nativeAtomics, board, shape)
}

describe('queues', () => {
  it('give each transaction to one worker, however they take turns', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(255), { maxLength: 200 }),
        fc.infiniteStream(fc.nat(4)),
        (workers, priorities, turns) => {
          const queues = queuesOf(workers, priorities)
          const taken: number[] = []
          const finished = new Set<number>()
          for (const turn of turns) {
            if (finished.size === workers) break
            const transaction = queues.next(turn % workers)
            if (transaction === -1) finished.add(turn % workers)
            else taken.push(transaction)
          }
          expect(taken.sort((a, b) => a - b)).toEqual(priorities.map((_, i) => i))
        },
      ),
    )
  })

  it('give a single worker the highest priority first, and equal ones as they came', () => {
    const queues = queuesOf(1, [3, 255, 3, 0, 255])
    expect(Array.from({ length: 6 }, () => queues.next(0))).toEqual([1, 4, 0, 2, 3, -1])
  })

  it('let one that has nothing take half of what another has left', () => {
    const queues = queuesOf(
      2,
      Array.from({ length: 8 }, () => 0),
    )
    // Two of eight, then of six left two, ...: the first takes pieces until all are in queues.
    const first = [queues.next(0), queues.next(1)]
    expect(first).toEqual([0, 2])
    const rest: number[] = []
    for (let next = queues.next(1); next !== -1; next = queues.next(1)) rest.push(next)
    expect(rest).toContain(1)
    expect(queues.next(0)).toBe(-1)
  })

  it('let thieves take from the back, where what has less priority is, and nothing twice', () => {
    const count = 200
    const queues = queuesOf(
      2,
      Array.from({ length: count }, () => 0),
    )
    // A piece of 32, of which 31 are left.
    expect(queues.next(0)).toBe(0)
    const taken = [0]
    for (let i = 32; i < count; i++) taken.push(queues.next(1))
    expect(Math.min(...taken.slice(1))).toBe(32)
    // Nothing is left but the first one's: the back half of that, and then what has priority is still there.
    expect(queues.next(1)).toBe(16)
    expect(queues.next(0)).toBe(1)
    taken.push(16, 1)
    for (let turn = 0; taken.length < count; turn++) taken.push(queues.next(turn % 2))
    expect([...taken].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
    expect([queues.next(0), queues.next(1)]).toEqual([-1, -1])
  })
})

describe('admission', () => {
  const admit = (workers: number) => {
    const board = new Int32Array(createBoard({ workers, transactions: 1 }))
    Admission.start(board, workers)
    return { board, admission: new Admission(nativeAtomics, board, workers) }
  }

  it('lets as many in as there may be at once', () => {
    const { admission } = admit(2)
    expect([admission.tryEnter(), admission.tryEnter(), admission.tryEnter()]).toEqual([
      true,
      true,
      false,
    ])
    admission.leave()
    expect(admission.tryEnter()).toBe(true)
    admission.calm()
    admission.leave()
    expect(admission.tryEnter()).toBe(false)
  })

  it('goes down to one at a time where all conflict, and loses little by trying more again', () => {
    const { board, admission } = admit(8)
    let wasted = 0
    for (let execution = 0; execution < 5000; execution++) {
      const inVain = nativeAtomics.load(board, BOARD.LIMIT) > 1 && execution % 2 === 1
      if (inVain) wasted++
      admission.count(inVain)
    }
    expect(nativeAtomics.load(board, BOARD.LIMIT)).toBeLessThanOrEqual(2)
    expect(wasted).toBeLessThan(100)
  })

  it('goes back to all where nothing conflicts any more', () => {
    const { board, admission } = admit(4)
    for (let execution = 0; execution < 100; execution++) admission.count(true)
    expect(nativeAtomics.load(board, BOARD.LIMIT)).toBe(1)
    for (let execution = 0; execution < 20_000; execution++) admission.count(false)
    expect(nativeAtomics.load(board, BOARD.LIMIT)).toBe(4)
  })
})
