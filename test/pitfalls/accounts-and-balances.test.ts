// Empty and absent accounts, balances that grow unread, and the checks that depend on them.
// Authority on pitfalls 5 and 9. It must compare whole blocks: these bugs only show in roots.
import type { MerkleStateManager } from '@ethereumjs/statemanager'
import { Address, createAccount, hexToBytes } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import {
  authorize,
  type BlockPlan,
  makeBlock,
  makeWorld,
  runBoth,
  type World,
} from '../support/hand-made-block.ts'
import { actors, addressWord, ether } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictSuite } from '../support/strict-suite.ts'
import {
  expectEqualEveryTime,
  expectRefusedEveryTime,
  logged,
  lookAt,
  named,
  relayed,
  stage,
  turnsOf,
  visit,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, poor, drained] = actors
const ripemd = new Address(hexToBytes(`0x${'00'.repeat(19)}03`))
const empty = named('empty')
const untouched = named('empty and untouched')
const toucher = named('toucher')
const spender = named('spender')
const purse = named('purse')

const suite = strictSuite({
  accounts: {
    ...stage,
    [poor.address.toString()]: { balance: 0n },
    [drained.address.toString()]: { balance: ether },
    // Pays 50 wei to the address in word 0, if it can, and logs whether it could.
    [spender.toString()]: contractOf(
      [
        ['CALLDATASIZE', { to: 'spend' }, 'JUMPI', 'STOP', { label: 'spend' }],
        [0, 0, 0, 0, 50, 0, 'CALLDATALOAD', 20_000, 'CALL', 0, 'MSTORE', 32, 0, 'LOG0'],
      ],
      { balance: 10n },
    ),
    // What an account delegates to that everybody may empty.
    [purse.toString()]: contractOf([0, 0, 0, 0, 'SELFBALANCE', 'ORIGIN', 50_000, 'CALL']),
  },
})

async function withEmptyAccounts(vm: VM, accounts: readonly Address[]): Promise<VM> {
  for (const address of accounts) await vm.stateManager.putAccount(address, createAccount({}))
  await (vm.stateManager as MerkleStateManager).flush()
  return vm
}

/** The block on a state that has empty accounts, which only old states have. */
async function expectEqualOnEmptyAccounts(
  where: World,
  accounts: readonly Address[],
  plan: BlockPlan,
): Promise<VM> {
  const stock = await withEmptyAccounts(await where.vm(), accounts)
  const ours = await withEmptyAccounts(await where.vm(), accounts)
  const run = await runBoth(suite.executor, { stock, ours }, makeBlock(where.common, plan))
  expect(run.differences).toEqual([])
  expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
  return ours
}

