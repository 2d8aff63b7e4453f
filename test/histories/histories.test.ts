// Holds what the store claims of its transactions: snapshot isolation, and serializability where asked for.
// Must not depend on how the threads' turns fall: whatever happened has to be allowed.
import { describe, expect, it } from 'vitest'

import { findSerialFaults, findSnapshotFaults } from './checker.ts'
import type { History, Operation, Transaction } from './history.ts'
import { runHistories } from './run-histories.ts'

const seed = Math.floor(Math.random() * 2 ** 30)

describe('random histories of three threads', () => {
  it('with snapshot isolation show snapshots, and lose no update', async () => {
    const { faults, histories, committed } = await runHistories(300, 'snapshot', seed)
    expect(faults, `seed ${seed}`).toEqual([])
    expect(histories).toBe(300)
    expect(committed).toBeGreaterThan(300)
  })

  it('with isolation serializable are explained by some order', async () => {
    const { faults, notSerializable, committed } = await runHistories(300, 'serializable', seed)
    expect(faults, `seed ${seed}`).toEqual([])
    expect(notSerializable).toBe(0)
    expect(committed).toBeGreaterThan(300)
  })
})

describe('the checker', () => {
  const read = (key: string, value?: string): Operation => ({ kind: 'read', key, value })
  const write = (key: string, value?: string): Operation => ({ kind: 'write', key, value })
  const did = (
    id: string,
    startTs: number,
    commitTs: number | undefined,
    ...operations: Operation[]
  ): Transaction => ({
    id,
    // Each in a thread of its own: sessions are tried apart.
    worker: id.charCodeAt(0),
    operations,
    began: 0,
    ended: 1,
    startTs,
    commitTs,
    isReadOnly: false,
  })
  const history = (...transactions: Transaction[]): History => {
    const sorted = transactions
      .filter(({ commitTs }) => commitTs !== undefined)
      .sort((a, b) => a.commitTs! - b.commitTs!)
    const final = new Map<string, string | undefined>()
    for (const { operations } of sorted) {
      for (const { kind, key, value } of operations) if (kind === 'write') final.set(key, value)
    }
    return { transactions, final }
  }
  const first = did('a', 0, 1, write('x', 'x1'), write('y', 'y1'))

  it('has nothing against transactions that saw each other in order', () => {
    const fine = history(
      first,
      did('b', 1, 2, read('x', 'x1'), write('x', 'x2'), read('x', 'x2')),
      did('c', 1, 1, read('x', 'x1'), read('y', 'y1')),
      did('d', 2, 3, read('x', 'x2'), write('y')),
      did('e', 3, 3, read('y')),
    )
    expect([...findSnapshotFaults(fine), ...findSerialFaults(fine)]).toEqual([])
  })

  it.each([
    [
      'a dirty read',
      [first, did('b', 1, undefined, write('x', 'x2')), did('c', 1, 1, read('x', 'x2'))],
    ],
    [
      'a fuzzy read',
      [first, did('b', 1, 2, write('x', 'x2')), did('c', 1, 1, read('x', 'x1'), read('x', 'x2'))],
    ],
    [
      'half of a commit',
      [
        first,
        did('b', 1, 2, write('x', 'x2'), write('y', 'y2')),
        did('c', 2, 2, read('x', 'x2'), read('y', 'y1')),
      ],
    ],
    [
      'a lost update',
      [
        first,
        did('b', 1, 2, read('x', 'x1'), write('x', 'x2')),
        did('c', 1, 3, read('x', 'x1'), write('x', 'x3')),
      ],
    ],
    ['an own write that is not seen', [first, did('b', 1, 2, write('x', 'x2'), read('x', 'x1'))]],
    [
      'a deletion that is not seen',
      [first, did('b', 1, 2, write('x')), did('c', 2, 2, read('x', 'x1'))],
    ],
  ])('finds %s', (_, transactions) => {
    expect(findSnapshotFaults(history(...transactions))).not.toEqual([])
  })

  it('finds a thread that does not see its own commit, and a value that is gone in the end', () => {
    const blind = { ...did('b', 0, 2, write('z', 'z1')), worker: first.worker, began: 5, ended: 6 }
    expect(findSnapshotFaults(history(first, blind))).not.toEqual([])
    expect(findSnapshotFaults({ transactions: [first], final: new Map() })).not.toEqual([])
  })

  it('takes write skew for a snapshot, but not for an order', () => {
    const skew = history(
      first,
      did('b', 1, 2, read('x', 'x1'), write('y', 'y2')),
      did('c', 1, 3, read('y', 'y1'), write('x', 'x2')),
    )
    expect(findSnapshotFaults(skew)).toEqual([])
    expect(findSerialFaults(skew)).toEqual([
      expect.stringMatching(/no order explains (b -> c -> b|c -> b -> c)/),
    ])
  })
})
