// Learning from real executions of stock ethereumjs: after one transaction of a kind, the next ones,
// of other people and amounts, are predicted to the last location.
// Authority on what templates must recognize. Contracts are placed with their storage, not deployed.

import type { PrefixedHexString } from '@ethereumjs/util'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  mintCounterArtifact,
  poolArtifact,
  tokenArtifact,
} from '../../../plugin/bench/contract-artifacts.ts'
import { encodeCall, mappingSlot, type Word } from '../../../plugin/bench/solidity.ts'

import { LocationSet } from '../../../src/access/location-set.ts'
import { NO_CODE } from '../../../src/access/prediction-walk.ts'
import { type Call, type Compared, LearningWorld } from '../../support/learning-world.ts'
import { type Actor, actors, ether } from '../../support/random-world.ts'
import { compileSamples } from '../../support/sample-contracts.ts'
import type { AccountRecords } from '../../support/state-template.ts'
import { hexOf, keccak } from './support/facts.ts'

const [alice, bob, carol, dave] = actors as [Actor, Actor, Actor, Actor]
const of = (actor: Actor): PrefixedHexString => actor.address.toString()
/** Addresses that look like addresses: those of one repeated byte are found everywhere. */
const at = (number: number): PrefixedHexString => hexOf(keccak(Uint8Array.of(number)).subarray(12))
const [token, otherToken, counter, ledger] = [at(1), at(2), at(3), at(4)]
const [proxy, router, treasury] = [at(5), at(6), at(7)]
const unlimited = 2n ** 256n - 1n
const hex = (value: bigint): string => `0x${value.toString(16)}`

/** Everybody is rich in the token, and has allowed everybody named to spend. */
function tokenStorage(
  spenders: readonly Word[],
  slots: { balanceOf: bigint; allowance: bigint },
  allowed = unlimited / 2n,
): Record<string, string> {
  const storage: Record<string, string> = {}
  for (const { address } of actors) {
    const owner = address.toString()
    storage[hex(mappingSlot(slots.balanceOf, owner))] = hex(1_000n * ether)
    for (const spender of spenders) {
      const entry = mappingSlot(mappingSlot(slots.allowance, owner), spender)
      storage[hex(entry)] = hex(allowed)
    }
  }
  return storage
}

const slotsOfToken = {
  balanceOf: tokenArtifact.storage.balanceOf.slot,
  allowance: tokenArtifact.storage.allowance.slot,
}

function poolAccounts(
  pool: PrefixedHexString,
  tokens: [PrefixedHexString, PrefixedHexString],
): AccountRecords {
  const deep = 1_000_000n * ether
  const accounts: AccountRecords = {
    [pool]: {
      nonce: 1n,
      code: poolArtifact.runtimeCode,
      storage: { '0x0': tokens[0], '0x1': tokens[1], '0x2': hex(deep | (deep << 112n)) },
    },
  }
  for (const address of tokens) {
    accounts[address] = {
      nonce: 1n,
      code: tokenArtifact.runtimeCode,
      storage: {
        ...tokenStorage([pool], slotsOfToken),
        [hex(mappingSlot(slotsOfToken.balanceOf, pool))]: hex(deep),
      },
    }
  }
  return accounts
}

let samples: ReturnType<typeof compileSamples>
let accounts: AccountRecords
const pools = [0xb0, 0xb3, 0xb6].map((number) => ({
  address: at(number),
  tokens: [at(number + 1), at(number + 2)] as [PrefixedHexString, PrefixedHexString],
}))