describe('accounts and balances', () => {
  it('5. empty is not absent: a touch deletes it, whoever looks before or after', async () => {
    for (const hardfork of ['byzantium', 'shanghai']) {
      const old = await makeWorld({
        hardfork,
        accounts: {
          ...stage,
          // Calls the address in word 0 with no value; with a second word it then fails. It runs under
          // every fork: the logging contracts use opcodes of Constantinople.
          [toucher.toString()]: contractOf([
            [0, 0, 0, 0, 0, 0, 'CALLDATALOAD', 20_000, 'CALL', 'POP'],
            ['CALLDATASIZE', 32, 'EQ', { to: 'well' }, 'JUMPI', 'INVALID', { label: 'well' }],
          ]),
        },
      })
      for (let round = 0; round < 5; round++) {
        const turns = turnsOf(round)
        const failing = new Uint8Array([...addressWord(untouched), 1])
        const ours = await expectEqualOnEmptyAccounts(old, [empty, untouched, ripemd], {
          transactions: [
            lookAt(alice, empty, turns()),
            relayed(bob, toucher, turns(), addressWord(empty)),
            lookAt(carol, empty, turns()),
            // A failed call takes its touches back, all but that of the third precompile.
            relayed(dave, toucher, turns(), failing, { gasLimit: 200_000n }),
            lookAt(alice, untouched, turns()),
            relayed(bob, toucher, turns(), new Uint8Array([...addressWord(ripemd), 1]), {
              gasLimit: 200_000n,
            }),
            visit(carol, untouched, turns()),
            { from: dave, to: named('never there'), value: 0n },
            lookAt(alice, named('never there'), turns()),
          ],
        })
        expect(await ours.stateManager.getAccount(empty)).toBeUndefined()
        expect(await ours.stateManager.getAccount(named('never there'))).toBeUndefined()
      }
    }
  })

  it('5. empty is not absent: the touch of RIPEMD-160 survives a revert, others do not', async () => {
    const touching = await makeWorld({
      hardfork: 'shanghai',
      accounts: {
        ...stage,
        [toucher.toString()]: contractOf([
          [0, 0, 0, 0, 0, 0, 'CALLDATALOAD', 20_000, 'CALL', 'INVALID'],
        ]),
      },
    })
    for (let round = 0; round < 5; round++) {
      const turns = turnsOf(round)
      const ours = await expectEqualOnEmptyAccounts(touching, [untouched, ripemd], {
        transactions: [
          relayed(alice, toucher, turns(), addressWord(ripemd), { gasLimit: 200_000n }),
          lookAt(bob, ripemd, turns()),
          { from: carol, to: toucher, data: addressWord(untouched), gasLimit: 100_000n },
          lookAt(dave, untouched, turns()),
          { from: alice, to: toucher, data: addressWord(ripemd), gasLimit: 100_000n },
          lookAt(bob, ripemd, turns()),
        ],
      })
      expect(await ours.stateManager.getAccount(ripemd)).toBeUndefined()
      expect(await ours.stateManager.getAccount(untouched)).toBeDefined()
    }
  })

  it('5. empty is not absent: a fee of zero touches the coinbase all the same', async () => {
    for (const hardfork of ['byzantium', 'shanghai', 'prague']) {
      const where = await makeWorld({ hardfork, accounts: stage })
      const base = hardfork === 'byzantium' ? 0n : 7n
      for (const accounts of [[empty], []]) {
        for (let round = 0; round < 3; round++) {
          const turns = turnsOf(round)
          const free = { fields: { gasPrice: base } }
          const ours = await expectEqualOnEmptyAccounts(where, accounts, {
            coinbase: empty,
            transactions: [
              { ...lookAt(alice, empty, turns()), ...free },
              { ...relayed(bob, named('somebody'), turns(), undefined, { value: 1n }), ...free },
              { ...lookAt(carol, empty, turns()), ...free },
            ],
          })
          if (hardfork === 'byzantium') continue
          expect(await ours.stateManager.getAccount(empty)).toBeUndefined()
        }
      }
    }
  })

  it('9. additions skip no check: who is paid late in the block can pay from then on, and not before', async () => {
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: [
        relayed(alice, poor.address, turns(2500), undefined, { value: ether }),
        relayed(bob, poor.address, turns(), undefined, { value: ether }),
        { from: poor, to: carol.address, value: ether + ether / 2n },
        lookAt(dave, poor.address, turns()),
        relayed(alice, spender, turns(), addressWord(dave.address)),
        relayed(bob, spender, turns(2500), undefined, { value: 30n }),
        relayed(carol, spender, turns(), addressWord(dave.address)),
        relayed(dave, spender, turns(2500), undefined, { value: 30n }),
        relayed(alice, spender, turns(), addressWord(dave.address)),
        relayed(bob, spender, turns(), addressWord(dave.address)),
      ],
    }))
    const couldPay = [4, 6, 8, 9].map((index) => logged(run, index)[0])
    expect(couldPay).toEqual([0n, 0n, 1n, 0n])
  })

  it('9. additions skip no check: who is paid too little, or too late, is refused as stock refuses', async () => {
    const payments = (turns: (most?: number) => number) => [
      relayed(alice, poor.address, turns(2500), undefined, { value: ether }),
      relayed(bob, poor.address, turns(2500), undefined, { value: ether }),
    ]
    const spending = { from: poor, to: carol.address, value: 2n * ether }
    await expectRefusedEveryTime(
      suite,
      (turns) => ({ transactions: [...payments(turns), spending, lookAt(dave, poor.address)] }),
      /sender doesn't have enough funds/,
    )
    await expectRefusedEveryTime(
      suite,
      (turns) => ({
        transactions: [lookAt(dave, poor.address), { ...spending, value: 1n }, ...payments(turns)],
      }),
      /sender doesn't have enough funds/,
    )
  })

  it('9. additions skip no check: a sender whose balance and fee cap were fine before is checked anew', async () => {
    // The delegation lets anybody empty the account, while its own transaction waits behind.
    const delegation = {
      from: alice,
      to: bob.address,
      fields: { type: 4, authorizationList: [authorize(drained, purse, 0n)] },
    }
    await expectRefusedEveryTime(
      suite,
      (turns) => ({
        transactions: [
          delegation,
          relayed(bob, drained.address, turns(2500)),
          { from: drained, to: carol.address, nonce: 1n, value: 1n },
          lookAt(dave, drained.address),
        ],
      }),
      /sender doesn't have enough funds/,
    )
    await expectRefusedEveryTime(
      suite,
      (turns) => ({
        transactions: [
          relayed(alice, bob.address, turns(2500)),
          { from: carol, to: bob.address, fields: { gasPrice: 6n } },
          relayed(dave, bob.address, turns()),
        ],
      }),
      /base ?fee/i,
      3,
    )
  })
})
