// Blocks with access lists (EIP-7928) in parallel: the list, what is open in it while workers run, what
// stock's list has of corners, and what is said of a list that the block brings.
// Authority on the cases that random blocks meet rarely; the comparison with stock is whole, list and all.
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import {
  Address,
  bytesToHex,
  createBlockLevelAccessListFromRLP,
  generateAddress2,
  setLengthLeft,
} from '@ethereumjs/util'
import { createVM, type RunBlockOpts, runBlock } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'

import { assemble, bytesToMemory, deployer, type Instruction } from '../../support/assembler.ts'
import {
  authorize,
  type BlockPlan,
  expectEqualInParallel,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
} from '../../support/hand-made-block.ts'
import { withCheckedHeader } from '../../support/random-block.ts'
import { actors, addressWord, contracts, systemContracts } from '../../support/random-world.ts'
import { contractOf } from '../../support/small-contracts.ts'
import type { AccountRecords } from '../../support/state-template.ts'
import { strictSuite } from '../../support/strict-suite.ts'
import { plainAccounts, plainBlock } from './support/plain-block.ts'

const [alice, bob, carol, dave, erin, frank] = actors
const { counter, factory, reader } = contracts
const queue = [0, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'] as const

/** Builder contracts without code make a block invalid (EIP-8282). */
const accounts = {
  ...plainAccounts,
  [systemContracts.builderDeposits.toString()]: contractOf([queue]),
  [systemContracts.builderExits.toString()]: contractOf([queue]),
  [systemContracts.withdrawals.toString()]: contractOf([queue]),
  [systemContracts.beaconRoots.toString()]: contractOf([queue]),
}
const suite = strictSuite({ hardfork: 'amsterdam', accounts })

async function listOf(plan: BlockPlan, of: AccountRecords = {}) {
  const world = await makeWorld({ hardfork: 'amsterdam', accounts: { ...accounts, ...of } })
  const { result, report } = await expectEqualInParallel(suite.executor, world, plan)
  return { list: result.blockLevelAccessList!, report }
}

describe('a block with an access list', () => {
  it('runs in parallel, and its list is the VM’s', async () => {
    const run = await expectEqualInParallel(suite.executor, suite.world, plainBlock)
    expect(run.result.blockLevelAccessList).toBe(run.ours.evm.blockLevelAccessList)
    expect(run.result.blockLevelAccessList!.raw().length).toBeGreaterThan(5)
  })

  it('does so too where the list is all that Osaka’s rules gain', async () => {
    const common = createCustomCommon({ chainId: 1 }, Mainnet, { hardfork: 'osaka', eips: [7928] })
    const block = makeBlock(common, plainBlock)
    const vm = async () =>
      createVM({ common: common.copy(), stateManager: suite.world.template.copy(common) })
    const run = await runBoth(suite.executor, { stock: await vm(), ours: await vm() }, block)
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    expect(run.result!.blockLevelAccessList!.raw().length).toBeGreaterThan(3)
  })

  it('shows listeners the list as far as it has come', async () => {
    const block = makeBlock(suite.world.common, plainBlock)
    const sides = await sidesOf(suite.world)
    const seen = Object.values(sides).map((vm) => {
      const lengths: string[] = []
      const look = (when: string) => () => {
        const list = vm.evm.blockLevelAccessList!
        lengths.push(`${when} ${list.blockAccessIndex} ${list.hash().join()}`)
      }
      vm.events.on('beforeTx', look('before'))
      vm.events.on('afterTx', look('after'))
      return lengths
    })
    const run = await runBoth(suite.executor, sides, block)
    expect(run.differences).toEqual([])
    expect(run.report?.mode).toBe('parallel')
    expect(seen[0]).toHaveLength(10)
    expect(seen[1]).toEqual(seen[0])
  })

  it('goes on with the same list where the rest of it runs sequentially', async () => {
    const block = makeBlock(suite.world.common, plainBlock)
    const sides = await sidesOf(suite.world)
    for (const vm of Object.values(sides)) {
      let count = 0
      vm.events.on('afterTx', (_: unknown, done?: () => void) => {
        count++
        const write =
          count === 2
            ? vm.stateManager.putStorage(counter, new Uint8Array(32), Uint8Array.of(7))
            : undefined
        Promise.resolve(write).finally(() => done?.())
      })
    }
    const run = await runBoth(suite.executor, sides, block)
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ fallbackFrom: 2 })
  })
})

