// The values that a block access list gives, and what of a list is passed over.
// Authority on lists that no honest block brings: what they say must come to nothing.
import {
  type Accesses,
  type BALAccountAccess,
  createBlockLevelAccessList,
  hexToBytes,
} from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'

import { isTooLong, type ListedValues, listedValues } from '../../../src/access/listed-values.ts'
import { addressOf, hexOf, toWord } from './support/facts.ts'

const token = addressOf(0xc1)
const name = hexOf(token)

function read(accesses: Accesses, transactions = 4): ListedValues[] {
  return [...listedValues({ accesses }, transactions)]
}

function entry(fields: Partial<Record<keyof BALAccountAccess, unknown>> = {}): BALAccountAccess {
  return {
    nonceChanges: new Map(),
    balanceChanges: new Map(),
    codeChanges: [],
    storageChanges: {},
    storageReads: new Set(),
    ...fields,
  } as BALAccountAccess
}

describe('a list', () => {
  it('gives transaction i the values under i + 1, and names what is only read', () => {
    const list = createBlockLevelAccessList()
    list.addStorageWrite(name, toWord(0n), toWord(5n), 1)
    list.addStorageWrite(name, toWord(0n), new Uint8Array(0), 3, toWord(5n))
    list.addStorageRead(name, toWord(300n))
    list.addNonceChange(name, 1n, 1)
    list.addBalanceChange(name, 0n, 2)
    list.addBalanceChange(name, 1000n, 4)
    list.addCodeChange(name, Uint8Array.of(1, 2), 2)
    expect(read(list.accesses)).toEqual([
      {
        address: token,
        nonces: [{ transaction: 0, value: 1n }],
        balances: [
          { transaction: 1, value: 0n },
          { transaction: 3, value: 1000n },
        ],
        codes: [{ transaction: 1, value: Uint8Array.of(1, 2) }],
        slots: [
          {
            key: toWord(0n),
            values: [
              { transaction: 0, value: Uint8Array.of(5) },
              { transaction: 2, value: new Uint8Array(0) },
            ],
          },
          { key: toWord(300n), values: [] },
        ],
      },
    ])
  })

  it('says nothing of what comes before the transactions, after them, or nowhere', () => {
    const nonceChanges = new Map(
      [-1, 0, 1.5, 4, 5, 2 ** 40, Number.NaN, Number.POSITIVE_INFINITY].map((at) => [at, '0x07']),
    )
    expect(read({ [name]: entry({ nonceChanges }) })[0]?.nonces).toEqual([
      { transaction: 3, value: 7n },
    ])
  })

  it('is passed over where a number is not one, or is too large to be true', () => {
    const hexes = ['0x', '0x0', 'zz', '', '0xZZ', `0x${'01'.repeat(33)}`, `0x01${'00'.repeat(16)}`]
    const balanceChanges = new Map(hexes.map((hex, at) => [at + 1, hex]))
    balanceChanges.set(8, `0x${'ff'.repeat(16)}`)
    const nonceChanges = new Map([[1, `0x01${'00'.repeat(8)}`]])
    const [values] = read({ [name]: entry({ balanceChanges, nonceChanges }) }, 8)
    expect(values).toMatchObject({
      nonces: [],
      balances: [
        { transaction: 0, value: 0n },
        { transaction: 7, value: (1n << 128n) - 1n },
      ],
    })
  })

  it('is passed over where bytes are a list, or more than fit, and where names are none', () => {
    const nested = [Uint8Array.of(1)]
    const storageChanges = {
      '0x': [
        [1, nested],
        [2, new Uint8Array(33)],
      ],
      [`0x${'11'.repeat(33)}`]: [[1, Uint8Array.of(1)]],
      '0x1': [],
    }
    const odd = entry({
      storageChanges,
      storageReads: new Set(['nonsense']),
      codeChanges: [[1, nested]],
    })
    const values = read({ '0x01': entry(), nonsense: entry(), [name]: odd } as Accesses)
    expect(values).toEqual([
      {
        address: hexToBytes(name),
        nonces: [],
        balances: [],
        codes: [],
        slots: [{ key: toWord(0n), values: [] }],
      },
    ])
  })

  it('is too long with more accounts and slots than one for 2,000 of the block’s gas', () => {
    const list = createBlockLevelAccessList()
    list.addStorageWrite(name, toWord(1n), toWord(5n), 1)
    list.addStorageRead(name, toWord(2n))
    expect([5_999n, 6_000n].map((gas) => isTooLong(list, gas))).toEqual([true, false])
  })
})