beforeAll(() => {
  samples = compileSamples()
  const everybody = actors.map(of)
  accounts = {
    [token]: {
      nonce: 1n,
      code: tokenArtifact.runtimeCode,
      storage: tokenStorage([...everybody, router], slotsOfToken),
    },
    [otherToken]: {
      nonce: 1n,
      code: samples.OtherToken,
      storage: tokenStorage([...everybody, router], { allowance: 3n, balanceOf: 4n }),
    },
    [counter]: { nonce: 1n, code: mintCounterArtifact.runtimeCode, storage: { '0x0': '0x29' } },
    [ledger]: {
      nonce: 1n,
      code: samples.Ledger,
      storage: { '0x6': `${treasury}0000000000000000` },
    },
    [proxy]: {
      nonce: 1n,
      code: samples.Proxy,
      storage: {
        ...tokenStorage([], slotsOfToken),
        '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc': token,
      },
    },
    [router]: { nonce: 1n, code: samples.Router },
    [treasury]: { balance: 1n },
    ...Object.assign({}, ...pools.map(({ address, tokens }) => poolAccounts(address, tokens))),
  }
})

const call = (from: Actor, to: PrefixedHexString, signature: string, ...words: Word[]): Call => ({
  from,
  to,
  data: encodeCall(signature, words),
})

/** Learns from the first `lessons` calls, and expects all others to be predicted exactly. */
async function expectLearned(calls: readonly Call[], lessons = 1): Promise<LearningWorld> {
  const world = await LearningWorld.create(accounts)
  for (const lesson of calls.slice(0, lessons)) await world.learn(lesson)
  for (const later of calls.slice(lessons)) expectExact(await world.learn(later))
  return world
}

function expectExact(compared: Compared): void {
  const { missing, surplus, sameKind, right, coverage } = compared
  expect({ missing, surplus, coverage }).toEqual({ missing: [], surplus: [], coverage: 'whole' })
  expect(sameKind).toBe(right)
}

describe('one execution teaches', () => {
  it('a token transfer, for other callers and recipients', async () => {
    const transfer = (from: Actor, to: Actor, value: bigint): Call =>
      call(from, token, 'transfer(address,uint256)', of(to), value)
    await expectLearned([
      transfer(alice, bob, 5n),
      transfer(carol, dave, 77n),
      transfer(bob, alice, 1n),
      transfer(dave, carol, ether),
    ])
  })

  it('a token transfer by somebody else, through a nested mapping', async () => {
    const transfer = (spender: Actor, from: Actor, to: Actor): Call =>
      call(spender, token, 'transferFrom(address,address,uint256)', of(from), of(to), 9n)
    await expectLearned([
      transfer(alice, bob, carol),
      transfer(bob, carol, dave),
      transfer(dave, alice, bob),
    ])
  })

  it('an allowance', async () => {
    const approve = (owner: Actor, spender: PrefixedHexString): Call =>
      call(owner, token, 'approve(address,uint256)', spender, 9n)
    await expectLearned([
      approve(alice, at(0x71)),
      approve(bob, at(0x72)),
      approve(carol, of(dave)),
    ])
  })

  it('a mint, whose id comes from a counter', async () => {
    await expectLearned([alice, bob, carol, dave].map((who) => call(who, counter, 'mint()')))
  })

  it('a field of a struct in a mapping', async () => {
    await expectLearned(
      [alice, bob, carol].map((who, index) =>
        call(who, ledger, 'deposit(uint128)', BigInt(index + 500)),
      ),
    )
  })

  it('an element added to an array, also where elements are structs', async () => {
    const record = (value: bigint): Call => call(alice, ledger, 'record(uint256)', value)
    await expectLearned([record(1_001n), record(1_002n), record(1_003n), record(1_004n)])
    const place = (who: Actor, price: bigint): Call =>
      call(who, ledger, 'place(uint256,uint256)', price, 1_000n)
    await expectLearned([place(alice, 5_000n), place(bob, 6_000n), place(carol, 7_000n)])
  })

  it('an element added to an array in a mapping', async () => {
    const append = (who: Actor, value: bigint): Call => call(who, ledger, 'append(uint256)', value)
    await expectLearned([
      append(alice, 900n),
      append(bob, 901n),
      append(bob, 902n),
      append(bob, 903n),
    ])
  })

  it('a mapping by a string, of the same length', async () => {
    const register = (from: Actor, name: string): Call => {
      const text = BigInt(`0x${Buffer.from(name.padEnd(32, '\0')).toString('hex')}`)
      return call(from, ledger, 'register(string)', 32n, BigInt(name.length), text)
    }
    await expectLearned([register(alice, 'alice.eth'), register(bob, 'bobby.eth')])
  })

  it('a mapping of mappings by an argument and the caller', async () => {
    await expectLearned(
      [alice, bob, carol].map((who, index) =>
        call(who, ledger, 'vote(uint256)', BigInt(7 * index + 40)),
      ),
    )
  })

  it('a payment to an address that is packed into a slot', async () => {
    const pay = (from: Actor, value: bigint): Call => ({
      ...call(from, ledger, 'pay()'),
      value,
    })
    await expectLearned([pay(alice, 5n), pay(bob, 6n)])
  })

  it('a call through a delegating proxy, in whose storage all is', async () => {
    const transfer = (from: Actor, to: Actor): Call =>
      call(from, proxy, 'transfer(address,uint256)', of(to), 3n)
    await expectLearned([transfer(alice, bob), transfer(carol, dave), transfer(bob, carol)])
  })
})

