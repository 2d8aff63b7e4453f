// Stock's state manager and the overlay, given the same calls: every answer must be the same.
// Authority on what counts as the same, and on which calls stock's own code never makes; those are left
// out, since stock's state manager answers them in ways that nobody relies on.
// It must compare after every call, so that a failure names the call.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, type Address } from '@ethereumjs/util'
import { expect } from 'vitest'
import { FeeAccount, LazyAccount } from '../../../../src/execution/lazy-account.ts'
import type { OverlayStateManager } from '../../../../src/execution/overlay-state-manager.ts'
import { OverlayWorld } from '../../../support/overlay-world.ts'
import { addresses, amounts, type Call, codes, keys, newState, values } from './overlay-calls.ts'

const transactionsPerBlock = 8
/** A balance that rises to this within a block is not published but left to stock's code. */
const sumLimit = 1n << 255n

type Side = OverlayStateManager | MerkleStateManager

/** An account that both sides handed out, and how many checkpoints there were then. */
interface Held {
  readonly address: Address
  readonly stock: Account
  readonly ours: Account
  height: number
}

export class OverlayDuel {
  /** What the overlay lies over, and its changes are written back to. */
  readonly base = newState()
  readonly stock = newState()
  readonly world = new OverlayWorld(this.base, transactionsPerBlock)
  #held: Held[] = []
  #height = 0
  #transactions = 0
  #isFeePaid = false
  /** Accounts whose storage was written in this block. */
  readonly #stored = new Set<Address>()

  get ours(): OverlayStateManager {
    return this.world.overlay
  }

  /** Plays the calls, ends the block, and compares all there is, before and after. */
  async play(calls: readonly Call[]): Promise<void> {
    // Stock runs a block within a checkpoint: without one, every commit would write to the tries.
    await this.stock.checkpoint()
    for (const call of calls) await this.#play(call)
    await this.#compareAll()
    await this.#nextTransaction()
    await this.#compareAll()
    await this.#endBlock()
    await this.#compareAll()
  }

  async #play(call: Call): Promise<void> {
    const what = JSON.stringify(call)
    const address = 'of' in call ? addresses[call.of]! : addresses[0]!
    const expectSame = async (run: (state: Side) => Promise<unknown>): Promise<void> => {
      const stock = await outcome(() => run(this.stock))
      expect(await outcome(() => run(this.ours)), what).toEqual(stock)
    }
    switch (call.call) {
      case 'getAccount':
        return this.#get(address, call.whole, what)
      case 'look': {
        const held = this.#heldAt(call.held)
        if (held === undefined) return
        return expect(look(held.ours, call.field), what).toEqual(look(held.stock, call.field))
      }
      case 'putHeld':
        return this.#putHeld(this.#heldAt(call.held), call.how, amounts[call.amount]!)
      case 'credit':
        return this.#credit(address, amounts[call.amount]!)
      case 'fee':
        return this.#fee(address, amounts[call.amount]!)
      case 'putNew':
        // Stock's code makes accounts only where there are none.
        if ((await this.stock.getAccount(address)) !== undefined) return
        return expectSame((state) =>
          state.putAccount(address, new Account(BigInt(call.nonce), amounts[call.amount]!)),
        )
      case 'modify':
        return expectSame((state) =>
          state.modifyAccountFields(address, {
            nonce: BigInt(call.nonce),
            ...(call.amount < amounts.length ? { balance: amounts[call.amount]! } : {}),
          }),
        )
      case 'deleteAccount':
      case 'clearStorage':
        // Stock's caches do not bring cleared storage back on a revert; nor does stock's code ask for
        // it: it deletes at a transaction's end, and clears where a contract is made, which is empty.
        if (this.#height > 0 && (await this.#hadStorage(address))) return
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
        this.#stored.add(address)
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
        this.#endCheckpoint(call.call === 'commit')
        return expectSame((state) => (call.call === 'commit' ? state.commit() : state.revert()))
      case 'next':
        if (call.compare) await this.#compareAll()
        return this.#nextTransaction()
      case 'endBlock':
        await this.#nextTransaction()
        return this.#endBlock()
    }
  }

