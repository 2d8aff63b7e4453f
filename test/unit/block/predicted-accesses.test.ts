// Holds predictions to becoming rows over the right locations, and to naming what is to be loaded.
// What is predicted is access/'s matter.
import { describe, expect, it } from 'vitest'

import { ACCESS } from '../../../src/access/access-flags.ts'
import { CERTAIN } from '../../../src/access/access-sink.ts'
import { PredictedAccesses } from '../../../src/block/predicted-accesses.ts'
import { ACCOUNT, SLOT } from '../../../src/memory/layout.ts'
import { VersionMemory } from '../../support/version-memory.ts'

const address = new Uint8Array(20).fill(5)
const key = new Uint8Array(32).fill(1)

function setUp() {
  const { table } = new VersionMemory()
  const predicted = new PredictedAccesses(table, 2)
  const account = table.account(address)
  const slot = table.slot(account, key)
  /** Entries of a transaction that has ended. */
  const row = (index: number): [location: number, flags: number][] => {
    const { starts, locations, flags } = predicted.rows
    return Array.from({ length: starts[index + 1]! - starts[index]! }, (_, i) => {
      const at = starts[index]! + i
      return [locations[at]!, flags[at]!]
    })
  }
  return { predicted, account, slot, row }
}

describe('predicted accesses', () => {
  it('become the heads of the version lists that they are about, each field another one', () => {
    const { predicted, account, slot, row } = setUp()
    predicted.balance(address, 'read', CERTAIN)
    predicted.nonce(address, 'read', CERTAIN)
    predicted.code(address, 'read', CERTAIN)
    predicted.slot(address, key, 'read', CERTAIN)
    predicted.rows.endTransaction()
    const heads = [ACCOUNT.BALANCE_HEAD, ACCOUNT.NONCE_HEAD, ACCOUNT.CODE_HEAD]
    expect(row(0)).toEqual([
      ...heads.map((head) => [account + head, ACCESS.READ]),
      [slot + SLOT.HEAD, ACCESS.READ],
    ])
  })

  it('of existence are loaded, and nobody waits for them', () => {
    const { predicted, account, row } = setUp()
    predicted.existence(address)
    predicted.rows.endTransaction()
    expect(row(0)).toEqual([])
    expect(predicted.takeNamed().accounts).toEqual([account])
  })

  it('let writers look at what they write, and additions not', () => {
    const { predicted, account, slot, row } = setUp()
    predicted.balance(address, 'delta', CERTAIN)
    predicted.slot(address, key, 'write', CERTAIN)
    predicted.rows.endTransaction()
    expect(row(0)).toEqual([
      [account + ACCOUNT.BALANCE_HEAD, ACCESS.DELTA],
      [slot + SLOT.HEAD, ACCESS.READ | ACCESS.WRITE],
    ])
  })

  it('of less than half confidence are loaded, and nobody waits for them', () => {
    const { predicted, account, slot, row } = setUp()
    predicted.nonce(address, 'write', 49)
    predicted.slot(address, key, 'write', 49)
    predicted.rows.endTransaction()
    expect(row(0)).toEqual([])
    expect(predicted.takeNamed()).toEqual({ accounts: [account], slots: [slot] })
  })

  it('of half confidence are waited for', () => {
    const { predicted, account, slot, row } = setUp()
    predicted.nonce(address, 'read', 50)
    predicted.slot(address, key, 'read', 50)
    predicted.rows.endTransaction()
    expect(row(0).map(([location]) => location)).toEqual([
      account + ACCOUNT.NONCE_HEAD,
      slot + SLOT.HEAD,
    ])
  })

  it('are to be loaded once: what was taken is not named again', () => {
    const { predicted, account, slot } = setUp()
    predicted.balance(address, 'read', CERTAIN)
    predicted.nameSlot(slot)
    expect(predicted.takeNamed()).toEqual({ accounts: [account], slots: [slot] })
    expect(predicted.takeNamed()).toEqual({ accounts: [], slots: [] })
    predicted.code(address, 'read', CERTAIN)
    expect(predicted.takeNamed()).toEqual({ accounts: [account], slots: [] })
  })
})
