// The order of a block: nonces, errors, cumulative numbers, and what every transaction starts from.
// Authority on pitfalls 10, 15, 16, 19 and 21. It must compare refusals as exactly as results.
import { bytesToHex } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { CONTROL, HALT, OUTCOME, TRANSACTION, transactionIndex } from '../../src/memory/layout.ts'
import { assembleHex, type Instruction } from '../support/assembler.ts'
import { makeWorld, type World } from '../support/hand-made-block.ts'
import {
  type Actor,
  actors,
  ether,
  numberWord,
  systemContracts,
  worldRecords,
} from '../support/random-world.ts'
import { strictExecutor } from '../support/strict-executor.ts'
import { LayersInMemory, transactionAt } from './layers-in-memory.ts'
import {
  cells,
  delay,
  expectEqualEveryTime,
  expectRefusedEveryTime,
  logged,
  logWords,
  lookAt,
  named,
  readSlot,
  relayed,
  stage,
  writeSlot,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, erin, poor] = actors as [Actor, Actor, Actor, Actor, Actor, Actor]
const counter = named('counter')
const logger = named('logger')
const pointer = named('pointer')
const refunder = named('refunder')
const transient = named('transient')
const chainReader = named('chain reader')
const originals = named('originals')

let executor: ParallelExecutor
let world: World

beforeAll(async () => {
  executor = await strictExecutor()
  const records = worldRecords()
  const systems = Object.fromEntries(
    Object.values(systemContracts).map((one) => [one.toString(), records[one.toString()]!]),
  )
  const number = (distance: number): Instruction[] => [distance, 'NUMBER', 'SUB', 'BLOCKHASH']
  world = await makeWorld({
    accounts: {
      ...stage,
      ...systems,
      [poor.address.toString()]: { balance: 0n },
      [counter.toString()]: {
        nonce: 1n,
        code: assembleHex([
          0,
          'SLOAD',
          1,
          'ADD',
          'DUP1',
          0,
          'SSTORE',
          0,
          'MSTORE',
          32,
          0,
          'RETURN',
        ]),
      },
      // Waits, then logs as often as slot 1 of its own storage says, and adds one to it.
      [logger.toString()]: {
        nonce: 1n,
        code: assembleHex(
          delay(0, 'wait'),
          [1, 'SLOAD', 'DUP1', 1, 'ADD', 1, 'SSTORE', 1, 'ADD', { label: 'again' }],
          [0, 0, 'LOG0', 1, 'SWAP1', 'SUB', 'DUP1', { to: 'again' }, 'JUMPI'],
        ),
      },
      // Adds one, twice, to the slot that slot 0 names; a word of calldata is the name from then on.
      [pointer.toString()]: {
        nonce: 1n,
        code: assembleHex(
          ['CALLDATASIZE', { to: 'turn' }, 'JUMPI'],
          [0, 'SLOAD', 'SLOAD', 1, 'ADD', 0, 'SLOAD', 'SSTORE'],
          [0, 'SLOAD', 'SLOAD', 1, 'ADD', 0, 'SLOAD', 'SSTORE', 'STOP'],
          [{ label: 'turn' }, 0, 'CALLDATALOAD', 0, 'SSTORE'],
        ),
        storage: { '0x00': '0x10', '0x10': '0x01' },
      },
      [refunder.toString()]: {
        nonce: 1n,
        code: assembleHex([0, 'SLOAD', 'ISZERO', 0, 'SSTORE']),
        storage: { '0x00': '0x01' },
      },
      [transient.toString()]: {
        nonce: 1n,
        code: assembleHex(
          logWords([0, 'TLOAD'], [0, 'TLOAD', 'CALLER', 'ADD', 0, 'TSTORE', 0, 'TLOAD']),
        ),
      },
      [chainReader.toString()]: {
        nonce: 1n,
        code: assembleHex(
          logWords(
            number(1),
            number(2),
            number(256),
            number(257),
            ['NUMBER', 'BLOCKHASH'],
            ['BLOBBASEFEE'],
            ['BASEFEE'],
            ['TIMESTAMP'],
            ['GASPRICE'],
          ),
        ),
      },
      // One to two to one: what it costs depends on the value that the transaction started from.
      [originals.toString()]: {
        nonce: 1n,
        code: assembleHex(
          [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 1, 'SWAP1', 'SUB', 0, 'SSTORE'],
          ['CALLDATASIZE', { to: 'keep' }, 'JUMPI', 'STOP', { label: 'keep' }],
          [0, 'CALLDATALOAD', 0, 'SSTORE'],
        ),
        storage: { '0x00': '0x01' },
      },
    },
  })
})
afterAll(() => executor?.close())

