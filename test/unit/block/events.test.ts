// Events as stock emits them: order, payloads, the state that a listener sees, and what it may do.
// Authority on listeners that read, wait, write and throw, compared with stock's runBlock.
// It must not depend on timing: a listener's effect is the same whenever workers get there.
import type { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { Account, type Address, bytesToHex, type PrefixedHexString } from '@ethereumjs/util'
import type { VM } from '@ethereumjs/vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../../src/index.ts'
import { assembleHex } from '../../support/assembler.ts'
import {
  authorize,
  type BlockPlan,
  type BothRuns,
  makeBlock,
  makeWorld,
  runBoth,
  spin,
  type World,
} from '../../support/hand-made-block.ts'
import { compareAny } from '../../support/oracle.ts'
import {
  type Actor,
  actors,
  addressWord,
  contracts,
  ether,
  numberWord,
} from '../../support/random-world.ts'
import { strictExecutor } from '../../support/strict-executor.ts'

const [alice, bob, carol, dave] = actors as [Actor, Actor, Actor, Actor]
const { counter, reader, killable } = contracts
const counterCode = assembleHex(
  [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE', 'CALLER', 32, 0, 'LOG1'],
  [32, 0, 'RETURN'],
)
/** Keeps what it sees of the account in the calldata. */
const readerCode = assembleHex(
  [0, 'CALLDATALOAD', 'BALANCE', 1, 'SSTORE', 0, 'CALLDATALOAD', 'EXTCODEHASH', 2, 'SSTORE'],
  [32, 0, 0, 0, 0, 0, 'CALLDATALOAD', 50_000, 'CALL', 3, 'SSTORE', 0, 'MLOAD', 4, 'SSTORE'],
)
const twelve: BlockPlan = {
  transactions: Array.from({ length: 12 }, (_, index) => ({
    from: [alice, bob, carol][index % 3]!,
    ...[
      { to: counter },
      { to: dave.address, value: ether },
      { to: reader, data: addressWord(counter) },
      { to: reader, data: addressWord(dave.address) },
    ][index % 4]!,
  })),
}

let executor: ParallelExecutor
let world: World

beforeAll(async () => {
  executor = await strictExecutor()
  world = await makeWorld({
    accounts: {
      [counter.toString()]: { code: counterCode, nonce: 1n, storage: { '0x00': '0x05' } },
      [reader.toString()]: { code: readerCode, nonce: 1n },
      [killable.toString()]: { code: counterCode, nonce: 1n, storage: { '0x00': '0x07' } },
    },
  })
})
afterAll(() => executor?.close())

/** Runs the block on both sides with the listeners that `listen` adds, several times. */
async function compare(
  listen: (vm: VM, seen: unknown[]) => void,
  plan: BlockPlan = twelve,
  times = 2,
): Promise<BothRuns & { seen: unknown[] }> {
  let last: (BothRuns & { seen: unknown[] }) | undefined
  for (let time = 0; time < times; time++) {
    const stock = await world.vm()
    const ours = await world.vm()
    const [stockSeen, ourSeen] = [[], []] as [unknown[], unknown[]]
    listen(stock, stockSeen)
    listen(ours, ourSeen)
    const run = await runBoth(executor, { stock, ours }, makeBlock(world.common, plan))
    expect([...run.differences, ...compareAny(stockSeen, ourSeen, 'seen')]).toEqual([])
    expect(await followUp({ stock, ours }, plan), 'the block after it').toEqual([])
    last = { ...run, seen: ourSeen }
  }
  return last!
}

/** A second block on the same states: what the first one left wrong would show here. */
async function followUp(sides: { stock: VM; ours: VM }, plan: BlockPlan): Promise<string[]> {
  for (const vm of [sides.stock, sides.ours]) {
    vm.events.removeAllListeners()
    vm.evm.events?.removeAllListeners()
    await vm.stateManager.getStateRoot()
  }
  const nonces = new Map<Actor, bigint>()
  for (const actor of [alice, bob, carol]) {
    const account = await sides.stock.stateManager.getAccount(actor.address)
    nonces.set(actor, account?.nonce ?? 0n)
  }
  const block = makeBlock(world.common, { ...plan, number: 21n }, nonces)
  return (await runBoth(executor, sides, block)).differences
}

describe('listeners that look', () => {
  it('get the events of stock in the order of stock, with its payloads', async () => {
    for (let time = 0; time < 2; time++) {
      const sides = { stock: await world.vm(), ours: await world.vm() }
      const block = makeBlock(world.common, twelve)
      const run = await runBoth(executor, sides, block, undefined, true)
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })

  it('get the very transaction and the very result that the block gives', async () => {
    const vm = await world.vm()
    const block = makeBlock(world.common, twelve)
    const transactions: unknown[] = []
    const receipts: unknown[] = []
    vm.events.on('beforeTx', (tx) => transactions.push(tx))
    vm.events.on('afterTx', ({ receipt }) => receipts.push(receipt))
    const result = await executor.runBlock(vm, { block, generate: true, skipBlockValidation: true })
    expect(transactions.every((tx, index) => tx === block.transactions[index])).toBe(true)
    expect(receipts.every((receipt, index) => receipt === result.receipts[index])).toBe(true)
  })

  it('see the state before and after each transaction as stock shows it', async () => {
    const { report } = await compare((vm, seen) => {
      const look = async (when: string, done?: (value?: unknown) => void): Promise<void> => {
        const state: Record<string, unknown> = { when }
        for (const { address } of [alice, bob, carol, dave]) {
          const account = await vm.stateManager.getAccount(address)
          state[address.toString()] = [account?.nonce, account?.balance]
        }
        state.slot = await vm.stateManager.getStorage(counter, numberWord(0))
        state.seen = await vm.stateManager.getStorage(reader, numberWord(1))
        seen.push(state)
        done?.()
      }
      vm.events.on('beforeTx', (_tx, done) => void look('before', done))
      vm.events.on('afterTx', (_event, done) => void look('after', done))
    })
    expect(report).toMatchObject({ mode: 'parallel', incidents: [] })
  })

  it('that ask for the state root after each transaction get the one of stock', async () => {
    const { seen } = await compare((vm, roots) => {
      vm.events.on('afterTx', (_event, done) => {
        void vm.stateManager.getStateRoot().then((root) => {
          roots.push(bytesToHex(root))
          done?.()
        })
      })
    })
    expect(new Set(seen).size).toBe(twelve.transactions.length)
  })

  it('are waited for where they take a second argument', async () => {
    const { seen } = await compare((vm, log) => {
      for (const event of ['beforeBlock', 'beforeTx', 'afterTx', 'afterBlock'] as const) {
        vm.events.on(event, (_data: unknown, done?: (value?: unknown) => void) => {
          log.push(`${event} begins`)
          setTimeout(() => {
            log.push(`${event} ends`)
            done?.()
          }, 2)
        })
        vm.events.on(event, () => void log.push(`${event} seen by another`))
      }
    })
    expect(seen.slice(0, 6)).toEqual([
      'beforeBlock begins',
      'beforeBlock ends',
      'beforeBlock seen by another',
      'beforeTx begins',
      'beforeTx ends',
      'beforeTx seen by another',
    ])
  })

  it('run as often as stock runs them when they were added for one event only', async () => {
    await compare((vm, seen) => {
      vm.events.once('beforeTx', (tx) => seen.push(bytesToHex(tx.hash())))
      vm.events.once('afterTx', ({ totalGasSpent }) => seen.push(totalGasSpent))
      vm.events.once('beforeBlock', (block) => {
        seen.push(block.header.number)
        vm.events.once('afterBlock', ({ gasUsed }) => seen.push(gasUsed))
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
      const sides = { stock: await overtaking.vm(), ours: await overtaking.vm() }
      for (const vm of [sides.stock, sides.ours]) vm.events.on('afterTx', () => {})
      const run = await runBoth(executor, sides, makeBlock(overtaking.common, plan))
      expect(run.differences).toEqual([])
    }
  })
})

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
      const old = world
      world = await makeWorld({
        hardfork,
        accounts: { [reader.toString()]: { code: readerCode, nonce: 1n } },
      })
      try {
        for (const slot of [false, true]) {
          const { report } = await compare((vm) => {
            let count = 0
            vm.events.on('beforeTx', () => {
              if (count++ !== 2) return
              vm.evm.journal.addAlwaysWarmAddress(counter.toString())
              if (slot)
                vm.evm.journal.addAlwaysWarmSlot(reader.toString(), bytesToHex(numberWord(1)))
            })
          })
          expect(report?.incidents).toEqual(['a beforeTx listener warmed an account'])
        }
      } finally {
        world = old
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

describe('listeners that throw', () => {
  for (const event of ['beforeBlock', 'beforeTx', 'afterTx', 'afterBlock'] as const) {
    it(`in ${event}: the same error and the same state as stock`, async () => {
      for (const turn of [0, 7]) {
        const stock = await world.vm()
        const ours = await world.vm()
        for (const vm of [stock, ours]) {
          let count = 0
          vm.events.on(event, () => {
            if (count++ >= turn || event.endsWith('Block')) throw new Error(`no more of ${event}`)
          })
        }
        const run = await runBoth(executor, { stock, ours }, makeBlock(world.common, twelve))
        expect(run.differences).toEqual([])
        expect(run.error).toMatchObject({ message: `no more of ${event}` })
        const checkpoints = ({ stateManager }: VM): number =>
          (stateManager as unknown as { _trie: MerklePatriciaTrie })._trie.database().checkpoints
            .length
        expect(checkpoints(ours)).toBe(checkpoints(stock))
        for (const vm of [stock, ours]) {
          if (event !== 'afterBlock') await vm.stateManager.setStateRoot(world.template.root)
        }
        expect(await followUp({ stock, ours }, twelve)).toEqual([])
      }
    })
  }
})

describe('listeners that attach others', () => {
  it('to the steps of one transaction: they get the steps that stock gives them', async () => {
    const { seen } = await compare((vm, steps) => {
      let count = 0
      vm.events.on('beforeTx', () => {
        if (count++ === 4) vm.evm.events!.on('step', ({ opcode }) => void steps.push(opcode.name))
      })
      vm.events.on('afterTx', () => {
        if (count === 5) vm.evm.events!.removeAllListeners('step')
      })
    })
    expect(seen.length).toBeGreaterThan(0)
  })

  it('to the steps of the whole block, in beforeBlock', async () => {
    const { seen } = await compare((vm, steps) => {
      vm.events.on('beforeBlock', () => {
        vm.evm.events!.on('step', ({ opcode }) => void steps.push(opcode.name))
      })
    })
    expect(seen.length).toBeGreaterThan(0)
  })
})
