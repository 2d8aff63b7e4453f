// Holds validation: an incarnation holds exactly as long as it would observe the same again.
// The authority is what the transaction could see; must not test how that is compared.
import { describe, expect, it } from 'vitest'

import { ACCOUNT } from '../../../src/memory/layout.ts'
import { forEachWriter, VALIDITY } from '../../../src/mvcc/read-set.ts'
import { VersionMemory } from '../../support/version-memory.ts'
import {
  balanceRead,
  codeRead,
  existsRead,
  head,
  nonceRead,
  READER,
  readSlot,
} from './support/reads.ts'

const { VALID, INVALID, IN_DOUBT } = VALIDITY

describe('a read set', () => {
  it('that is empty always holds', () => {
    const memory = new VersionMemory()
    expect(
      memory.validate(
        memory.readSet(() => {}),
        READER,
      ),
    ).toBe(VALID)
  })

  it('holds while nothing below the reader changes, whatever happens above', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: 9n, nonce: 3n })
    const slot = memory.slot(account, 1, 7)
    memory.publishSlot(slot, 2, 8)
    const at = memory.readSet((reads) => {
      readSlot(memory, slot, reads)
      reads.recordNonce(head(account, ACCOUNT.NONCE_HEAD), -1, 0, 3n)
      reads.recordBalance(head(account, ACCOUNT.BALANCE_HEAD), -1, 9n)
      reads.recordExists(head(account, ACCOUNT.EXISTS_HEAD), -1, true)
    })
    expect(memory.validate(at, READER)).toBe(VALID)
    for (const transaction of [READER, READER + 1]) {
      memory.publishSlot(slot, transaction, 99)
      memory.publishNonce(account, transaction, 99n)
      memory.publishBalance(account, transaction, 'SET', 99n)
      memory.publishExists(account, transaction, false)
      memory.publishReset(account, transaction)
    }
    expect(memory.validate(at, READER)).toBe(VALID)
  })

  it('is refuted by its last entry as well as by its first', () => {
    for (const changed of [0, 1, 2]) {
      const memory = new VersionMemory()
      const accounts = [1, 2, 3].map((name) => memory.account(name, { nonce: 4n }))
      const at = memory.readSet((reads) => {
        for (const account of accounts) {
          reads.recordBalance(head(account, ACCOUNT.BALANCE_HEAD), -1, 0n)
          reads.recordNonce(head(account, ACCOUNT.NONCE_HEAD), -1, 0, 4n)
        }
      })
      expect(memory.validate(at, READER)).toBe(VALID)
      memory.publishNonce(accounts[changed], 1, 5n)
      expect(memory.validate(at, READER)).toBe(INVALID)
    }
  })

  it('of any length is kept whole', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const slots = Array.from({ length: 200 }, (_, key) => memory.slot(account, key, key))
    const at = memory.readSet((reads) => {
      for (const slot of slots) readSlot(memory, slot, reads)
    })
    expect(memory.validate(at, READER)).toBe(VALID)
    memory.publishSlot(slots[199], 4, 1)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('names the writers that it read from, and not the base', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: 1n })
    const slots = [1, 2].map((key) => memory.slot(account, key, 0))
    memory.publishSlot(slots[0], 3, 8)
    memory.publishBalance(account, 1, 'ADD', 1n)
    const at = memory.readSet((reads) => {
      for (const slot of slots) readSlot(memory, slot, reads)
      reads.recordBalance(head(account, ACCOUNT.BALANCE_HEAD), 1, 2n)
    })
    const writers: number[] = []
    forEachWriter(memory.block, at, (writer) => writers.push(writer))
    expect(writers).toEqual([3, 1])
  })
})

describe('a balance that was read', () => {
  it('holds by value, whoever contributed to it', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: 100n })
    const addition = memory.publishBalance(account, 1, 'ADD', 5n)
    const at = balanceRead(memory, account, 105n)
    expect(memory.validate(at, READER)).toBe(VALID)
    memory.store.withdraw(addition)
    expect(memory.validate(at, READER)).toBe(INVALID)
    memory.publishBalance(account, 2, 'ADD', 2n)
    memory.publishBalance(account, 3, 'ADD', 3n)
    expect(memory.validate(at, READER)).toBe(VALID)
    memory.publishBalance(account, 4, 'SET', 105n)
    expect(memory.validate(at, READER)).toBe(VALID)
  })

  it('is refuted by an addition anywhere below the reader', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: 100n })
    memory.publishBalance(account, 3, 'ADD', 5n)
    const at = balanceRead(memory, account, 105n)
    memory.publishBalance(account, 1, 'ADD', 1n)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is refuted while one of its contributions is an estimate', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: 100n })
    const addition = memory.publishBalance(account, 1, 'ADD', 5n)
    memory.publishBalance(account, 3, 'ADD', 5n)
    const at = balanceRead(memory, account, 110n)
    memory.store.markEstimate(addition)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('holds although the sum is more than 32 bytes hold: its reader must come to an end', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: (1n << 256n) - 3n })
    for (const transaction of [1, 2]) memory.publishBalance(account, transaction, 'ADD', 5n)
    const at = balanceRead(memory, account, (1n << 256n) + 7n)
    expect(memory.validate(at, READER)).toBe(VALID)
    memory.publishBalance(account, 3, 'ADD', 1n)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('of zero is held to it when the account is destroyed and paid again', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { balance: 100n })
    memory.publishBalance(account, 1, 'SET', 0n)
    const at = balanceRead(memory, account, 0n)
    memory.publishBalance(account, 2, 'ADD', 1n)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })
})