describe('two executions teach', () => {
  it('both directions of a swap, for every pool of the same code', async () => {
    const swap = (from: Actor, pool: number, isForward: boolean): Call =>
      call(from, pools[pool]!.address, 'swap(uint256,uint256,bool)', 1_000n, 1n, isForward)
    await expectLearned(
      [
        swap(alice, 0, true),
        swap(bob, 0, false),
        swap(carol, 1, true),
        swap(dave, 2, false),
        swap(alice, 2, true),
        swap(bob, 1, false),
      ],
      2,
    )
  })

  it('an element that an argument names, once its place is seen to differ', async () => {
    const world = await LearningWorld.create(accounts)
    for (const who of [alice, bob, carol, dave]) {
      await world.compare(call(who, ledger, 'place(uint256,uint256)', 10n, 1_000n))
    }
    const fill = (index: bigint): Call => call(alice, ledger, 'fill(uint256,uint256)', index, 5n)
    await world.learn(fill(2n))
    for (const index of [1n, 3n, 2n]) expectExact(await world.learn(fill(index)))
  })
})

describe('a function that is called by others', () => {
  const forward = (from: Actor, through: PrefixedHexString, to: Actor): Call =>
    call(from, router, 'forward(address,address,uint256)', through, of(to), 5n)
  const pull = (spender: Actor, from: Actor, through: PrefixedHexString, to: Actor): Call =>
    call(spender, through, 'transferFrom(address,address,uint256)', of(from), of(to), 5n)

  it('is learned once for all who call it', async () => {
    const world = await LearningWorld.create(accounts)
    await world.learn(forward(alice, token, bob))
    // The other token keeps its balances elsewhere; nobody has yet sent it through the router.
    await world.learn(pull(dave, carol, otherToken, bob))
    expectExact(await world.learn(forward(bob, otherToken, carol)))
    expectExact(await world.learn(pull(alice, carol, token, dave)))
  })

  it('leaves the prediction open where nobody has seen it yet', async () => {
    const world = await LearningWorld.create(accounts)
    await world.learn(forward(alice, token, bob))
    const open = await world.learn(forward(alice, otherToken, bob))
    expect(open).toMatchObject({ coverage: 'open', wrong: 0 })
    expect(open.missing.length).toBeGreaterThan(0)
    expectExact(await world.learn(forward(carol, otherToken, dave)))
  })

  it('is part of its caller where calls were not recorded', async () => {
    const world = await LearningWorld.create(accounts)
    const swap = (from: Actor, pool: number): Call =>
      call(from, pools[pool]!.address, 'swap(uint256,uint256,bool)', 1_000n, 1n, true)
    const { facts, codeHash, observation } = (await world.compare(swap(alice, 0))).recorded
    world.library.observe(facts, codeHash!, { ...observation, calls: undefined })
    expect(world.library.size).toBe(1)
    expectExact(await world.compare(swap(bob, 1)))
    expectExact(await world.compare(swap(carol, 2)))
  })
})

