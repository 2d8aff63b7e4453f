// Blocks that bring their access list (EIP-7928) start each transaction from it: dependent transactions
// run without waits and repetitions, and whatever stands in a list, no result hangs on it.
// Authority on lists that are right and on ways to be wrong; stock decides what a block comes to.

import { type NestedUint8Array, RLP } from '@ethereumjs/rlp'
import {
  Address,
  type BALJSONAccountChanges,
  bytesToHex,
  generateAddress,
  generateAddress2,
  type PrefixedHexString,
} from '@ethereumjs/util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { BlockMemory } from '../../../src/block/block-memory.ts'
import { publishListed } from '../../../src/block/listed-versions.ts'
import type { ParallelExecutor } from '../../../src/index.ts'
import { TRANSACTION, transactionIndex } from '../../../src/memory/layout.ts'
import { writeCount } from '../../../src/mvcc/write-set.ts'
import { assemble, bytesToMemory, deployer, type Instruction } from '../../support/assembler.ts'
import { entryOf, listMaker, type Spoil } from '../../support/brought-list.ts'
import {
  authorize,
  type BlockPlan,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  spin,
} from '../../support/hand-made-block.ts'
import {
  actors,
  addressWord,
  contracts,
  ether,
  systemContracts,
} from '../../support/random-world.ts'
import { addOne, contractOf } from '../../support/small-contracts.ts'
import type { AccountRecords } from '../../support/state-template.ts'
import { strictExecutor } from '../../support/strict-executor.ts'
import { fresh } from './support/plain-block.ts'

