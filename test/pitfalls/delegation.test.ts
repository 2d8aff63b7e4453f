// EIP-7702: accounts whose code and nonce change although they neither send nor receive.
// Authority on pitfalls 6 and 7. It must let readers overtake the authorizations that they depend on.
import { Address, concatBytes } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { authorize } from '../support/hand-made-block.ts'
import { type Actor, actors, addressWord, numberWord } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictSuite } from '../support/strict-suite.ts'
import {
  delay,
  expectEqualEveryTime,
  expectRefusedEveryTime,
  logged,
  logWords,
  lookAt,
  named,
  relayed,
  stage,
  visit,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, erin, frank] = actors
const authority = actors[8]!
const nobody = new Address(new Uint8Array(20))
const creator = named('creator')
const firstDelegate = named('first delegate')
const secondDelegate = named('second delegate')
const doubter = named('doubter')
const address = [0, 'CALLDATALOAD'] as const

const suite = strictSuite({
  accounts: {
    ...stage,
    [creator.toString()]: contractOf([
      ['0x600160005260206000f3', 0, 'MSTORE'],
      [10, 22, 0, 'CREATE', 0, 'MSTORE', 32, 0, 'RETURN'],
    ]),
    // Where one has a jump destination the other has a push that swallows the same byte.
    [firstDelegate.toString()]: contractOf([
      [8, 'JUMP', 'STOP', 'STOP', 'STOP', 'STOP', 'STOP'],
      [{ label: 'here' }, 1, 0, 'SSTORE', 1, 0, 'MSTORE', 32, 0, 'RETURN'],
    ]),
    [secondDelegate.toString()]: contractOf([
      [7, 'JUMP', 'STOP', 'STOP', 'STOP', 'STOP', 0x5b, 'STOP'],
      [2, 0, 'SSTORE', 2, 0, 'MSTORE', 32, 0, 'RETURN'],
    ]),
    // Looks at the address in word 0 twice, the turns in word 1 apart.
    [doubter.toString()]: contractOf([
      [...address, 'EXTCODEHASH', 0, 'MSTORE'],
      delay(32, 'think'),
      [...address, 'EXTCODESIZE', 0, 320, ...address, 'EXTCODECOPY'],
      logWords(
        [0, 'MLOAD'],
        [...address, 'EXTCODEHASH'],
        [...address, 'EXTCODESIZE', 320, 'KECCAK256'],
        [...address, 'EXTCODESIZE'],
      ),
    ]),
  },
})

/** A transaction that does nothing but authorize, late. */
function delegate(from: Actor, list: ReturnType<typeof authorize>[], turns = 0) {
  return {
    ...relayed(from, from.address, turns),
    fields: { type: 4, authorizationList: list },
  }
}

describe('delegation', () => {
  it('6. two reads of one place within one execution agree: code, size and hash, while it changes', async () => {
    const doubt = (from: Actor, turns: number) =>
      relayed(from, doubter, 0, concatBytes(addressWord(authority.address), numberWord(turns)))
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        doubt(bob, turns()),
        delegate(alice, [authorize(authority, firstDelegate, 0n)], turns()),
        doubt(carol, turns()),
        doubt(dave, turns()),
        delegate(alice, [authorize(authority, secondDelegate, 1n)], turns()),
        doubt(erin, turns()),
        delegate(alice, [authorize(authority, nobody, 2n)], turns()),
        doubt(frank, turns()),
      ],
    }))
    for (const index of [2, 3, 5]) {
      const [before, after, hashOfCode, size] = logged(run, index)
      expect([after, hashOfCode, size]).toEqual([before, before, 23n])
    }
  })

  it('6. two reads of one place agree: jump destinations are those of the code that runs', async () => {
    await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        delegate(alice, [authorize(authority, firstDelegate, 0n)], turns()),
        relayed(bob, authority.address, turns()),
        relayed(carol, firstDelegate, turns()),
        delegate(alice, [authorize(authority, secondDelegate, 1n)], turns()),
        relayed(dave, authority.address, turns()),
        relayed(erin, secondDelegate, turns()),
        visit(frank, authority.address, turns()),
        delegate(alice, [authorize(authority, firstDelegate, 2n)], turns()),
        visit(bob, authority.address, turns()),
      ],
    }))
  })

  it('7. authorities neither send nor receive: their nonce and code are written, and others see it', async () => {
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        delegate(alice, [authorize(authority, firstDelegate, 0n)], turns(2500)),
        { from: authority, to: bob.address, nonce: 1n, value: 1n },
        lookAt(carol, authority.address),
        visit(dave, authority.address),
        // Refused quietly: the nonce has moved on. The second of the list is right.
        delegate(erin, [authorize(authority, secondDelegate, 1n)], turns()),
        delegate(frank, [authorize(authority, nobody, 9n), authorize(authority, nobody, 2n)]),
        lookAt(bob, authority.address),
        { from: authority, to: bob.address, nonce: 3n, value: 1n },
      ],
    }))
    expect(logged(run, 2)[1]).toBe(23n)
    expect(logged(run, 6)[1]).toBe(0n)
    const account = await run.ours.stateManager.getAccount(authority.address)
    expect(account?.nonce).toBe(4n)
  })

  it("7. self-authorization moves the nonce twice, and a delegated sender's CREATE moves it too", async () => {
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        {
          from: alice,
          to: bob.address,
          fields: { type: 4, authorizationList: [authorize(alice, creator, 1n)] },
        },
        relayed(bob, alice.address, turns()),
        { from: alice, to: carol.address, nonce: 3n, value: 1n },
        relayed(carol, alice.address, turns()),
        // Sender and target at once: the call creates as well.
        { from: alice, to: alice.address, nonce: 5n },
        { from: alice, to: dave.address, nonce: 7n },
        lookAt(erin, alice.address, turns()),
      ],
    }))
    const account = await run.ours.stateManager.getAccount(alice.address)
    expect(account?.nonce).toBe(8n)
  })

  it("7. an authorization makes a sender's next nonce wrong: the block is refused as stock refuses it", async () => {
    await expectRefusedEveryTime(
      suite,
      (turns) => ({
        transactions: [
          delegate(alice, [authorize(authority, firstDelegate, 0n)], turns(2500)),
          { from: authority, to: bob.address, nonce: 0n },
          lookAt(carol, authority.address, turns()),
        ],
      }),
      /nonce/,
    )
  })
})
