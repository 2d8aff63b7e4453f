// What surrounds transactions: system calls, withdrawals, block hashes, and what each of them starts from.
// Authority on pitfalls 16 and 19. It must let transactions overtake those that change their start.
import { bytesToHex } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import type { Instruction } from '../support/assembler.ts'
import { actors, numberWord, systemContracts, worldRecords } from '../support/random-world.ts'
import { contractOf } from '../support/small-contracts.ts'
import { strictSuite } from '../support/strict-suite.ts'
import {
  expectEqualEveryTime,
  logged,
  logWords,
  lookAt,
  named,
  relayed,
  stage,
} from './pitfall-blocks.ts'

const [alice, bob, carol, dave, erin] = actors
const pointer = named('pointer')
const refunder = named('refunder')
const transient = named('transient')
const chainReader = named('chain reader')
const originals = named('originals')

const records = worldRecords()
const systems = Object.fromEntries(
  Object.values(systemContracts).map((one) => [one.toString(), records[one.toString()]!]),
)
const hashBefore = (distance: number): Instruction[] => [distance, 'NUMBER', 'SUB', 'BLOCKHASH']
const suite = strictSuite({
  accounts: {
    ...stage,
    ...systems,
    // Adds one, twice, to the slot that slot 0 names; a word of calldata is the name from then on.
    [pointer.toString()]: contractOf(
      [
        ['CALLDATASIZE', { to: 'turn' }, 'JUMPI'],
        [0, 'SLOAD', 'SLOAD', 1, 'ADD', 0, 'SLOAD', 'SSTORE'],
        [0, 'SLOAD', 'SLOAD', 1, 'ADD', 0, 'SLOAD', 'SSTORE', 'STOP'],
        [{ label: 'turn' }, 0, 'CALLDATALOAD', 0, 'SSTORE'],
      ],
      { storage: { '0x00': '0x10', '0x10': '0x01' } },
    ),
    [refunder.toString()]: contractOf([[0, 'SLOAD', 'ISZERO', 0, 'SSTORE']], {
      storage: { '0x00': '0x01' },
    }),
    [transient.toString()]: contractOf([
      logWords([0, 'TLOAD'], [0, 'TLOAD', 'CALLER', 'ADD', 0, 'TSTORE', 0, 'TLOAD']),
    ]),
    [chainReader.toString()]: contractOf([
      logWords(
        hashBefore(1),
        hashBefore(2),
        hashBefore(256),
        hashBefore(257),
        ['NUMBER', 'BLOCKHASH'],
        ['BLOBBASEFEE'],
        ['BASEFEE'],
        ['TIMESTAMP'],
        ['GASPRICE'],
      ),
    ]),
    // One to two to one: what it costs depends on the value that the transaction started from.
    [originals.toString()]: contractOf(
      [
        [0, 'SLOAD', 1, 'ADD', 'DUP1', 0, 'SSTORE', 1, 'SWAP1', 'SUB', 0, 'SSTORE'],
        ['CALLDATASIZE', { to: 'keep' }, 'JUMPI', 'STOP', { label: 'keep' }],
        [0, 'CALLDATALOAD', 0, 'SSTORE'],
      ],
      { storage: { '0x00': '0x01' } },
    ),
  },
})

describe('what surrounds transactions', () => {
  it('16. system calls read and write state, and only committed executions leave traces', async () => {
    const { beaconRoots, blockHashes, withdrawals, consolidations } = systemContracts
    await expectEqualEveryTime(suite, (turns) => ({
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
    await expectEqualEveryTime(suite, (turns) => ({
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
      suite,
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
      suite,
      () => ({ number: 2n, transactions: [{ from: alice, to: chainReader }] }),
      1,
    )
  })

  it('19. withdrawals to the coinbase, and to accounts that the block made', async () => {
    const coinbase = named('withdrawing coinbase')
    await expectEqualEveryTime(
      suite,
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
    await expectEqualEveryTime(suite, (turns) => ({
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
    const run = await expectEqualEveryTime(suite, (turns) => ({
      transactions: Array.from({ length: 8 }, (_, index) =>
        relayed(actors[index % 5]!, transient, turns()),
      ),
    }))
    for (let index = 0; index < 8; index++) expect(logged(run, index)[0]).toBe(0n)
  })
})