const [alice, bob, carol, dave, erin, frank] = actors
const { counter, factory, reader } = contracts
const queue = [0, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'] as const

/** Slow between reading and writing, so that later ones overtake it. */
const slowCounter = contractOf([[0, 'SLOAD'], spin(300), [1, 'ADD', 0, 'SSTORE']])

const accounts: AccountRecords = {
  [counter.toString()]: slowCounter,
  [systemContracts.builderDeposits.toString()]: contractOf([queue]),
  [systemContracts.builderExits.toString()]: contractOf([queue]),
  [systemContracts.withdrawals.toString()]: contractOf([queue]),
}

let executor: ParallelExecutor
beforeAll(async () => {
  executor = await strictExecutor({ scheduler: 'graph' })
})
afterAll(() => executor.close())

async function brought(plan: BlockPlan, of: AccountRecords = {}, spoil?: Spoil) {
  const world = await makeWorld({ hardfork: 'amsterdam', accounts: { ...accounts, ...of } })
  const make = await listMaker(await world.vm(), makeBlock(world.common, plan))
  return { world, ...(await make(spoil)) }
}

/** Equal to stock, from the list, with nobody waiting for anybody and nothing run twice. */
async function expectFree(plan: BlockPlan, of: AccountRecords = {}) {
  const { world, block, options } = await brought(plan, of)
  const run = await runBoth(executor, await sidesOf(world), block, options)
  expect(run.differences).toEqual([])
  expect(run.error).toBeUndefined()
  expect(run.report).toMatchObject({
    mode: 'parallel',
    plannedFrom: 'access list',
    graph: { levels: 1 },
    conflicts: 0,
    reExecutions: 0,
    incidents: [],
  })
  return run
}

const count = (length: number): BlockPlan => ({
  transactions: Array.from({ length }, (_, index) => ({ from: actors[index % 3], to: counter })),
})

describe('a block that brings its list runs without waits and repetitions where', () => {
  it('all call one counter, some of them the same sender’s', async () => {
    const { report } = await expectFree(count(12))
    expect(report?.levels).toBe(12)
  })

  it('a sender sends again and again', async () => {
    const transactions = Array.from({ length: 8 }, (_, index) => ({
      from: alice,
      to: bob.address,
      value: BigInt(index),
    }))
    await expectFree({ transactions })
  })

  it('each can pay only with what the one before has paid it', async () => {
    const transactions = [alice, frank, erin, dave].map((from, index) => ({
      from,
      to: [frank, erin, dave, carol][index].address,
      value: BigInt(4 - index) * ether,
    }))
    const poor = [frank, erin, dave].map(({ address }) => [address.toString(), { nonce: 1n }])
    const { result } = await expectFree(
      { transactions: transactions.map((one, index) => ({ ...one, nonce: index ? 1n : 0n })) },
      Object.fromEntries(poor),
    )
    expect(result?.results.map(({ execResult }) => execResult.exceptionError)).toEqual(
      Array(4).fill(undefined),
    )
  })

  it('an account is made by a payment and then looked at', async () => {
    const look: Instruction[] = ['DUP1', 'EXTCODEHASH', 1, 'SSTORE', 'BALANCE', 0, 'SSTORE']
    const watch = contractOf([[0, 'CALLDATALOAD', ...look]])
    const transactions = [
      { from: alice, to: fresh, value: 5n },
      { from: bob, to: reader, data: addressWord(fresh) },
      { from: carol, to: fresh, value: 6n },
      { from: dave, to: reader, data: addressWord(fresh) },
    ]
    await expectFree({ transactions }, { [reader.toString()]: watch })
  })

  it('a contract is created, and called, and calls what it has stored', async () => {
    const child = new Address(generateAddress(alice.address.bytes, new Uint8Array(0)))
    const init = deployer(assemble(addOne), [40, 0, 'SSTORE', 7, 3, 'SSTORE'])
    const transactions = [
      { from: alice, data: init },
      { from: bob, to: child },
      { from: carol, to: child },
      { from: alice, to: child },
    ]
    const { ours } = await expectFree({ transactions })
    const slot = await ours.stateManager.getStorage(child, new Uint8Array(32))
    expect(bytesToHex(slot)).toBe('0x2b')
  })

  it('a delegation is set, called, and taken back', async () => {
    const none = new Address(new Uint8Array(20))
    const signed = (...list: ReturnType<typeof authorize>[]) => ({
      type: 4,
      authorizationList: list,
    })
    const transactions = [
      { from: alice, to: bob.address, fields: signed(authorize(frank, counter, 0n)) },
      { from: bob, to: frank.address },
      { from: carol, to: frank.address },
      { from: dave, to: frank.address, fields: signed(authorize(frank, none, 1n)) },
      { from: erin, to: frank.address },
    ]
    await expectFree({ transactions })
  })

  it('the coinbase’s balance is looked at', async () => {
    const look: Instruction[] = ['COINBASE', 'BALANCE', 0, 'SSTORE']
    const transactions = [alice, bob, carol, dave, erin].map((from) => ({ from, to: reader }))
    await expectFree({ transactions }, { [reader.toString()]: contractOf([look]) })
  })
})

describe('a list that says a thing twice', () => {
  it('leaves one version, and one entry in the write set', () => {
    const memory = new BlockMemory(8, 8)
    memory.beginBlock(2)
    const account = (nonce: PrefixedHexString) => ({
      nonceChanges: new Map([[2, nonce]]),
      balanceChanges: new Map<number, PrefixedHexString>(),
      codeChanges: [],
      storageChanges: {},
      storageReads: new Set<PrefixedHexString>(),
    })
    const accesses = {
      [`0x${'ab'.repeat(20)}`]: account('0x01'),
      [`0x${'AB'.repeat(20)}`]: account('0x02'),
    }
    const listed = publishListed(memory, { accesses }, 2, (bytes) => bytes)
    expect(listed).toMatchObject({ isWhole: true, slots: [] })
    const writeSets = [0, 1].map(
      (index) => memory.control[transactionIndex(index, TRANSACTION.WRITE_SET)],
    )
    // The nonce, and that the account exists.
    expect(writeSets.map((at) => writeCount(memory.block, at))).toEqual([0, 2])
  })
})

describe('a list that cannot say all', () => {
  it('of accounts that live and die in a transaction, paid before and after', async () => {
    const killed = assemble([1, 0, 'SSTORE', 'CALLER', 'SELFDESTRUCT'])
    const doomed = new Address(generateAddress2(factory.bytes, new Uint8Array(32), killed))
    const make: Instruction[] = [
      ...bytesToMemory(killed),
      ...([0, killed.length, 0, 'CALLVALUE', 'CREATE2', 0, 'SSTORE'] as const),
    ]
    const transactions = [
      { from: alice, to: doomed, value: 9n },
      { from: bob, to: factory, value: 4n },
      { from: carol, to: doomed, value: 3n },
      { from: dave, to: factory },
      { from: erin, to: doomed, value: 1n },
    ]
    const code = { [factory.toString()]: contractOf([make], { balance: 100n }) }
    const { world, block, options } = await brought({ transactions }, code)
    const run = await runBoth(executor, await sidesOf(world), block, options)
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ plannedFrom: 'access list', incidents: [] })
  })
})

