// Holds what a reader at a position of the block sees: the highest version below it, and nothing else.
// A model with maps is the authority; must not look at nodes where a reader's view says it all.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { BlockOffset, LocationId, RecordId, TxIndex } from '../../../src/ids.ts'
import { ACCOUNT, CONTROL, LOCATION, TOUCHED } from '../../../src/memory/layout.ts'
import { FOUND } from '../../../src/mvcc/version-store.ts'
import { VersionMemory } from '../../support/version-memory.ts'

function nonceOf(account: RecordId): LocationId {
  return (account + ACCOUNT.NONCE_HEAD) as LocationId
}
function balanceOf(account: RecordId): LocationId {
  return (account + ACCOUNT.BALANCE_HEAD) as LocationId
}

/** What {@link VersionStore.find} says, with the writer that goes with it. */
function findNonce(memory: VersionMemory, account: RecordId, reader: number): unknown {
  const found = memory.store.find(nonceOf(account), reader as TxIndex)
  if (found === FOUND.BASE) return 'base'
  const { writer, incarnation } = memory.store
  return found === FOUND.ESTIMATE ? { estimate: writer } : { writer, incarnation }
}

/** The sum that a reader sees over a base of 1000. */
function balance(memory: VersionMemory, account: RecordId, reader: number): unknown {
  const found = memory.store.sumBalance(balanceOf(account), reader as TxIndex)
  if (found === FOUND.ESTIMATE) return { estimate: memory.store.writer }
  const { sum, needsBase, writer } = memory.store
  return { balance: needsBase ? sum + 1000n : sum, writer }
}

describe('a reader', () => {
  it('sees the base where nobody below it wrote', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    expect(findNonce(memory, account, 5)).toBe('base')
    memory.publishNonce(account, 5, 1n)
    memory.publishNonce(account, 7, 1n)
    expect(findNonce(memory, account, 5)).toBe('base')
  })

  it('sees the highest version below it, neither its own nor one above', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    for (const transaction of [6, 2, 4]) memory.publishNonce(account, transaction, 1n)
    expect(findNonce(memory, account, 2)).toBe('base')
    expect(findNonce(memory, account, 3)).toEqual({ writer: 2, incarnation: 0 })
    expect(findNonce(memory, account, 4)).toEqual({ writer: 2, incarnation: 0 })
    expect(findNonce(memory, account, 5)).toEqual({ writer: 4, incarnation: 0 })
    expect(findNonce(memory, account, 9)).toEqual({ writer: 6, incarnation: 0 })
  })

  it('sees the incarnation that was published last', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const first = memory.publishNonce(account, 2, 1n)
    expect(memory.publishNonce(account, 2, 1n, 1)).toBe(first)
    expect(findNonce(memory, account, 3)).toEqual({ writer: 2, incarnation: 1 })
  })

  it('is told of an estimate, and by whom it was written', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishNonce(account, 1, 1n)
    memory.store.markEstimate(memory.publishNonce(account, 3, 1n))
    expect(findNonce(memory, account, 5)).toEqual({ estimate: 3 })
    expect(findNonce(memory, account, 3)).toEqual({ writer: 1, incarnation: 0 })
  })

  it('sees a value again once the estimate was published anew', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.store.markEstimate(memory.publishNonce(account, 3, 1n))
    memory.publishNonce(account, 3, 1n, 1)
    expect(findNonce(memory, account, 5)).toEqual({ writer: 3, incarnation: 1 })
  })

  it('skips a withdrawn version, an estimate or not', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishNonce(account, 1, 1n)
    const node = memory.publishNonce(account, 3, 1n)
    memory.store.withdraw(node)
    expect(findNonce(memory, account, 5)).toEqual({ writer: 1, incarnation: 0 })
    // An abort after the withdrawal must not bring it back.
    memory.store.markEstimate(node)
    expect(findNonce(memory, account, 5)).toEqual({ writer: 1, incarnation: 0 })
  })

  it('sees a withdrawn version again once it was published again', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.store.withdraw(memory.publishNonce(account, 3, 1n))
    memory.publishNonce(account, 3, 1n, 2)
    expect(findNonce(memory, account, 5)).toEqual({ writer: 3, incarnation: 2 })
  })

  it('sees each location apart from all others', () => {
    const memory = new VersionMemory()
    const [one, other] = [memory.account(1), memory.account(2)]
    memory.publishNonce(one, 1, 1n)
    memory.publishBalance(one, 2, 'SET', 5n)
    expect(findNonce(memory, other, 5)).toBe('base')
    expect(findNonce(memory, one, 5)).toEqual({ writer: 1, incarnation: 0 })
  })
})

