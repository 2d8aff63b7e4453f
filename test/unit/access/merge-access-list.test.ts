// Parts that transactions recorded by themselves, merged, against stock's list that saw every call.
// Authority on their equality, to the order of members and to what stock keeps in private; the calls are
// random, since stock's list has corners that no contract of ours would think of.
import {
  type BlockLevelAccessList,
  createBlockLevelAccessList,
  type PrefixedHexString,
} from '@ethereumjs/util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { AccessListRecorder } from '../../../src/access/access-list-recorder.ts'
import type { ListedAccesses } from '../../../src/access/listed-accesses.ts'
import { mergeAccesses } from '../../../src/access/merge-access-list.ts'
import { compareAny } from '../../support/oracle.ts'

/** What stock's EVM and runTx call, on either. */
type Recorded = Pick<
  BlockLevelAccessList,
  | 'checkpoint'
  | 'commit'
  | 'revert'
  | 'addAddress'
  | 'addStorageRead'
  | 'addStorageWrite'
  | 'addBalanceChange'
  | 'addNonceChange'
  | 'addCodeChange'
>

const addresses = [1, 2, 3].map((n) => `0x${`0${n}`.repeat(20)}` as PrefixedHexString)
const small = fc.nat({ max: 3 })
const address = fc.nat({ max: addresses.length - 1 }).map((index) => addresses[index]!)
/** With and without leading zeros. */
const bytes = fc.constantFrom(
  ...[[], [0], [0, 0, 7], [7], [1, 0], [0, 1, 0]].map((list) => Uint8Array.from(list)),
)
const code = fc.constantFrom(new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(0, 1))
const balance = fc.bigInt({ min: 0n, max: 2n })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

type Call = (list: Recorded, index: number) => void

const plainCall: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(address).map(
    ([a]): Call =>
      (list) =>
        list.addAddress(a),
  ),
  fc.tuple(address, bytes).map(
    ([a, key]): Call =>
      (list) =>
        list.addStorageRead(a, key),
  ),
  ...[1, 2, 3].map(() =>
    fc.tuple(address, bytes, bytes, maybe(bytes)).map(
      ([a, key, value, before]): Call =>
        (list, index) =>
          list.addStorageWrite(a, key, value, index, before),
    ),
  ),
  fc.tuple(address, balance, maybe(balance)).map(
    ([a, value, before]): Call =>
      (list, index) =>
        list.addBalanceChange(a, value, index, before),
  ),
  fc.tuple(address, balance).map(
    ([a, nonce]): Call =>
      (list, index) =>
        list.addNonceChange(a, nonce, index),
  ),
  fc.tuple(address, code, maybe(code)).map(
    ([a, value, before]): Call =>
      (list, index) =>
        list.addCodeChange(a, value, index, before),
  ),
)

/** A message: its calls, messages within, and whether it fails. */
interface Frame {
  readonly steps: readonly (Call | Frame)[]
  readonly fails: boolean
}
const { frame } = fc.letrec<{ frame: Frame; step: Call | Frame }>((tie) => ({
  step: fc.oneof({ maxDepth: 4 }, { arbitrary: plainCall, weight: 5 }, tie('frame')),
  frame: fc.record({ steps: fc.array(tie('step'), { maxLength: 8 }), fails: fc.boolean() }),
}))

const transaction = fc.record({
  before: fc.array(plainCall, { maxLength: 3 }),
  frame,
  after: fc.array(plainCall, { maxLength: 3 }),
  destroyed: fc.array(small, { maxLength: 1 }),
  kept: maybe(balance),
})

function runFrame(list: Recorded, index: number, { steps, fails }: Frame): void {
  list.checkpoint()
  for (const step of steps) {
    if (typeof step === 'function') step(list, index)
    else runFrame(list, index, step)
  }
  if (fails) list.revert()
  else list.commit()
}