describe('balances that nobody reads', () => {
  it('are listed without making transactions wait for each other', async () => {
    // The recipient has a nonce: whether one without is alive, EIP-2780 must ask of its balance.
    const paid = { [frank.address.toString()]: { balance: 5n, nonce: 1n } }
    const transactions = [alice, bob, carol, dave, erin].map((from, index) => ({
      from,
      to: frank.address,
      value: BigInt(index),
    }))
    const { list, report } = await listOf({ transactions }, paid)
    expect([...list.get(frank.address)!.balanceChanges]).toEqual([
      [2, '0x06'],
      [3, '0x08'],
      [4, '0x0b'],
      [5, '0x0f'],
    ])
    expect(report).toMatchObject({ conflicts: 0, reExecutions: 0, levels: 1 })
  })

  it('of a coinbase that is absent, or is the sender, or is looked at', async () => {
    const look: Instruction[] = ['COINBASE', 'BALANCE', 0, 'SSTORE']
    const to = [counter, bob.address, reader]
    for (const coinbase of [actors[7].address, alice.address, counter]) {
      const transactions = [alice, bob, carol, alice, dave, bob].map((from, index) => ({
        from,
        to: to[index % 3],
        value: index % 3 === 1 ? 7n : 0n,
        ...(index === 4 ? { fields: { gasPrice: 7n } } : {}),
      }))
      await listOf({ transactions, coinbase }, { [reader.toString()]: contractOf([look]) })
    }
  })
})

describe('what stock’s list does with', () => {
  const childInit = deployer(assemble(['CALLER', 'SELFDESTRUCT']))
  const killedInit = assemble([1, 0, 'SSTORE', 'CALLER', 'SELFDESTRUCT'])
  const addressOf = (address: Address): Instruction => bytesToHex(address.bytes) as `0x${string}`
  const make = (init: Uint8Array): Instruction[] => [
    ...bytesToMemory(init),
    ...([0, init.length, 0, 'CALLVALUE', 'CREATE2', 0, 'SSTORE'] as const),
  ]

  it('an account that lives and dies in a transaction, paid before and after', async () => {
    const doomed = new Address(generateAddress2(factory.bytes, new Uint8Array(32), killedInit))
    const payBack = [0, 0, 0, 0, 9, addressOf(doomed), 400_000, 'CALL', 1, 'SSTORE'] as const
    const transactions = [
      { from: alice, to: doomed, value: 9n },
      { from: bob, to: factory, value: 4n },
      { from: carol, to: doomed, value: 3n },
      { from: dave, to: factory },
      { from: erin, to: doomed, value: 1n },
    ]
    const code = contractOf([make(killedInit), payBack], { balance: 100n })
    const { list } = await listOf({ transactions }, { [factory.toString()]: code })
    // The second transaction leaves it the 9 that it had, and stock drops the payment of the first one.
    expect([...list.get(doomed)!.balanceChanges.keys()]).toEqual([3, 4, 5])
  })

  it('a contract that is created, called, and created again', async () => {
    const code = contractOf([make(childInit)])
    const transactions = [alice, bob, carol, dave].map((from) => ({ from, to: factory, value: 1n }))
    await listOf({ transactions }, { [factory.toString()]: code })
  })

  it('a slot that a call puts back before it fails', async () => {
    // With calldata it puts slot 0 back and fails; without, it writes the slot and calls itself so.
    const code = contractOf([
      ['CALLDATASIZE', { to: 'fail' }, 'JUMPI', 5, 0, 'SSTORE'],
      [0, 0, 1, 0, 0, 'ADDRESS', 500_000, 'CALL', 1, 'SSTORE', 'STOP'],
      [{ label: 'fail' }, 0, 0, 'SSTORE', 0, 0, 'REVERT'],
    ])
    const transactions = [alice, bob, carol].map((from) => ({ from, to: counter }))
    const { list } = await listOf({ transactions }, { [counter.toString()]: code })
    const { storageReads, storageChanges } = list.get(counter)!
    // Both, which no valid list has: whoever gets this block with it refuses it.
    expect(storageReads.has('0x')).toBe(true)
    expect(storageChanges['0x']).toEqual([[1, Uint8Array.of(5)]])
  })

  it('delegations, and those that are taken back in the same transaction', async () => {
    const none = new Address(new Uint8Array(20))
    const signed = (...list: ReturnType<typeof authorize>[]) => ({
      type: 4,
      authorizationList: list,
    })
    const transactions = [
      { from: alice, to: bob.address, fields: signed(authorize(frank, counter, 0n)) },
      { from: bob, to: frank.address },
      {
        from: carol,
        to: frank.address,
        fields: signed(authorize(frank, factory, 1n), authorize(frank, counter, 2n)),
      },
      { from: dave, to: frank.address, fields: signed(authorize(frank, none, 3n)) },
      { from: erin, to: frank.address, fields: signed(authorize(frank, none, 99n)) },
    ]
    const { list } = await listOf({ transactions })
    expect(list.get(frank.address)!.codeChanges.map(([index]) => index)).toEqual([1, 4])
  })
})

