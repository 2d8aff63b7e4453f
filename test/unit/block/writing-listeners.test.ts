// Listeners that write to the state, or warm what the next transaction uses, in the middle of a block.
// Authority on what stock makes of it, to which ours must be equal whatever workers have done by then.
// It must not depend on timing: a listener's effect is the same whenever workers get there.
import { Account, type Address, bytesToHex, type PrefixedHexString } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { assembleHex } from '../../support/assembler.ts'
import {
  authorize,
  type BlockPlan,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  spin,
} from '../../support/hand-made-block.ts'
import { actors, contracts, ether, numberWord } from '../../support/random-world.ts'
import { witnessCode } from '../../support/small-contracts.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import { compareListeners, listenedWorld } from './support/listeners.ts'

const [alice, bob, carol, dave] = actors
const { counter, reader, killable } = contracts

const suite = strictSuite(listenedWorld)

function compare(listen: Parameters<typeof compareListeners>[1], plan?: BlockPlan, times?: number) {
  return compareListeners(suite, listen, plan, times)
}

describe('listeners that write', () => {
  it('before the block: it runs on what they wrote', async () => {
    const { report } = await compare((vm) => {
      vm.events.on('beforeBlock', (_block, done) => {
        void vm.stateManager
          .putStorage(counter, numberWord(0), Uint8Array.of(99))
          .then(() => vm.stateManager.putAccount(dave.address, new Account(3n, 7n)))
          .then(() => vm.stateManager.getStateRoot())
          .then(() => done?.())
      })
    })
    expect(report).toMatchObject({ mode: 'parallel', incidents: [] })
  })

  for (const event of ['beforeTx', 'afterTx'] as const) {
    const at = (vm: VM, turn: number, write: () => Promise<void>): void => {
      let count = 0
      vm.events.on(event, (_data: unknown, done?: (value?: unknown) => void) => {
        void (count++ === turn ? write() : Promise.resolve()).then(() => done?.())
      })
    }

    for (const turn of [0, 5, 11]) {
      it(`a slot in ${event} of transaction ${turn}: those after it see it, as in stock`, async () => {
        const { report } = await compare((vm) => {
          at(vm, turn, () => vm.stateManager.putStorage(counter, numberWord(0), Uint8Array.of(77)))
        })
        expect(report?.incidents[0]).toContain('listener wrote to the state')
      })
    }

    it(`a balance in every ${event}`, async () => {
      await compare((vm) => {
        vm.events.on(event, (_data: unknown, done?: (value?: unknown) => void) => {
          void (async () => {
            const account = (await vm.stateManager.getAccount(dave.address)) ?? new Account()
            account.balance += 11n
            await vm.stateManager.putAccount(dave.address, account)
            done?.()
          })()
        })
      })
    })

    it(`a deleted account with storage in ${event}, while workers run`, async () => {
      for (const turn of [1, 4]) {
        await compare(
          (vm) => at(vm, turn, () => vm.stateManager.deleteAccount(killable)),
          {
            transactions: Array.from({ length: 60 }, (_, index) => ({
              from: [alice, bob, carol][index % 3]!,
              to: [killable, counter, actors[4 + (index % 5)]!.address][index % 3]!,
              value: index % 3 === 2 ? 5n : 0n,
            })),
          },
          3,
        )
      }
    })

    it(`through the journal in ${event}: an empty account that is touched`, async () => {
      await compare((vm) =>
        at(vm, 3, () => vm.evm.journal.putAccount(actors[9]!.address, new Account())),
      )
    })

    // The transaction itself calls the counter at turn 4, so that what the listener warmed shows.
    for (const turn of [3, 4]) {
      for (const gasLimit of [100_000n, 3_000n]) {
        const how =
          gasLimit < 10_000n ? 'a call of the EVM that runs out of gas' : 'a call of the EVM'
        it(`${how} in ${event} of transaction ${turn}`, async () => {
          await compare((vm) => {
            at(vm, turn, async () => {
              await vm.evm.runCall({ to: counter, caller: dave.address, gasLimit })
            })
          })
        })
      }
    }
  }

  it('nothing but the journal: what beforeTx warms is cheaper for that transaction only', async () => {
    for (const hardfork of ['berlin', 'prague']) {
      const forked = await makeWorld({
        hardfork,
        accounts: { [reader.toString()]: { code: witnessCode, nonce: 1n } },
      })
      for (const slot of [false, true]) {
        const { report } = await compareListeners(
          { executor: suite.executor, world: forked },
          (vm) => {
            let count = 0
            vm.events.on('beforeTx', () => {
              if (count++ !== 2) return
              vm.evm.journal.addAlwaysWarmAddress(counter.toString())
              if (slot)
                vm.evm.journal.addAlwaysWarmSlot(reader.toString(), bytesToHex(numberWord(1)))
            })
          },
        )
        expect(report?.incidents).toEqual(['a beforeTx listener warmed an account'])
      }
    }
  })

  it('after the block: the next one sees it', async () => {
    await compare((vm) => {
      vm.events.once('afterBlock', (_event, done) => {
        void vm.stateManager
          .putStorage(counter, numberWord(0), Uint8Array.of(55))
          .then(() => done?.())
      })
    })
  })
})

describe('code that is asked for while a listener makes each transaction be written at once', () => {
  it('is the code before the block, also for other accounts with the same code', async () => {
    const [one, other] = [contracts.hot[0]!, contracts.hot[1]!]
    const [slow, slower] = [contracts.hot[2]!, contracts.hot[3]!]
    const delegationTo = (address: Address): PrefixedHexString =>
      `0xef0100${address.toString().slice(2)}`
    const overtaking = await makeWorld({
      accounts: {
        [one.toString()]: { code: assembleHex([1, 0, 'SSTORE']) },
        [other.toString()]: { code: assembleHex([2, 0, 'SSTORE']) },
        // Two accounts with one and the same code.
        [carol.address.toString()]: { code: delegationTo(one), balance: ether },
        [dave.address.toString()]: { code: delegationTo(one), balance: ether },
        [counter.toString()]: { code: assembleHex(spin(20_000)) },
        [slow.toString()]: {
          code: assembleHex(
            [carol.address.toString() as `0x${string}`, 'EXTCODEHASH', 0, 'SSTORE'],
            spin(60_000),
            [0, 0, 0, 0, 0, carol.address.toString() as `0x${string}`, 'GAS', 'CALL', 1, 'SSTORE'],
          ),
        },
        [slower.toString()]: {
          code: assembleHex(spin(120_000), [
            0,
            0,
            0,
            0,
            0,
            dave.address.toString() as `0x${string}`,
            'GAS',
            'CALL',
            1,
            'SSTORE',
          ]),
        },
      },
    })
    const plan: BlockPlan = {
      transactions: [
        {
          from: alice,
          to: counter,
          gasLimit: 3_000_000n,
          fields: { type: 4, authorizationList: [authorize(carol, other, 0n)] },
        },
        { from: bob, to: slow, gasLimit: 6_000_000n },
        { from: actors[4]!, to: slower, gasLimit: 9_000_000n },
      ],
    }
    for (let time = 0; time < 3; time++) {
      const sides = await sidesOf(overtaking)
      for (const vm of [sides.stock, sides.ours]) vm.events.on('afterTx', () => {})
      const run = await runBoth(suite.executor, sides, makeBlock(overtaking.common, plan))
      expect(run.differences).toEqual([])
    }
  })
})
