// Accounts as the EVM gets them: equal to stock's in what they answer, and thrifty in what they record.
// Authority on which look costs which read.
import { Common, Mainnet } from '@ethereumjs/common'
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util'
import { beforeAll, describe, expect, it } from 'vitest'
import { FeeAccount, LazyAccount } from '../../../src/execution/lazy-account.ts'
import { OverlayWorld } from '../../support/overlay-world.ts'
import { buildStateTemplate, type StateTemplate } from '../../support/state-template.ts'

const [plain, contract, empty, absent] = [1, 2, 3, 4].map(
  (name) => new Address(new Uint8Array(20).fill(name)),
) as [Address, Address, Address, Address]
let template: StateTemplate

beforeAll(async () => {
  const common = new Common({ chain: Mainnet, hardfork: 'shanghai' })
  template = await buildStateTemplate(common, {
    [plain.toString()]: { balance: 50n, nonce: 3n },
    [contract.toString()]: { nonce: 1n, code: '0x6001', storage: { '0x00': '0x01' } },
  })
})

async function start(): Promise<{ world: OverlayWorld; base: MerkleStateManager }> {
  const base = template.copy(new Common({ chain: Mainnet, hardfork: 'shanghai' }))
  await base.putAccount(empty, new Account())
  return { world: new OverlayWorld(base, 4), base }
}

async function got(world: OverlayWorld, address: Address): Promise<LazyAccount> {
  const account = await world.overlay.getAccount(address)
  expect(account).toBeInstanceOf(LazyAccount)
  return account as LazyAccount
}

/** Words that `look` adds to the read set. */
function cost(world: OverlayWorld, look: () => unknown): number {
  const before = world.readWords
  look()
  return world.readWords - before
}

describe('an account that was got', () => {
  it('answers as the account of the base does', async () => {
    const { world, base } = await start()
    for (const address of [plain, contract, empty]) {
      const ours = await got(world, address)
      const stock = (await base.getAccount(address))!
      expect([ours.nonce, ours.balance, ours.codeHash, ours.storageRoot]).toEqual([
        stock.nonce,
        stock.balance,
        stock.codeHash,
        stock.storageRoot,
      ])
      expect([ours.isEmpty(), ours.isContract()]).toEqual([stock.isEmpty(), stock.isContract()])
      expect(ours.serialize()).toEqual(stock.serialize())
    }
    expect(await world.overlay.getAccount(absent)).toBeUndefined()
  })

  it('records a field when it is first looked at, and once', async () => {
    const { world } = await start()
    const account = await got(world, plain)
    for (const look of [() => account.nonce, () => account.balance, () => account.codeHash]) {
      expect(cost(world, look)).toBeGreaterThan(0)
      expect(cost(world, look)).toBe(0)
    }
    const again = await got(world, plain)
    expect(cost(world, () => [again.nonce, again.balance, again.codeHash])).toBe(0)
  })

  it('keeps the values of its moment, whatever is put later', async () => {
    const { world } = await start()
    const [looked, unlooked] = [await got(world, plain), await got(world, plain)]
    expect(looked.balance).toBe(50n)
    await world.overlay.modifyAccountFields(plain, { balance: 7n, nonce: 9n })
    expect([looked.balance, looked.nonce]).toEqual([50n, 3n])
    expect([unlooked.balance, unlooked.nonce]).toEqual([50n, 3n])
    const later = await got(world, plain)
    expect([later.balance, later.nonce]).toEqual([7n, 9n])
  })

  it('asks for emptiness by the field that says most', async () => {
    const { world } = await start()
    const account = await got(world, contract)
    // Code says it all: nonce and balance stay unread.
    expect(account.isEmpty()).toBe(false)
    expect(cost(world, () => account.isContract())).toBe(0)
    expect(cost(world, () => account.nonce)).toBeGreaterThan(0)
    const rich = await got(world, plain)
    rich.addUnread(1n)
    expect(cost(world, () => rich.isEmpty())).toBe(0)
    expect((await got(world, empty)).isEmpty()).toBe(true)
  })

  it('has no storage root left once its storage was cleared', async () => {
    const { world } = await start()
    expect((await got(world, contract)).storageRoot).not.toEqual(KECCAK256_RLP)
    await world.overlay.clearStorage(contract)
    expect((await got(world, contract)).storageRoot).toEqual(KECCAK256_RLP)
    await world.overlay.deleteAccount(contract)
    await world.overlay.putAccount(contract, new Account(1n, 1n))
    const revived = await got(world, contract)
    expect([revived.storageRoot, revived.codeHash]).toEqual([KECCAK256_RLP, KECCAK256_NULL])
  })
})

describe('additions that are not looked at', () => {
  it('grow the balance without reading it, over several objects', async () => {
    const { world } = await start()
    const before = world.readWords
    const first = await got(world, plain)
    const existence = world.readWords - before
    for (const amount of [5n, 6n]) {
      const account = await got(world, plain)
      expect(account.canAddUnread).toBe(true)
      account.addUnread(amount)
      await world.overlay.putAccount(plain, account)
    }
    expect(world.readWords - before).toBe(existence)
    expect((await got(world, plain)).balance).toBe(61n)
    expect(first.balance).toBe(50n)
  })

  it('are read like any balance once it is known', async () => {
    const { world } = await start()
    const account = await got(world, plain)
    expect(account.balance).toBe(50n)
    expect(account.canAddUnread).toBe(false)
    account.addUnread(1n)
    account.balance = 3n
    expect(account.balance).toBe(3n)
  })
})

describe('a balance that is replaced', () => {
  it('has nothing left of what was added unread', async () => {
    const { world } = await start()
    const account = await got(world, empty)
    account.addUnread(1n)
    account.balance = 0n
    expect(account.isEmpty()).toBe(true)
    await world.overlay.putAccount(empty, account)
    expect((await got(world, empty)).balance).toBe(0n)
  })
})

describe('a look that only asks whether the balance is negative', () => {
  it('is answered once without reading', async () => {
    const { world } = await start()
    const account = await got(world, plain)
    account.answerZeroOnce()
    expect(cost(world, () => expect(account.balance).toBe(0n))).toBe(0)
    expect(account.balance).toBe(50n)
    account.answerZeroOnce()
    expect(account.balance).toBe(50n)
  })

  it('can be taken back', async () => {
    const { world } = await start()
    const account = await got(world, plain)
    account.answerZeroOnce()
    account.answerTruly()
    expect(account.balance).toBe(50n)
  })
})

describe('the fee account', () => {
  it('takes a credit and knows nothing else', () => {
    const account = new FeeAccount()
    expect(account.balance).toBe(0n)
    account.balance += 12n
    account.balance += 3n
    expect(account.credit).toBe(15n)
  })

  it('makes an absent coinbase exist, and a credit of nothing does not', async () => {
    for (const credit of [0n, 9n]) {
      const { world } = await start()
      expect(await world.overlay.mayCreditUnread(absent)).toBe(true)
      const account = new FeeAccount()
      account.balance += credit
      await world.overlay.putAccount(absent, account)
      // What runTx does with every account that was touched.
      const touched = await world.overlay.getAccount(absent)
      if (touched === undefined || touched.isEmpty()) await world.overlay.deleteAccount(absent)
      world.nextTransaction()
      const seen = await world.overlay.getAccount(absent)
      expect(seen?.balance).toBe(credit === 0n ? undefined : credit)
    }
  })
})