describe('a wrong list is refused as stock refuses it', () => {
  type List = Parameters<Spoil>[0]
  const change = (edit: (list: List) => void): Spoil => {
    return (list) => {
      edit(list)
      return list
    }
  }
  const slotChanges = (list: List) => entryOf(list, counter).storageChanges[0].slotChanges
  const nonces = (list: List, { address }: { address: Address }) =>
    entryOf(list, address).nonceChanges
  const balances = (list: List, { address }: { address: Address }) =>
    entryOf(list, address).balanceChanges
  const setEach = <T extends object>(all: T[], values: Partial<T>): void => {
    for (const one of all) Object.assign(one, values)
  }
  const shift = (account: BALJSONAccountChanges, by: number): void => {
    const { nonceChanges, balanceChanges, storageChanges } = account
    const slots = storageChanges.flatMap((slot) => slot.slotChanges)
    for (const one of [...nonceChanges, ...balanceChanges, ...slots]) {
      const index = (Number(one.blockAccessIndex) + by).toString(16)
      one.blockAccessIndex = `0x${index.padStart(2, '0')}`
    }
  }
  const wei = (bytes: number): PrefixedHexString => `0x${'ff'.repeat(bytes)}`

  it.each<[string, Spoil]>([
    [
      'a slot’s value',
      change((list) => setEach(slotChanges(list).slice(4, 5), { postValue: '0x63' })),
    ],
    ['a slot’s values', change((list) => setEach(slotChanges(list), { postValue: '0x07' }))],
    ['a nonce', change((list) => setEach(nonces(list, alice).slice(1, 2), { postNonce: '0x77' }))],
    ['nonces', change((list) => setEach(nonces(list, alice), { postNonce: '0xffffffffffffffff' }))],
    [
      'a balance',
      change((list) => setEach(balances(list, bob).slice(0, 1), { postBalance: '0x01' })),
    ],
    [
      'all the wei that fits',
      change((list) => setEach(balances(list, bob), { postBalance: wei(32) })),
    ],
    [
      'much wei for all',
      change((list) =>
        setEach(
          list.flatMap((one) => one.balanceChanges),
          { postBalance: wei(16) },
        ),
      ),
    ],
    ['a value that is missing', change((list) => slotChanges(list).splice(3, 1))],
    ['an account that is missing', (list) => list.filter((one) => one !== entryOf(list, counter))],
    ['nothing', () => []],
    [
      'a balance too many',
      change((list) =>
        balances(list, { address: fresh }).push({ blockAccessIndex: '0x02', postBalance: '0x09' }),
      ),
    ],
    [
      'code for a sender',
      change((list) =>
        entryOf(list, alice.address).codeChanges.push({
          blockAccessIndex: '0x01',
          newCode: '0x6001600055',
        }),
      ),
    ],
    [
      'other code for the counter',
      change((list) =>
        entryOf(list, counter).codeChanges.push({
          blockAccessIndex: '0x02',
          newCode: '0x5b600056',
        }),
      ),
    ],
    ['values of the transaction before', change((list) => shift(entryOf(list, counter), 1))],
    [
      'values of the transaction after',
      change((list) => {
        for (const account of list) shift(account, -1)
      }),
    ],
    ['values from behind the block', change((list) => shift(entryOf(list, counter), 0xfff0))],
    ['an index that no block has', change((list) => shift(entryOf(list, alice.address), 2 ** 47))],
    [
      'slots of another account',
      change((list) => {
        const { storageChanges } = entryOf(list, counter)
        entryOf(list, erin.address).storageChanges.push(...structuredClone(storageChanges))
      }),
    ],
    [
      'slots of an absent account',
      change((list) => {
        const { storageChanges } = entryOf(list, counter)
        entryOf(list, fresh).storageChanges.push(...structuredClone(storageChanges))
      }),
    ],
    [
      'a slot that is only read',
      change((list) => {
        entryOf(list, counter).storageReads.push('0x00')
        entryOf(list, counter).storageChanges.length = 0
      }),
    ],
  ])('with %s', async (_, spoil) => {
    const { world, block, options } = await brought(count(9), {}, spoil)
    const run = await runBoth(executor, await sidesOf(world), block, options)
    expect(run.differences).toEqual([])
    expect(run.error).toMatchObject({
      message: expect.stringContaining('invalid block access list'),
    })
  })
})

