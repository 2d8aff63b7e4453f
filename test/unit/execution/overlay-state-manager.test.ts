// The state that a worker's EVM sees, against stock's MerkleStateManager with caches: every answer equal,
// over random sequences of calls, transactions and blocks; and what it publishes gives stock's root.
// It must compare after every call, so that a failure names the call.
import { Common, Mainnet } from '@ethereumjs/common'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, bytesToHex, setLengthLeft } from '@ethereumjs/util'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { LazyAccount } from '../../../src/execution/lazy-account.ts'
import type { OverlayStateManager } from '../../../src/execution/overlay-state-manager.ts'
import { ForgetfulStateManager } from '../../support/forgetful-state-manager.ts'
import { OverlayWorld } from '../../support/overlay-world.ts'
import { buildStateTemplate, type StateTemplate } from '../../support/state-template.ts'

const addresses = [1, 2, 3, 4, 5].map((name) => new Address(new Uint8Array(20).fill(name)))
const keys = [0, 1, 2].map((slot) => setLengthLeft(Uint8Array.of(slot), 32))
const values = [
  new Uint8Array(0),
  Uint8Array.of(1),
  Uint8Array.of(0, 0, 2),
  new Uint8Array(32).fill(255),
  new Uint8Array(32),
]
const codes = [new Uint8Array(0), Uint8Array.of(0x60, 1), new Uint8Array(100).fill(0x5b)]
const amounts = [0n, 1n, 10n ** 18n, 2n ** 64n, 2n ** 254n]
const transactionsPerBlock = 8

let template: StateTemplate

beforeAll(async () => {
  template = await buildStateTemplate(newCommon(), {
    [addresses[0]!.toString()]: { balance: 5n, nonce: 7n },
    [addresses[1]!.toString()]: {
      balance: 10n ** 20n,
      nonce: 1n,
      code: bytesToHex(codes[1]!),
      storage: { '0x00': '0x11', '0x01': '0x2222' },
    },
    // The same code again.
    [addresses[2]!.toString()]: { code: bytesToHex(codes[1]!), storage: { '0x02': '0x33' } },
  })
})

function newCommon(): Common {
  return new Common({ chain: Mainnet, hardfork: 'shanghai' })
}
function newState(): MerkleStateManager {
  return template.copy(newCommon(), true, ForgetfulStateManager)
}

type Call =
  | { call: 'getAccount' | 'getCode' | 'getCodeSize'; of: number }
  | { call: 'getStorage' | 'original'; of: number; key: number }
  | { call: 'putNew'; of: number; nonce: number; amount: number }
  | { call: 'putHeld'; held: number; how: number; amount: number }
  | { call: 'look'; held: number; field: number }
  | { call: 'credit'; of: number; amount: number }
  | { call: 'modify'; of: number; nonce: number; amount: number }
  | { call: 'deleteAccount' | 'clearStorage'; of: number }
  | { call: 'putCode'; of: number; code: number }
  | { call: 'putStorage'; of: number; key: number; value: number }
  | { call: 'checkpoint' | 'commit' | 'revert' | 'clearOriginals' | 'next' | 'endBlock' }

const of = fc.nat(addresses.length - 1)
const key = fc.nat(keys.length - 1)
const small = fc.nat(7)
const named = <Name extends string>(...names: Name[]) => fc.constantFrom(...names)
const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.oneof(
    {
      arbitrary: fc.record({ call: named('getAccount', 'getCode', 'getCodeSize'), of }),
      weight: 5,
    },
    { arbitrary: fc.record({ call: named('getStorage', 'original'), of, key }), weight: 4 },
    { arbitrary: fc.record({ call: named('putNew'), of, nonce: small, amount: small }), weight: 1 },
    {
      arbitrary: fc.record({ call: named('putHeld'), held: small, how: small, amount: small }),
      weight: 5,
    },
    { arbitrary: fc.record({ call: named('look'), held: small, field: small }), weight: 3 },
    { arbitrary: fc.record({ call: named('credit'), of, amount: small }), weight: 3 },
    { arbitrary: fc.record({ call: named('modify'), of, nonce: small, amount: small }), weight: 1 },
    { arbitrary: fc.record({ call: named('deleteAccount', 'clearStorage'), of }), weight: 2 },
    { arbitrary: fc.record({ call: named('putCode'), of, code: fc.nat(2) }), weight: 2 },
    { arbitrary: fc.record({ call: named('putStorage'), of, key, value: fc.nat(4) }), weight: 4 },
    { arbitrary: fc.record({ call: named('checkpoint') }), weight: 4 },
    { arbitrary: fc.record({ call: named('commit', 'revert') }), weight: 4 },
    { arbitrary: fc.record({ call: named('clearOriginals', 'next') }), weight: 2 },
    { arbitrary: fc.record({ call: named('endBlock') }), weight: 1 },
  ),
  { maxLength: 60 },
)

