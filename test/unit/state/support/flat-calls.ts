// Random calls of a state manager, to be made on a flat state and on stock's MerkleStateManager alike.
// Authority on which calls such duels make. Stock's manager is used without caches, since what it answers
// with them depends on them, and is told to clear the storage of what it deletes: it forgets to.
import type { StateManagerInterface } from '@ethereumjs/common'
import { Account, Address, bytesToHex, setLengthLeft } from '@ethereumjs/util'
import fc from 'fast-check'

export const ADDRESSES: readonly Address[] = Array.from(
  { length: 24 },
  (_, i) => new Address(setLengthLeft(Uint8Array.of(i + 1), 20)),
)
export const SLOTS: readonly Uint8Array[] = Array.from({ length: 24 }, (_, i) =>
  setLengthLeft(Uint8Array.of(i), 32),
)

/** What a duel remembers of one side. */
export interface Side {
  readonly manager: StateManagerInterface
  readonly isStock: boolean
  depth: number
  /** Roots of committed states, in the order in which they were seen. */
  readonly roots: Uint8Array[]
}

export type Call = (side: Side) => Promise<unknown>

const address = fc.nat({ max: ADDRESSES.length - 1 })
const slot = fc.nat({ max: SLOTS.length - 1 })
const value = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ minLength: 1, maxLength: 32 }),
  fc.constantFrom(Uint8Array.of(1), Uint8Array.of(0x80), Uint8Array.of(0, 0, 5)),
)
const number = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n))
const balance = fc.oneof(number, fc.bigInt(0n, 2n ** 256n - 1n))

export async function readAccount({ manager }: Side, of: Address): Promise<unknown> {
  const account = await manager.getAccount(of)
  return account && [account.nonce, account.balance, bytesToHex(account.codeHash)]
}

export async function takeRoot(side: Side): Promise<string> {
  const root = await side.manager.getStateRoot()
  if (side.depth === 0) side.roots.push(root)
  return bytesToHex(root)
}

const put = fc.tuple(address, number, balance).map(
  ([at, nonce, wei]): Call =>
    async (side) => {
      const account = (await side.manager.getAccount(ADDRESSES[at])) ?? new Account()
      account.nonce = nonce
      account.balance = wei
      await side.manager.putAccount(ADDRESSES[at], account)
    },
)

const remove = fc.tuple(address, fc.boolean()).map(
  ([at, byPut]): Call =>
    async ({ manager, isStock }) => {
      if (isStock && (await manager.getAccount(ADDRESSES[at])) !== undefined) {
        await manager.clearStorage(ADDRESSES[at])
      }
      if (byPut) await manager.putAccount(ADDRESSES[at], undefined)
      else await manager.deleteAccount(ADDRESSES[at])
    },
)

const putSlot = fc.tuple(address, slot, value).map(
  ([at, key, bytes]): Call =>
    async ({ manager }) => {
      if ((await manager.getAccount(ADDRESSES[at])) === undefined) return
      await manager.putStorage(ADDRESSES[at], SLOTS[key], bytes)
    },
)

const putManySlots = fc.tuple(address, fc.uint8Array({ maxLength: 24 })).map(
  ([at, bytes]): Call =>
    async ({ manager }) => {
      if ((await manager.getAccount(ADDRESSES[at])) === undefined) return
      for (let i = 0; i < bytes.length; i++) {
        await manager.putStorage(ADDRESSES[at], SLOTS[i], bytes.subarray(i, i + 1))
      }
    },
)

const others: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(address, fc.uint8Array({ maxLength: 5 })).map(
    ([at, code]): Call =>
      async ({ manager }) =>
        manager.putCode(ADDRESSES[at], code),
  ),
  fc.tuple(address, number).map(
    ([at, nonce]): Call =>
      async ({ manager }) =>
        manager.modifyAccountFields(ADDRESSES[at], { nonce }),
  ),
  address.map(
    (at): Call =>
      async ({ manager }) =>
        manager.clearStorage(ADDRESSES[at]),
  ),
)

const reads: fc.Arbitrary<Call> = fc.oneof(
  address.map(
    (at): Call =>
      async (side) =>
        readAccount(side, ADDRESSES[at]),
  ),
  fc.tuple(address, slot).map(
    ([at, key]): Call =>
      async ({ manager }) =>
        bytesToHex(await manager.getStorage(ADDRESSES[at], SLOTS[key])),
  ),
  address.map(
    (at): Call =>
      async ({ manager }) => [
        bytesToHex(await manager.getCode(ADDRESSES[at])),
        await manager.getCodeSize(ADDRESSES[at]),
      ],
  ),
)

const checkpoints: fc.Arbitrary<Call> = fc.oneof(
  fc.constant<Call>(async (side) => {
    side.depth++
    await side.manager.checkpoint()
  }),
  fc.constant<Call>(async (side) => {
    if (side.depth === 0) return
    side.depth--
    await side.manager.commit()
  }),
  fc.constant<Call>(async (side) => {
    if (side.depth === 0) return
    side.depth--
    await side.manager.revert()
  }),
)

const roots: fc.Arbitrary<Call> = fc.oneof(
  fc.constant<Call>(takeRoot),
  fc.nat().map(
    (which): Call =>
      async (side) => {
        if (side.depth > 0 || side.roots.length === 0) return
        await side.manager.setStateRoot(side.roots[which % side.roots.length])
        return takeRoot(side)
      },
  ),
)

/** One call; its answer is to be equal on both sides. */
export const calls: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: put },
  { weight: 1, arbitrary: remove },
  { weight: 5, arbitrary: putSlot },
  { weight: 2, arbitrary: putManySlots },
  { weight: 2, arbitrary: others },
  { weight: 2, arbitrary: reads },
  { weight: 3, arbitrary: checkpoints },
  { weight: 3, arbitrary: roots },
)

/** Everything that a side has, with storage roots, which are exact once the state root was taken. */
export async function readEverything(side: Side): Promise<unknown> {
  const { manager } = side
  const root = bytesToHex(await manager.getStateRoot())
  const accounts = []
  for (const of of ADDRESSES) {
    const account = await manager.getAccount(of)
    if (account === undefined) continue
    const slots = []
    for (const key of SLOTS) slots.push(bytesToHex(await manager.getStorage(of, key)))
    accounts.push([
      of.toString(),
      await readAccount(side, of),
      bytesToHex(account.storageRoot),
      bytesToHex(await manager.getCode(of)),
      slots,
    ])
  }
  return { root, accounts }
}