describe('existence that was read', () => {
  it('holds by value, at the base and above it', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { exists: false })
    const absent = existsRead(memory, account, false)
    expect(memory.validate(absent, READER)).toBe(VALID)
    memory.publishExists(account, 1, true)
    const present = existsRead(memory, account, true)
    expect([absent, present].map((at) => memory.validate(at, READER))).toEqual([INVALID, VALID])
    memory.publishExists(account, 3, false)
    expect([absent, present].map((at) => memory.validate(at, READER))).toEqual([VALID, INVALID])
  })

  it('is in doubt, and not refuted, while its writer is about to run again', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { exists: false })
    const node = memory.publishExists(account, 1, true)
    const at = existsRead(memory, account, true)
    memory.store.markEstimate(node)
    expect(memory.validate(at, READER)).toBe(IN_DOUBT)
    memory.publishExists(account, 1, true, 1)
    expect(memory.validate(at, READER)).toBe(VALID)
  })
})

describe('a nonce that was read', () => {
  it('holds by value, whoever wrote it', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { nonce: 4n })
    const at = nonceRead(memory, account, 4n)
    const node = memory.publishNonce(account, 1, 5n)
    expect(memory.validate(at, READER)).toBe(INVALID)
    memory.publishNonce(account, 3, 4n)
    expect(memory.validate(at, READER)).toBe(VALID)
    memory.store.withdraw(node)
    expect(memory.validate(at, READER)).toBe(VALID)
  })

  it('of a recreated account is not the one that it had', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { nonce: 4n })
    const at = nonceRead(memory, account, 4n)
    memory.publishNonce(account, 1, 0n)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is in doubt, and not refuted, while its writer is about to run again', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { nonce: 4n })
    const node = memory.publishNonce(account, 1, 5n)
    const at = nonceRead(memory, account, 5n)
    memory.store.markEstimate(node)
    expect(memory.validate(at, READER)).toBe(IN_DOUBT)
  })

  it('in doubt does not hide that something else is refuted', () => {
    const memory = new VersionMemory()
    const account = memory.account(1, { nonce: 4n })
    const slot = memory.slot(account, 1, 0)
    const node = memory.publishNonce(account, 1, 5n)
    const at = memory.readSet((reads) => {
      reads.recordNonce(head(account, ACCOUNT.NONCE_HEAD), 1, 0, 5n)
      readSlot(memory, slot, reads)
    })
    memory.store.markEstimate(node)
    memory.publishSlot(slot, 2, 1)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })
})

describe('code that was read', () => {
  it('holds by its writer, and among incarnations of it by hash', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const base = codeRead(memory, account)
    expect(memory.validate(base, READER)).toBe(VALID)
    memory.publishCode(account, 1, 0, 7)
    const first = codeRead(memory, account)
    const verdicts = () => [base, first].map((at) => memory.validate(at, READER))
    expect(verdicts()).toEqual([INVALID, VALID])
    memory.publishCode(account, 1, 1, 7)
    expect(verdicts()).toEqual([INVALID, VALID])
    const node = memory.publishCode(account, 1, 2, 8)
    expect(verdicts()).toEqual([INVALID, INVALID])
    memory.store.withdraw(node)
    expect(verdicts()).toEqual([VALID, INVALID])
  })

  it('is refuted by the same code of another transaction', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishCode(account, 1, 0, 7)
    const at = codeRead(memory, account)
    memory.publishCode(account, 2, 0, 7)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is refuted while its writer is about to run again', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    const node = memory.publishCode(account, 1, 0, 7)
    const at = codeRead(memory, account)
    memory.store.markEstimate(node)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })

  it('is refuted by a deployment of a transaction in between', () => {
    const memory = new VersionMemory()
    const account = memory.account(1)
    memory.publishCode(account, 1)
    const at = codeRead(memory, account)
    memory.publishCode(account, 3)
    expect(memory.validate(at, READER)).toBe(INVALID)
  })
})