describe('order and errors', () => {
  it('10. an invalid transaction in mid-block: refused as stock refuses it, whatever is under way', async () => {
    for (const wrong of [
      { from: carol, to: bob.address, nonce: 7n },
      { from: carol, to: bob.address, value: 1000n * ether },
      { from: carol, to: bob.address, gasLimit: 30_000n, data: new Uint8Array(2000).fill(1) },
    ]) {
      await expectRefusedEveryTime(
        executor,
        world,
        (turns) => ({
          transactions: [
            relayed(alice, counter, turns(2500)),
            relayed(bob, counter, turns()),
            wrong,
            relayed(dave, counter, turns()),
            ...[0, 1, 2, 3].map(() => relayed(erin, counter, turns())),
          ],
        }),
        /./,
        5,
      )
    }
  })

  it('10. an invalid transaction in mid-block: invalid until a lower one has paid its sender is valid', async () => {
    await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: [
        relayed(alice, poor.address, turns(4000), undefined, { value: ether }),
        { from: poor, to: counter },
        { from: poor, to: counter },
        relayed(bob, counter, turns()),
        { from: poor, to: bob.address, value: 1n },
      ],
    }))
  })

  it('10. an invalid transaction in mid-block: its error is final only at the commit head', () => {
    let stale = true
    const layers = new LayersInMemory(2, {
      refutes: (transaction) => transaction === 1 && stale,
      markEstimates: () => {},
      committed: () => {},
    })
    const { scheduler, control } = layers
    const outcome = transactionIndex(1, TRANSACTION.OUTCOME)
    expect(scheduler.claimExecution(2)).toBe(0)
    expect(scheduler.claimExecution(2)).toBe(1)
    control[outcome] = OUTCOME.ERROR
    scheduler.finish(transactionAt(1), false)
    expect(scheduler.commit()).toBe(false)
    expect(scheduler.halted()).toBe(HALT.RUNNING)

    // Below it everything is final now, but what it read is not what it would read: no error yet.
    scheduler.finish(transactionAt(0), true)
    expect(scheduler.commit()).toBe(true)
    expect(scheduler.halted()).toBe(HALT.RUNNING)
    stale = false
    expect(scheduler.claimExecution(2)).toBe(1)
    scheduler.finish(transactionAt(1), false)
    scheduler.commit()
    expect(scheduler.halted()).toBe(HALT.INVALID_TRANSACTION)
    expect(control[CONTROL.HALT_TRANSACTION]).toBe(1)
  })

  it('15. cumulative gas and logs are in order, whatever the order of execution', async () => {
    const run = await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: Array.from({ length: 10 }, (_, index) => ({
        from: actors[index % 5]!,
        to: logger,
        data: numberWord(turns()),
      })),
    }))
    expect(run.result.receipts.map(({ logs }) => logs.length)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
    expect(run.result.receipts.at(-1)?.cumulativeBlockGasUsed).toBe(run.result.gasUsed)
  })

  it('15. the block gas limit admits by what was used before, in the order of the block', async () => {
    const three = (most: number) => [alice, bob, carol].map((from) => relayed(from, counter, most))
    // The limits sum up to more than the block's, but what is used does not.
    await expectEqualEveryTime(
      executor,
      world,
      (turns) => ({ gasLimit: 1_200_000n, transactions: three(turns(200)) }),
      5,
    )
    await expectRefusedEveryTime(
      executor,
      world,
      () => ({ gasLimit: 1_500_000n, transactions: three(25_000) }),
      /higher gas limit than the block/,
      5,
    )
  })

  it('16. system calls read and write state, and only committed executions leave traces', async () => {
    const { beaconRoots, blockHashes, withdrawals, consolidations } = systemContracts
    await expectEqualEveryTime(executor, world, (turns) => ({
      number: 9000n,
      transactions: [
        relayed(alice, beaconRoots, turns(), numberWord((1_700_000_000 + 9000 * 12) % 8191)),
        relayed(bob, blockHashes, turns(), numberWord(8999 % 8191)),
        relayed(carol, withdrawals, turns()),
        relayed(dave, consolidations, turns()),
        relayed(erin, withdrawals, turns()),
        relayed(alice, withdrawals, turns()),
        lookAt(bob, withdrawals, turns()),
      ],
    }))
  })

  it('16. only the committed execution counts: what a speculative one touched stays cold and unwritten', async () => {
    const warm = {
      type: 1,
      accessList: [
        {
          address: pointer.toString(),
          storageKeys: [0, 0x20].map((slot) => bytesToHex(numberWord(slot))),
        },
      ],
    }
    await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: [
        relayed(alice, pointer, turns(2500), numberWord(0x20)),
        { from: bob, to: pointer },
        relayed(carol, pointer, turns(2500), numberWord(0x30)),
        { from: dave, to: pointer },
        { from: erin, to: pointer, fields: warm },
        relayed(alice, pointer, turns(), numberWord(0x20)),
        { from: bob, to: pointer, fields: warm },
      ],
    }))
  })

  it('19. block hashes, fees and blob prices are the same in a worker', async () => {
    const blobs = {
      type: 3,
      blobVersionedHashes: [`0x01${'ab'.repeat(31)}`],
      maxFeePerBlobGas: 10n ** 12n,
    }
    const run = await expectEqualEveryTime(
      executor,
      world,
      (turns) => ({
        number: 300n,
        header: { excessBlobGas: 20_000_000n },
        transactions: [
          relayed(alice, chainReader, turns()),
          { from: bob, to: chainReader, fields: blobs },
          { from: carol, to: chainReader },
          { from: dave, to: chainReader, fields: { ...blobs, maxPriorityFeePerGas: 1n } },
          relayed(erin, chainReader, turns()),
        ],
      }),
      5,
    )
    const [last, second, oldest, tooOld, itself, blobPrice] = logged(run, 2)
    expect(new Set([last, second, oldest]).size).toBe(3)
    expect([tooOld, itself]).toEqual([0n, 0n])
    expect(blobPrice).toBeGreaterThan(1n)
    // At the chain's beginning there are fewer than 256 ancestors.
    await expectEqualEveryTime(
      executor,
      world,
      () => ({ number: 2n, transactions: [{ from: alice, to: chainReader }] }),
      1,
    )
  })

  it('19. withdrawals to the coinbase, and to accounts that the block made', async () => {
    const coinbase = named('withdrawing coinbase')
    await expectEqualEveryTime(
      executor,
      world,
      (turns) => ({
        coinbase,
        withdrawals: [
          { address: coinbase, amount: 3n },
          { address: named('new in the block'), amount: 4n },
          { address: named('new by withdrawal'), amount: 5n },
          { address: named('nothing withdrawn'), amount: 0n },
        ],
        transactions: [
          relayed(alice, named('new in the block'), turns(), undefined, { value: 1n }),
          lookAt(bob, coinbase, turns()),
          lookAt(carol, named('new by withdrawal'), turns()),
        ],
      }),
      5,
    )
  })

  it('19. refunds and original storage values are those at the start of each transaction', async () => {
    await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: [
        relayed(alice, refunder, turns()),
        { from: bob, to: refunder },
        relayed(carol, refunder, turns()),
        relayed(dave, originals, turns()),
        relayed(erin, originals, turns(), numberWord(0)),
        { from: alice, to: originals },
        relayed(bob, originals, turns(), numberWord(1)),
        { from: carol, to: originals, data: numberWord(0) },
        { from: dave, to: refunder },
      ],
    }))
  })

  it('19. transient storage is empty at the start of every transaction', async () => {
    const run = await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: Array.from({ length: 8 }, (_, index) =>
        relayed(actors[index % 5]!, transient, turns()),
      ),
    }))
    for (let index = 0; index < 8; index++) expect(logged(run, index)[0]).toBe(0n)
  })

  it('21. nonce chains: a stale nonce is a dependency and not an error', async () => {
    const run = await expectEqualEveryTime(executor, world, (turns) => ({
      transactions: [
        relayed(alice, cells, turns(2500), writeSlot(1, 8)),
        ...Array.from({ length: 10 }, () => ({ from: alice, to: bob.address, value: 1n })),
        relayed(bob, cells, turns(), readSlot(1)),
        ...Array.from({ length: 5 }, () => ({ from: bob, to: alice.address, value: 2n })),
        ...Array.from({ length: 5 }, () => ({ from: alice, to: bob.address, value: 3n })),
      ],
    }))
    expect(run.result.results.length).toBe(22)
  })

  it('21. nonce chains: a gap, a repetition and a step back are errors, as in stock', async () => {
    for (const nonce of [4n, 2n, 0n]) {
      await expectRefusedEveryTime(
        executor,
        world,
        (turns) => ({
          transactions: [
            relayed(alice, bob.address, turns(2500)),
            { from: alice, to: bob.address },
            { from: alice, to: bob.address },
            { from: alice, to: bob.address, nonce },
            { from: bob, to: alice.address },
            { from: alice, to: bob.address, nonce: nonce + 1n },
          ],
        }),
        /nonce/,
        5,
      )
    }
  })
})