describe('predictions', () => {
  it('never throw, whatever the calldata and whoever calls', async () => {
    const world = await LearningWorld.create(accounts)
    const lessons = [
      call(alice, token, 'transfer(address,uint256)', of(bob), 1n),
      call(alice, proxy, 'transfer(address,uint256)', of(bob), 1n),
      call(alice, ledger, 'place(uint256,uint256)', 1n, 2n),
      call(alice, ledger, 'register(string)', 32n, 3n, 2n ** 255n),
      call(alice, pools[0]!.address, 'swap(uint256,uint256,bool)', 1_000n, 1n, true),
      call(alice, router, 'forward(address,address,uint256)', token, of(bob), 1n),
    ]
    const learned = []
    for (const lesson of lessons) learned.push((await world.learn(lesson)).recorded)
    const address = fc.uint8Array({ minLength: 20, maxLength: 20 })
    const answer = fc.option(fc.uint8Array({ maxLength: 32 }), { nil: undefined })
    const codeHash = fc.constantFrom(undefined, NO_CODE, ...learned.map((each) => each.codeHash!))
    const data = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constant(new Uint8Array(1 << 20).fill(7)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...learned),
        data,
        fc.integer({ min: 0, max: 4 }),
        fc.option(address, { nil: undefined }),
        fc.option(address, { nil: undefined }),
        answer,
        codeHash,
        ({ facts, codeHash: code }, tail, kept, sender, to, value, inner) => {
          const head = facts.data.subarray(0, kept)
          const garbled = {
            ...facts,
            sender,
            to,
            data: Uint8Array.from([...head, ...tail.subarray(0, 4096)]),
          }
          if (tail.length > 4096) garbled.data = Buffer.concat([head, tail])
          const predict = (): unknown =>
            world.library.predict(
              garbled,
              code!,
              new LocationSet(),
              () => value,
              () => inner,
            )
          expect(predict).not.toThrow()
        },
      ),
    )
  })
})

describe('what was learned', () => {
  it('does not speak of another function, or of other code', async () => {
    const world = await LearningWorld.create(accounts)
    await world.learn(call(alice, token, 'transfer(address,uint256)', of(bob), 1n))
    const other = await world.compare(call(alice, token, 'approve(address,uint256)', of(bob), 1n))
    expect(other.coverage).toBe('none')
    const elsewhere = call(alice, proxy, 'transfer(address,uint256)', of(bob), 1n)
    expect((await world.compare(elsewhere)).coverage).toBe('none')
  })

  it('heals where the first execution was misleading', async () => {
    const transfer = (from: Actor, to: Actor): Call =>
      call(from, token, 'transfer(address,uint256)', of(to), 1n)
    // To oneself: sender and argument are one, and one rule seems to be enough.
    await expectLearned([transfer(alice, alice), transfer(bob, carol), transfer(dave, bob)], 2)
  })

  it('follows a proxy to another implementation', async () => {
    const world = await LearningWorld.create({
      ...accounts,
      [proxy]: {
        ...accounts[proxy],
        storage: {
          ...accounts[proxy]!.storage,
          ...tokenStorage([of(alice)], { allowance: 3n, balanceOf: 4n }),
          '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc': otherToken,
        },
      },
    })
    const transfer = (from: Actor, to: Actor): Call =>
      call(alice, proxy, 'transferFrom(address,address,uint256)', of(from), of(to), 1n)
    await world.learn(transfer(bob, carol))
    expectExact(await world.learn(transfer(carol, dave)))
  })
})
