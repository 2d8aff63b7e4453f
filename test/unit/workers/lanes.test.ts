// What a worker's suspended lanes tell the one that runs: whether the commit head waits for it.
// Authority on nothing but that; how lanes are woken is test/pitfalls' and the interleaver's.
import { describe, expect, it } from 'vitest'
import { NOTHING, type TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { BASE, blockHashIndex } from '../../../src/memory/layout.ts'
import { SharedRegion } from '../../../src/memory/shared-region.ts'
import { LaneBoard } from '../../../src/workers/lanes.ts'
import { ALL, Block } from '../scheduling/support/block.ts'

const [head, middle, last] = [0, 1, 2] as TxIndex[] as [TxIndex, TxIndex, TxIndex]

function boardOf(block: Block): LaneBoard {
  return new LaneBoard(block.control, SharedRegion.create(1 << 16), block.scheduler, nativeAtomics)
}

describe('the transaction at the commit head', () => {
  it('waits for higher ones while nobody has claimed it', () => {
    const block = new Block(3)
    const board = boardOf(block)
    expect(board.waitingHead(last)).toBe(head)
    expect(board.waitingHead(head)).toBe(NOTHING)
    block.scheduler.claimExecution(ALL)
    expect(board.waitingHead(last)).toBe(NOTHING)
    block.scheduler.finish(head, true)
    block.scheduler.commit()
    expect(board.waitingHead(last)).toBe(middle)
  })

  it('waits for those that run on its worker once it could go on', async () => {
    const block = new Block(3)
    const [mine, other] = [boardOf(block), boardOf(block)]
    block.scheduler.claimExecution(ALL)
    await mine.run(() => void mine.waits(head).blockHash(1))
    expect(mine.waitingHead(last)).toBe(NOTHING)
    block.control[blockHashIndex(1)] = BASE.PRESENT
    expect(mine.waitingHead(last)).toBe(head)
    expect(other.waitingHead(last)).toBe(NOTHING)
  })

  it('is final before those go on that gave way to it', async () => {
    const block = new Block(3)
    const board = boardOf(block)
    block.scheduler.claimExecution(ALL)
    await board.run(() => void board.waits(last).committed(head))
    expect(board.lowestSuspended()).toBe(last)
    expect(board.takeReady()).toBeUndefined()
    block.scheduler.finish(head, true)
    expect(board.takeReady()).toBeUndefined()
    block.scheduler.commit()
    expect(board.takeReady()).toBeDefined()
  })
})