describe('a list without the form of one comes to what stock makes of it', () => {
  type Raw = Uint8Array | NestedUint8Array
  /** An account with one change of each kind. */
  const account = (change: Raw[], slot: Raw = Uint8Array.of(7)): Raw => [
    counter.bytes,
    [[slot, [change]]],
    [],
    [change],
    [change],
    [change],
  ]
  const one = Uint8Array.of(1)

  it.each<[string, Raw[]]>([
    ['values are lists', [account([one, [one, [one]]])]],
    ['values are longer than words', [account([one, new Uint8Array(40).fill(1)])]],
    ['indices are large', [account([new Uint8Array(6).fill(255), one])]],
    ['keys are long', [account([one, one], new Uint8Array(40).fill(1))]],
    ['keys have zeros in front', [account([one, one], Uint8Array.of(0, 0, 7))]],
    ['an address is too long', [[new Uint8Array(33).fill(1), [], [], [[one, one]], [], []]]],
    ['an address is empty', [[new Uint8Array(0), [], [], [[one, one]], [], []]]],
    ['an account is listed twice', [account([one, one]), account([one, Uint8Array.of(2)])]],
  ])('where %s', async (_, raw) => {
    const world = await makeWorld({ hardfork: 'amsterdam', accounts })
    const blockAccessList = RLP.encode(raw)
    const block = makeBlock(world.common, {
      ...count(6),
      header: { blockAccessListHash: keccak_256(blockAccessList) },
    })
    for (const generate of [false, true]) {
      const run = await runBoth(executor, await sidesOf(world), block, {
        blockAccessList,
        generate,
        skipBlockValidation: true,
        skipHeaderValidation: true,
      })
      expect(run.differences).toEqual([])
    }
  })
})

describe('what a list said', () => {
  it('is forgotten with its block, be it refused or not', async () => {
    const world = await makeWorld({ hardfork: 'amsterdam', accounts })
    const sides = await sidesOf(world)
    const scratch = await world.vm()
    const nonces = new Map()
    let { root } = world.template
    for (let number = 20n; number < 26n; number++) {
      const make = await listMaker(
        scratch,
        makeBlock(world.common, { ...count(6), number }, nonces),
      )
      const right = await make()
      if (number === 22n) {
        const wrong = await make((list) => {
          for (const { slotChanges } of entryOf(list, counter).storageChanges) {
            for (const one of slotChanges) one.postValue = '0x40'
          }
          return list
        })
        const refused = await runBoth(executor, sides, wrong.block, { ...wrong.options })
        expect(refused.differences).toEqual([])
        expect(refused.error).toBeDefined()
      }
      // A refused block leaves its values in stock's caches, which setting the root clears.
      const anew = number === 22n ? { root } : {}
      const run = await runBoth(executor, sides, right.block, { ...right.options, ...anew })
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ plannedFrom: 'access list', conflicts: 0, incidents: [] })
      root = run.result!.stateRoot
    }
  })
})

describe('no list is followed', () => {
  const longer: Spoil = (list) => {
    for (let i = 0; i < 60; i++) {
      entryOf(list, new Address(new Uint8Array(20).fill(i + 20)))
    }
    return list
  }
  const whileMade = { generate: true, skipBlockValidation: true }

  it('that is longer than the block may list', async () => {
    const payments = [alice, bob, carol, dave].map((from) => ({
      from,
      to: erin.address,
      gasLimit: 25_000n,
    }))
    const plan = { transactions: payments, gasLimit: 110_000n }
    const { world, block, options } = await brought(plan, {}, longer)
    const run = await runBoth(executor, await sidesOf(world), block, { ...options, ...whileMade })
    expect(run.differences).toEqual([])
    expect(run.report).toMatchObject({ plannedFrom: 'predictions' })
  })

  it('by the scheduler that foresees nothing', async () => {
    const blind = await strictExecutor()
    try {
      const { world, block, options } = await brought(count(6))
      const run = await runBoth(blind, await sidesOf(world), block, options)
      expect(run.differences).toEqual([])
      expect(run.report?.mode).toBe('parallel')
      expect(run.report).not.toHaveProperty('plannedFrom')
    } finally {
      await blind.close()
    }
  })

  it('by the scheduler that runs small blocks inline, of such a block', async () => {
    const auto = await strictExecutor({ scheduler: 'auto' })
    try {
      for (const [length, plannedFrom] of [
        [3, undefined],
        [4, 'access list'],
      ] as const) {
        const { world, block, options } = await brought(count(length))
        const run = await runBoth(auto, await sidesOf(world), block, options)
        expect(run.differences).toEqual([])
        expect(run.report?.plannedFrom).toBe(plannedFrom)
      }
    } finally {
      await auto.close()
    }
  })

  it('beyond three quarters of the memory', async () => {
    const small = await strictExecutor({ scheduler: 'graph', maxBlockMiB: 2 })
    const large: Spoil = (list) => {
      const newCode = bytesToHex(new Uint8Array(900_000))
      entryOf(list, erin.address).codeChanges.push(
        { blockAccessIndex: '0x01', newCode },
        { blockAccessIndex: '0x02', newCode },
      )
      return list
    }
    try {
      const { world, block, options } = await brought(count(6), {}, large)
      const run = await runBoth(small, await sidesOf(world), block, { ...options, ...whileMade })
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ plannedFrom: 'predictions', incidents: [] })
    } finally {
      await small.close()
    }
  })
})