describe('merged access lists', () => {
  it('equal the list that saw every call of every transaction', () => {
    fc.assert(
      fc.property(fc.array(transaction, { minLength: 1, maxLength: 4 }), (transactions) => {
        const stock = createBlockLevelAccessList()
        const merged = createBlockLevelAccessList()
        for (const [
          position,
          { before, frame, after, destroyed, kept },
        ] of transactions.entries()) {
          const index = position + 1
          stock.blockAccessIndex = index
          const recorder = new AccessListRecorder(() => {
            throw new Error('every balance is known')
          })
          recorder.begin()
          for (const list of [stock, recorder as unknown as BlockLevelAccessList]) {
            for (const call of before) call(list, index)
            runFrame(list, index, frame)
            for (const call of after) call(list, index)
            const gone = destroyed.map((number) => addresses[number % addresses.length]!)
            // What is destroyed was created by the same transaction, and so listed by it.
            for (const one of gone) list.addAddress(one)
            const balances = new Map(gone.map((one) => [one, kept ?? 0n]))
            list.cleanupSelfdestructed(gone, kept === undefined ? undefined : balances)
            list.cleanupNetZeroBalanceChanges()
          }
          mergeAccesses(merged, index, recorder.finish(), () => {
            throw new Error('every balance is known')
          })
          expect(compareAny(stock, merged, 'list')).toEqual([])
        }
        expect(merged.hash()).toEqual(stock.hash())
      }),
      { numRuns: 1500 },
    )
  })
})

describe('balances that were not read', () => {
  const [payee, other] = addresses as [PrefixedHexString, PrefixedHexString]
  const listOf = (record: (recorder: AccessListRecorder) => void, known?: bigint) => {
    const recorder = new AccessListRecorder(() => {
      if (known === undefined) throw new Error('this balance must not be read')
      return known
    })
    recorder.begin()
    record(recorder)
    recorder.cleanupNetZeroBalanceChanges()
    return recorder.finish()
  }
  const merge = (part: ListedAccesses, before: bigint) => {
    const list = createBlockLevelAccessList()
    mergeAccesses(list, 5, part, () => before)
    return [...list.accesses[payee]!.balanceChanges]
  }

  it('are listed as what the account had, and what it gained', () => {
    const part = listOf((recorder) => {
      recorder.addListedBalance(payee, { added: 3n }, { added: 0n })
      recorder.addListedBalance(payee, { added: 10n }, { added: 3n })
    })
    expect(merge(part, 0x100n)).toEqual([[5, '0x010a']])
  })

  it('are not listed when nothing was gained', () => {
    const part = listOf((recorder) => {
      recorder.addListedBalance(payee, { added: 0n }, { added: 0n })
    })
    expect(part.accounts[0]!.balance).toBeUndefined()
    expect(merge(part, 7n)).toEqual([])
  })

  it('are not listed when what was read later brings them back to what they were', () => {
    const part = listOf((recorder) => {
      recorder.addListedBalance(payee, { added: 5n }, { added: 0n })
      recorder.addBalanceChange(payee, 7n, 1, 12n)
    }, 7n)
    expect(merge(part, 7n)).toEqual([])
  })

  it('fall back to the one before where the payment failed', () => {
    const part = listOf((recorder) => {
      recorder.addListedBalance(payee, { added: 2n }, { added: 0n })
      recorder.checkpoint()
      recorder.addListedBalance(payee, { added: 6n }, { added: 2n })
      recorder.revert()
    })
    expect(merge(part, 1n)).toEqual([[5, '0x03']])
  })

  it('take the credit that was announced for them, and no other', () => {
    const part = listOf((recorder) => {
      recorder.expectCredit(payee, { added: 1n })
      recorder.addBalanceChange(other, 9n, 1, 8n)
      recorder.addBalanceChange(payee, 4n, 1, 0n)
    })
    expect(merge(part, 10n)).toEqual([[5, '0x0f']])
    expect(part.accounts.find(({ address }) => address === other)?.balance).toBe(9n)
  })

  it('take no credit where the account is only named', () => {
    const part = listOf((recorder) => {
      recorder.expectCredit(payee, 3n)
      recorder.addAddress(payee)
      recorder.addBalanceChange(payee, 4n, 1, 3n)
    })
    expect(merge(part, 10n)).toEqual([[5, '0x04']])
  })

  it('add to a balance that the transaction knows', () => {
    const part = listOf((recorder) => {
      recorder.expectCredit(payee, 30n)
      recorder.addBalanceChange(payee, 4n, 1, 0n)
    })
    expect(merge(part, 10n)).toEqual([[5, '0x22']])
  })
})
