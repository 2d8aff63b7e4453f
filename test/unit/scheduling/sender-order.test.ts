// Holds the plan by senders to one edge per transaction, to the nearest one before it of the same sender.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { NO_SENDER } from '../../../src/memory/layout.ts'
import { waitForSenders } from '../../../src/scheduling/sender-order.ts'

/** What each transaction waits for. */
function lists(senders: readonly number[]): number[][] {
  const { starts, targets } = waitForSenders(senders)
  return senders.map((_, index) => Array.from(targets.slice(starts[index], starts[index + 1])))
}

describe('waiting for senders', () => {
  it('lets each transaction wait for the nearest lower one of its sender', () => {
    expect(lists([7, 8, 7, 7, 8])).toEqual([[], [], [0], [2], [1]])
  })

  it('leaves transactions without a sender alone', () => {
    expect(lists([NO_SENDER, 7, NO_SENDER, 7])).toEqual([[], [], [], [1]])
  })

  it('of none is a plan too', () => {
    expect(waitForSenders([])).toEqual({ starts: Int32Array.of(0), targets: new Int32Array(0) })
  })

  it('makes one chain per sender, whoever sends', () => {
    const senders = fc.array(fc.constantFrom(NO_SENDER, 11, 22, 33), { maxLength: 40 })
    fc.assert(
      fc.property(senders, (all) => {
        const expected = all.map((sender, index) => {
          const lower = all.lastIndexOf(sender, index - 1)
          return index === 0 || sender === NO_SENDER || lower === -1 ? [] : [lower]
        })
        expect(lists(all)).toEqual(expected)
      }),
    )
  })
})