describe('a balance', () => {
  it('is the base and all additions below the reader', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishBalance(account, 1, 'ADD', 10n)
    memory.publishBalance(account, 3, 'ADD', 5n)
    expect(balance(memory, account, 1)).toEqual({ balance: 1000n, writer: -1 })
    expect(balance(memory, account, 3)).toEqual({ balance: 1010n, writer: 1 })
    expect(balance(memory, account, 9)).toEqual({ balance: 1015n, writer: 3 })
  })

  it('stops at the highest replacement: what lies below it, base included, is gone', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishBalance(account, 1, 'ADD', 10n)
    memory.publishBalance(account, 3, 'SET', 50n)
    memory.publishBalance(account, 4, 'ADD', 1n)
    expect(balance(memory, account, 3)).toEqual({ balance: 1010n, writer: 1 })
    expect(balance(memory, account, 4)).toEqual({ balance: 50n, writer: 3 })
    expect(balance(memory, account, 9)).toEqual({ balance: 51n, writer: 4 })
  })

  it('of a destroyed account counts only what was added since', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishBalance(account, 2, 'SET', 0n)
    expect(balance(memory, account, 3)).toEqual({ balance: 0n, writer: 2 })
    memory.publishBalance(account, 4, 'ADD', 7n)
    expect(balance(memory, account, 5)).toEqual({ balance: 7n, writer: 4 })
  })

  it('is unknown while an estimate is among what adds up, and known below and above it', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishBalance(account, 1, 'ADD', 1n)
    memory.store.markEstimate(memory.publishBalance(account, 3, 'ADD', 2n))
    memory.publishBalance(account, 5, 'ADD', 4n)
    expect(balance(memory, account, 3)).toEqual({ balance: 1001n, writer: 1 })
    expect(balance(memory, account, 6)).toEqual({ estimate: 3 })
    // A replacement above the estimate makes it irrelevant.
    memory.publishBalance(account, 6, 'SET', 9n)
    expect(balance(memory, account, 7)).toEqual({ balance: 9n, writer: 6 })
  })

  it('skips withdrawn additions and replacements', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishBalance(account, 1, 'ADD', 1n)
    memory.store.withdraw(memory.publishBalance(account, 2, 'SET', 100n))
    memory.store.withdraw(memory.publishBalance(account, 3, 'ADD', 100n))
    expect(balance(memory, account, 9)).toEqual({ balance: 1001n, writer: 1 })
  })

  it('may change from an addition to a replacement with the next incarnation', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishBalance(account, 1, 'ADD', 10n)
    memory.publishBalance(account, 1, 'SET', 10n, 1)
    expect(balance(memory, account, 2)).toEqual({ balance: 10n, writer: 1 })
  })
})

describe('any order of publications, estimates and withdrawals', () => {
  const action = fc.record({
    transaction: fc.integer({ min: 0, max: 9 }),
    what: fc.constantFrom('ADD', 'SET', 'estimate', 'withdraw'),
    value: fc.bigInt({ min: 0n, max: 2n ** 200n }),
  })
  type Left = { kind: 'ADD' | 'SET'; value: bigint; isEstimate: boolean; isThere: boolean }

  it('leaves every reader the balance of a plain model', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const memory = new VersionMemory()
        const account = memory.account(1)
        const model = new Map<number, Left>()
        const nodes = new Map<number, BlockOffset>()
        actions.forEach(({ transaction, what, value }, incarnation) => {
          const left = model.get(transaction)
          const node = nodes.get(transaction)
          if (what === 'ADD' || what === 'SET') {
            model.set(transaction, { kind: what, value, isEstimate: false, isThere: true })
            const published = memory.publishBalance(account, transaction, what, value, incarnation)
            expect(node === undefined || node === published).toBe(true)
            nodes.set(transaction, published)
          } else if (left !== undefined && node !== undefined) {
            if (what === 'estimate') {
              memory.store.markEstimate(node)
              left.isEstimate = left.isThere
            } else {
              memory.store.withdraw(node)
              left.isThere = false
            }
          }
        })
        for (let reader = 0; reader <= 10; reader++) {
          expect(balance(memory, account, reader)).toEqual(modelBalance(model, reader))
        }
      }),
    )
  })

  function modelBalance(model: ReadonlyMap<number, Left>, reader: number): unknown {
    let sum = 0n
    let writer = -1
    for (let transaction = reader - 1; transaction >= 0; transaction--) {
      const left = model.get(transaction)
      if (left === undefined || !left.isThere) continue
      if (left.isEstimate) return { estimate: transaction }
      if (writer < 0) writer = transaction
      sum += left.value
      if (left.kind === 'SET') return { balance: sum, writer }
    }
    return { balance: sum + 1000n, writer }
  }
})

describe('the list of touched locations', () => {
  it('names every written location once, with its kind, however often it is written', () => {
    const memory = new VersionMemory()
    const [one, other] = [memory.account(1), memory.account(2)]
    for (const transaction of [3, 1, 2]) memory.publishNonce(one, transaction, 1n)
    memory.publishNonce(one, 3, 2n, 1)
    memory.publishBalance(other, 1, 'ADD', 1n)
    memory.store.withdraw(memory.publishReset(other, 2))
    const touched: [number, number][] = []
    for (let entry = memory.control[CONTROL.TOUCHED_LOCATIONS]; entry !== 0; ) {
      const words = memory.block.reach(entry + TOUCHED.WORDS)
      touched.push([words[entry + TOUCHED.LOCATION], words[entry + TOUCHED.KIND]])
      entry = words[entry + TOUCHED.NEXT]
    }
    const byLocation = (a: [number, number], b: [number, number]): number => a[0] - b[0]
    const expected: [number, number][] = [
      [nonceOf(one), LOCATION.NONCE],
      [balanceOf(other), LOCATION.BALANCE],
      [other + ACCOUNT.RESET_HEAD, LOCATION.RESET],
    ]
    expect(touched.sort(byLocation)).toEqual(expected.sort(byLocation))
  })
})
