// Holds the judge to the sets that a transaction's control words lead to.
// The one place where scheduling and versions meet, so the store is a real one.
import { describe, expect, it } from 'vitest'

import type { LocationId, TxIndex } from '../../../src/ids.ts'
import { nativeAtomics } from '../../../src/memory/atomics.ts'
import { ACCOUNT, LOCATION } from '../../../src/memory/layout.ts'
import { FOUND } from '../../../src/mvcc/version-store.ts'
import { judgeVersions } from '../../../src/scheduling/judge-versions.ts'
import { VersionMemory } from '../../support/version-memory.ts'

function tx(index: number): TxIndex {
  return index as TxIndex
}

describe('the judge of versions', () => {
  it('refutes a transaction whose last read set would be another now', () => {
    const memory = new VersionMemory()
    const judge = judgeVersions(memory.control, memory.store, nativeAtomics)
    const account = memory.account(1, { nonce: 3n })
    const location = (account + ACCOUNT.NONCE_HEAD) as LocationId
    memory.setField(
      2,
      'READ_SET',
      memory.readSet((reads) => reads.recordNonce(location, -1, 0, 3n)),
    )
    expect(judge.refutes(tx(2), false)).toBe(false)
    memory.publishNonce(account, 1, 4n)
    expect(judge.refutes(tx(2), false)).toBe(true)
    // The next incarnation leaves another read set.
    memory.setField(
      2,
      'READ_SET',
      memory.readSet((reads) => reads.recordNonce(location, 1, 0, 4n)),
    )
    expect(judge.refutes(tx(2), false)).toBe(false)
  })

  it('leaves in doubt what is about to be written again, but not at the commit head', () => {
    const memory = new VersionMemory()
    const judge = judgeVersions(memory.control, memory.store, nativeAtomics)
    const account = memory.account(1)
    const location = (account + ACCOUNT.NONCE_HEAD) as LocationId
    const node = memory.publishNonce(account, 1, 4n)
    memory.setField(
      2,
      'READ_SET',
      memory.readSet((reads) => reads.recordNonce(location, 1, 0, 4n)),
    )
    memory.store.markEstimate(node)
    expect(judge.refutes(tx(2), false)).toBe(false)
    expect(judge.refutes(tx(2), true)).toBe(true)
  })

  it('turns all that a transaction wrote into estimates', () => {
    const memory = new VersionMemory()
    const judge = judgeVersions(memory.control, memory.store, nativeAtomics)
    const account = memory.account(1)
    const locations = [account + ACCOUNT.NONCE_HEAD, account + ACCOUNT.BALANCE_HEAD]
    memory.publishNonce(account, 0, 1n)
    memory.setField(
      1,
      'WRITE_SET',
      memory.writeSet([
        [LOCATION.NONCE, locations[0], memory.publishNonce(account, 1, 2n)],
        [LOCATION.BALANCE, locations[1], memory.publishBalance(account, 1, 'ADD', 2n)],
      ]),
    )
    judge.markEstimates(tx(1))
    for (const location of locations) {
      expect(memory.store.find(location as LocationId, tx(2))).toBe(FOUND.ESTIMATE)
    }
    expect(memory.store.find(locations[0] as LocationId, tx(1))).toBe(FOUND.VERSION)
  })

  it('has nothing to mark where a transaction never wrote', () => {
    const memory = new VersionMemory()
    const judge = judgeVersions(memory.control, memory.store, nativeAtomics)
    expect(() => judge.markEstimates(tx(1))).not.toThrow()
  })

  it('counts levels along the longest chain of reads', () => {
    const memory = new VersionMemory()
    const judge = judgeVersions(memory.control, memory.store, nativeAtomics)
    const account = memory.account(1)
    const location = (account + ACCOUNT.NONCE_HEAD) as LocationId
    const readsFrom = (...writers: number[]): number =>
      memory.readSet((reads) => {
        for (const writer of writers) reads.recordNonce(location, writer, 0, 0n)
      })
    const chains = [[-1], [0], [-1], [1, 2], [2]]
    chains.forEach((writers, transaction) => {
      memory.setField(transaction, 'READ_SET', readsFrom(...writers))
      judge.committed(tx(transaction))
    })
    expect(chains.map((_, transaction) => memory.field(transaction, 'LEVEL'))).toEqual([
      1, 2, 1, 3, 2,
    ])
  })
})