/** Plays the calls on both and compares every answer. */
class Duel {
  readonly base = newState()
  readonly stock = newState()
  readonly world = new OverlayWorld(this.base, transactionsPerBlock)
  #held: { address: Address; stock: Account; ours: Account }[] = []
  #height = 0
  #transactions = 0

  get ours(): OverlayStateManager {
    return this.world.overlay
  }

  async play(call: Call): Promise<void> {
    const what = JSON.stringify(call)
    const address = 'of' in call ? addresses[call.of]! : addresses[0]!
    const both = async <T>(
      run: (state: OverlayStateManager | MerkleStateManager) => Promise<T>,
    ) => {
      const [stock, ours] = [
        await outcome(() => run(this.stock)),
        await outcome(() => run(this.ours)),
      ]
      return { stock, ours }
    }
    const expectSame = async (
      run: (state: OverlayStateManager | MerkleStateManager) => Promise<unknown>,
    ): Promise<void> => {
      const { stock, ours } = await both(run)
      expect(ours, what).toEqual(stock)
    }
    switch (call.call) {
      case 'getAccount': {
        const stock = await this.stock.getAccount(address)
        const ours = await this.ours.getAccount(address)
        expect(ours === undefined, what).toBe(stock === undefined)
        if (stock !== undefined && ours !== undefined) this.#held.push({ address, stock, ours })
        return
      }
      case 'look': {
        const held = this.#held[call.held % Math.max(1, this.#held.length)]
        if (held === undefined) return
        return expect(look(held.ours, call.field), what).toEqual(look(held.stock, call.field))
      }
      case 'putHeld': {
        // Stock's code puts an account where it got it, in the same transaction.
        const held = this.#held[call.held % Math.max(1, this.#held.length)]
        if (held === undefined) return
        const amount = amounts[call.amount % 5]!
        for (const account of [held.stock, held.ours]) change(account, call.how, amount)
        await this.stock.putAccount(held.address, held.stock)
        await this.ours.putAccount(held.address, held.ours)
        return
      }
      case 'credit': {
        const stock = (await this.stock.getAccount(address)) ?? new Account()
        const ours = (await this.ours.getAccount(address)) ?? new Account()
        const amount = amounts[call.amount % 3]!
        if (stock.balance + amount >= 1n << 256n) return
        stock.balance += amount
        if (ours instanceof LazyAccount && ours.canAddUnread) ours.addUnread(amount)
        else ours.balance += amount
        await this.stock.putAccount(address, stock)
        await this.ours.putAccount(address, ours)
        return
      }
      case 'putNew':
        // Stock's code makes accounts only where there are none.
        if ((await this.stock.getAccount(address)) !== undefined) return
        return expectSame((state) =>
          state.putAccount(address, new Account(BigInt(call.nonce), amounts[call.amount % 5])),
        )
      case 'modify':
        return expectSame((state) =>
          state.modifyAccountFields(address, {
            nonce: BigInt(call.nonce),
            ...(call.amount < 5 ? { balance: amounts[call.amount]! } : {}),
          }),
        )
      case 'deleteAccount':
      case 'clearStorage':
        // Stock's caches do not bring cleared storage back on a revert; nor does stock's code ask for
        // it: it deletes at a transaction's end, and clears where a contract is made, which is empty.
        if (this.#height > 0 && (await this.#hasStorage(address))) return
        this.#letGo(address)
        return expectSame((state) => state[call.call](address))
      case 'getCode':
      case 'getCodeSize':
        return expectSame((state) => state[call.call](address))
      case 'getStorage':
        return expectSame((state) => state.getStorage(address, keys[call.key]!))
      case 'original':
        return expectSame((state) => state.originalStorageCache.get(address, keys[call.key]!))
      case 'clearOriginals':
        return expectSame(async (state) => state.originalStorageCache.clear())
      case 'putCode':
        this.#letGo(address)
        return expectSame((state) => state.putCode(address, codes[call.code]!))
      case 'putStorage':
        return expectSame((state) =>
          state.putStorage(address, keys[call.key]!, values[call.value]!),
        )
      case 'checkpoint':
        this.#height++
        return expectSame((state) => state.checkpoint())
      case 'commit':
      case 'revert':
        if (this.#height === 0) return
        this.#height--
        return expectSame((state) => (call.call === 'commit' ? state.commit() : state.revert()))
      case 'next':
      case 'endBlock':
        return this.#nextTransaction(call.call === 'endBlock')
    }
  }

  async #hasStorage(address: Address): Promise<boolean> {
    for (const slot of keys) {
      if ((await this.stock.getStorage(address, slot)).length > 0) return true
    }
    return false
  }

  /** Stock's code gets an account anew after that: a former one would bring back storage or code. */
  #letGo(address: Address): void {
    this.#held = this.#held.filter((held) => !held.address.equals(address))
  }