  #heldAt(index: number): Held | undefined {
    return this.#held[index % Math.max(1, this.#held.length)]
  }

  async #get(address: Address, whole: boolean, what: string): Promise<void> {
    const stock = await this.stock.getAccount(address)
    const ours = whole
      ? await this.ours.getAccountWhole(address)
      : await this.ours.getAccount(address)
    expect(ours === undefined, what).toBe(stock === undefined)
    if (stock === undefined || ours === undefined) return
    this.#held.push({ address, stock, ours, height: this.#height })
  }

  /** Stock's code puts an account where it got it, in the same transaction. */
  async #putHeld(held: Held | undefined, how: number, amount: bigint): Promise<void> {
    if (held === undefined) return
    for (const account of [held.stock, held.ours]) change(account, how, amount)
    await this.stock.putAccount(held.address, held.stock)
    await this.ours.putAccount(held.address, held.ours)
  }

  /** As the worker's EVM adds to a receiver's balance, without a look at it where that is allowed. */
  async #credit(address: Address, amount: bigint): Promise<void> {
    const stock = (await this.stock.getAccount(address)) ?? new Account()
    if (stock.balance + amount >= sumLimit) return
    const ours = (await this.ours.getAccount(address)) ?? new Account()
    if (ours instanceof LazyAccount && ours.canAddUnread && !isHuge(amount)) ours.addUnread(amount)
    else ours.balance += amount
    stock.balance += amount
    await this.stock.putAccount(address, stock)
    await this.ours.putAccount(address, ours)
  }

  /**
   * As the fee is credited, once per transaction: without even asking whether the account exists,
   * where that is allowed.
   */
  async #fee(address: Address, amount: bigint): Promise<void> {
    if (isHuge(amount) || this.#isFeePaid) return
    this.#isFeePaid = true
    const stock = (await this.stock.getAccount(address)) ?? new Account()
    if (stock.balance + amount >= sumLimit) return
    const ours = (await this.ours.mayCreditUnread(address))
      ? new FeeAccount()
      : ((await this.ours.getAccountWhole(address)) ?? new Account())
    for (const account of [stock, ours]) account.balance += amount
    await this.stock.putAccount(address, stock)
    await this.ours.putAccount(address, ours)
  }

  /** What was got since a checkpoint belongs to it; a revert makes it void. */
  #endCheckpoint(isCommit: boolean): void {
    if (isCommit) {
      for (const held of this.#held) held.height = Math.min(held.height, this.#height)
    }
    this.#held = this.#held.filter(({ height }) => height <= this.#height)
  }

  /** Whether the account has had storage in this block, if only written and emptied again. */
  async #hadStorage(address: Address): Promise<boolean> {
    if (this.#stored.has(address)) return true
    for (const slot of keys) {
      if ((await this.base.getStorage(address, slot)).length > 0) return true
    }
    return false
  }

  /** Stock's code gets an account anew after that: a former one would bring back storage or code. */
  #letGo(address: Address): void {
    this.#held = this.#held.filter((held) => !held.address.equals(address))
  }

  async #nextTransaction(): Promise<void> {
    for (; this.#height > 0; this.#height--) {
      await this.stock.commit()
      await this.ours.commit()
    }
    expect(this.world.readsHold()).toBe(true)
    this.#held = []
    this.#isFeePaid = false
    this.stock.originalStorageCache.clear()
    this.world.nextTransaction()
    if (++this.#transactions === transactionsPerBlock) await this.#endBlock()
  }

  async #endBlock(): Promise<void> {
    if (this.#transactions === 0) return
    await this.stock.commit()
    await this.world.endBlock(transactionsPerBlock)
    this.#transactions = 0
    this.#stored.clear()
    expect(await this.base.getStateRoot(), 'state root').toEqual(await this.stock.getStateRoot())
    await this.stock.checkpoint()
  }

  async #compareAll(): Promise<void> {
    for (const address of addresses) {
      const [stock, ours] = [
        await this.stock.getAccount(address),
        await this.ours.getAccount(address),
      ]
      const fields = (account: Account | undefined) =>
        account && [account.nonce, account.balance, account.codeHash, account.isEmpty()]
      expect(fields(ours), address.toString()).toEqual(fields(stock))
      expect(await this.ours.getCode(address)).toEqual(await this.stock.getCode(address))
      for (const slot of keys) {
        const [stockValues, ourValues] = [
          await valuesOf(this.stock, address, slot),
          await valuesOf(this.ours, address, slot),
        ]
        expect(ourValues, address.toString()).toEqual(stockValues)
      }
    }
  }
}

/** Now, and at the start of the transaction. */
async function valuesOf(state: Side, address: Address, slot: Uint8Array): Promise<Uint8Array[]> {
  return [
    await state.getStorage(address, slot),
    await state.originalStorageCache.get(address, slot),
  ]
}

/** More than is ever added without being read. */
function isHuge(amount: bigint): boolean {
  return amount >= 1n << 191n
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
  else if (how === 4 && account.balance + 3n < sumLimit) account.balance += 3n
}

async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error: (error as Error).message }
  }
}