describe('the protocol’s own accesses', () => {
  it('are listed before and after the transactions', async () => {
    const withdrawals = [
      { address: alice.address, amount: 3n },
      { address: actors[9].address, amount: 0n },
    ]
    const { list } = await listOf({ ...plainBlock, withdrawals })
    const slots = Object.values(list.get(systemContracts.beaconRoots)!.storageChanges)
    expect(slots.flat().map(([index]) => index)).toEqual([0, 0])
    expect([...list.get(alice.address)!.balanceChanges.keys()].at(-1)).toBe(6)
    expect(list.get(actors[9].address)!.balanceChanges.size).toBe(0)
  })

  it('make a block invalid where a builder contract is missing or fails, unless it is being made', async () => {
    const fails = contractOf([[0, 0, 'REVERT']])
    const missing = { nonce: 1n, code: '0x' as const }
    for (const [code, message] of [
      [fails, 'system contract call failed'],
      [missing, 'system contract empty'],
    ] as const) {
      const own = { ...accounts, [systemContracts.builderExits.toString()]: code }
      const world = await makeWorld({ hardfork: 'amsterdam', accounts: own })
      const block = makeBlock(world.common, plainBlock)
      await expectEqualInParallel(suite.executor, world, plainBlock)
      const run = await runBoth(suite.executor, await sidesOf(world), block, {
        skipBlockValidation: true,
      })
      expect(run.differences).toEqual([])
      expect(run.error).toMatchObject({ message: expect.stringContaining(message) })
    }
  })
})

describe('a list that a block brings', () => {
  async function checked(how: (rlp: Uint8Array) => Partial<RunBlockOpts>) {
    const block = makeBlock(suite.world.common, plainBlock)
    const result = await runBlock(await suite.world.vm(), {
      block,
      generate: true,
      skipBlockValidation: true,
    })
    const options = how(result.blockLevelAccessList!.serialize())
    const hash = options.blockAccessList
    const complete = await withCheckedHeader(
      block,
      result,
      'right',
      hash instanceof Uint8Array ? createBlockLevelAccessListFromRLP(hash).hash() : undefined,
    )
    const { generate = false, ...rest } = options
    return runBoth(suite.executor, await sidesOf(suite.world), complete, {
      ...rest,
      generate,
      skipHeaderValidation: true,
    })
  }

  it.each([
    ['bytes', (rlp: Uint8Array) => rlp],
    ['an object', createBlockLevelAccessListFromRLP],
    ['JSON', (rlp: Uint8Array) => createBlockLevelAccessListFromRLP(rlp).toJSON()],
  ])('is accepted as %s', async (_, form) => {
    const run = await checked((rlp) => ({ blockAccessList: form(rlp) }))
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
  })

  it('is refused with stock’s words where the block does something else', async () => {
    const run = await checked((rlp) => {
      const list = createBlockLevelAccessListFromRLP(rlp)
      list.addNonceChange(alice.address.toString() as `0x${string}`, 77n, 1)
      return { blockAccessList: list.serialize() }
    })
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({
      message: expect.stringContaining('invalid block access list ('),
    })
  })

  it('is refused before anything runs where it is not the header’s', async () => {
    const run = await checked((rlp) => {
      const list = createBlockLevelAccessListFromRLP(rlp)
      list.addAddress('0x00000000000000000000000000000000000000ff')
      return { blockAccessList: list }
    })
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({ message: expect.stringContaining('block access list hash') })
  })

  it('is not compared while the block is being made', async () => {
    const run = await checked((rlp) => {
      const list = createBlockLevelAccessListFromRLP(rlp)
      list.addAddress('0x00000000000000000000000000000000000000ff')
      return { blockAccessList: list, generate: true, skipBlockValidation: true }
    })
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
  })
})

describe('a list that is too long for the block’s gas', () => {
  it('makes the block invalid', async () => {
    const withdrawals = Array.from({ length: 60 }, (_, index) => ({
      address: new Address(setLengthLeft(Uint8Array.of(9, index), 20)),
      amount: 1n,
    }))
    const transactions = [alice, bob, carol, dave].map((from) => ({
      from,
      to: erin.address,
      gasLimit: 25_000n,
    }))
    const block = makeBlock(suite.world.common, { transactions, withdrawals, gasLimit: 110_000n })
    const run = await runBoth(suite.executor, await sidesOf(suite.world), block)
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({
      message: expect.stringContaining('block access list gas limit exceeded'),
    })
  })
})

describe('gas in two dimensions (EIP-8037)', () => {
  const writes = Array.from({ length: 8 }, (_, slot): Instruction[] => [
    'CALLER',
    slot,
    'ADD',
    1,
    'SWAP1',
    'SSTORE',
  ]).flat()

  it('adds up in the header as stock adds it', async () => {
    const filler = { [counter.toString()]: contractOf([writes]) }
    const transactions = [alice, bob, carol, dave].map((from, index) => ({
      from,
      to: index === 3 ? erin.address : counter,
      gasLimit: index === 1 ? 20_000_000n : 3_000_000n,
      data: addressWord(erin.address),
    }))
    const { report } = await listOf({ transactions, gasLimit: 60_000_000n }, filler)
    expect(report.transactions).toBe(4)
  })

  it('refuses a transaction that asks for more of one kind than the block has left', async () => {
    const world = await makeWorld({
      hardfork: 'amsterdam',
      accounts: { ...accounts, [counter.toString()]: contractOf([writes]) },
    })
    const transactions = [alice, bob, carol, dave].map((from) => ({
      from,
      to: counter,
      gasLimit: 3_000_000n,
    }))
    const block = makeBlock(world.common, { transactions, gasLimit: 4_500_000n })
    const run = await runBoth(suite.executor, await sidesOf(world), block)
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({
      message: expect.stringContaining('tx has a higher gas limit than the block'),
    })
  })
})