  async #nextTransaction(andBlock: boolean): Promise<void> {
    for (; this.#height > 0; this.#height--) {
      await this.stock.commit()
      await this.ours.commit()
    }
    expect(this.world.readsHold()).toBe(true)
    this.#held = []
    this.stock.originalStorageCache.clear()
    this.world.nextTransaction()
    this.#transactions++
    if (!andBlock && this.#transactions < transactionsPerBlock - 1) return
    await this.world.endBlock(transactionsPerBlock)
    this.#transactions = 0
    expect(bytesToHex(await this.base.getStateRoot()), 'root').toBe(
      bytesToHex(await this.stock.getStateRoot()),
    )
  }

  async compareAll(): Promise<void> {
    for (const address of addresses) {
      const stock = await this.stock.getAccount(address)
      const ours = await this.ours.getAccount(address)
      const fields = (account: Account | undefined) =>
        account && [account.nonce, account.balance, account.codeHash, account.isEmpty()]
      expect(fields(ours), address.toString()).toEqual(fields(stock))
      expect(await this.ours.getCode(address)).toEqual(await this.stock.getCode(address))
      for (const slot of keys) {
        expect(await this.ours.getStorage(address, slot)).toEqual(
          await this.stock.getStorage(address, slot),
        )
      }
    }
  }

  async end(): Promise<void> {
    await this.compareAll()
    await this.#nextTransaction(false)
    await this.compareAll()
    await this.#nextTransaction(true)
    await this.compareAll()
  }
}

function look(account: Account, field: number): unknown {
  return [
    () => account.nonce,
    () => account.balance,
    () => account.codeHash,
    () => account.isEmpty(),
    () => account.isContract(),
    () => [account.nonce, account.balance],
  ][field % 6]!()
}

function change(account: Account, how: number, amount: bigint): void {
  if (how === 1) account.nonce += 1n
  else if (how === 2) account.balance = amount
  else if (how === 3 && account.balance >= 1n) account.balance -= 1n
  else if (how === 4 && account.balance + 3n < 1n << 256n) account.balance += 3n
}

async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

describe('the overlay', () => {
  it('answers every call as stock does, and what it publishes gives the root of stock', async () => {
    const runs = Number(process.env.OVERLAY_RUNS ?? 400)
    await fc.assert(
      fc.asyncProperty(calls, async (list) => {
        const duel = new Duel()
        for (const call of list) await duel.play(call)
        await duel.end()
      }),
      { numRuns: runs },
    )
  })

  it('records nothing of a field that nobody looks at', async () => {
    const { world, ours } = new Duel()
    const account = await ours.getAccount(addresses[1]!)
    const before = world.readWords
    await ours.putAccount(addresses[1]!, account)
    expect(world.readWords).toBe(before)
    expect(account!.balance).toBe(10n ** 20n)
    expect(world.readWords).toBeGreaterThan(before)
  })

  it('writes nothing for what ends as it began', async () => {
    const { ours, world } = new Duel()
    const account = (await ours.getAccount(addresses[1]!))!
    account.balance += 5n
    await ours.putAccount(addresses[1]!, account)
    account.balance -= 5n
    await ours.putAccount(addresses[1]!, account)
    const value = await ours.getStorage(addresses[1]!, keys[0]!)
    await ours.putStorage(addresses[1]!, keys[0]!, Uint8Array.of(9))
    await ours.putStorage(addresses[1]!, keys[0]!, value)
    await ours.checkpoint()
    await ours.putCode(addresses[0]!, codes[2]!)
    await ours.deleteAccount(addresses[2]!)
    await ours.putAccount(addresses[4]!, new Account(1n, 1n))
    await ours.revert()
    world.nextTransaction()
    expect(world.lastWrites).toBe(0)
  })

  it('refuses what stock refuses, with its words', async () => {
    const { stock, ours } = new Duel()
    const short = Uint8Array.of(1)
    for (const state of [stock, ours]) {
      await expect(state.getStorage(addresses[0]!, short)).rejects.toThrow(
        'Storage key must be 32 bytes long',
      )
      await expect(state.putStorage(addresses[0]!, short, short)).rejects.toThrow(
        'Storage key must be 32 bytes long',
      )
      await expect(state.putStorage(addresses[0]!, keys[0]!, new Uint8Array(33))).rejects.toThrow(
        'Storage value cannot be longer than 32 bytes',
      )
      await expect(state.putStorage(addresses[4]!, keys[0]!, short)).rejects.toThrow(
        'putStorage() called on non-existing account',
      )
    }
  })

  it('has no root and no history, and says that this is our fault', async () => {
    const { ours } = new Duel()
    for (const ask of [() => ours.getStateRoot(), () => ours.setStateRoot()]) {
      await expect(ask()).rejects.toMatchObject({ code: 'INTERNAL' })
    }
    expect(() => ours.shallowCopy()).toThrow('please report it')
    expect(await ours.hasStateRoot()).toBe(false)
    expect(ours.getAppliedKey(addresses[0]!.bytes)).toEqual(
      newState().getAppliedKey(addresses[0]!.bytes),
    )
  })
})
