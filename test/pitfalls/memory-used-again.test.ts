// What outlives a block or shares a place: base values, results, copies of code, and records of keys.
// Authority on pitfalls 13 and 20. It must run several blocks on one executor.
import { Address, generateAddress } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { CodeCache } from '../../src/execution/code-cache.ts'
import { nativeAtomics } from '../../src/memory/atomics.ts'
import { ACCOUNT, SLOT } from '../../src/memory/layout.ts'
import { RegionAllocator, SharedRegion } from '../../src/memory/shared-region.ts'
import { LocationTable } from '../../src/mvcc/location-table.ts'
import { assemble, deployer } from '../support/assembler.ts'
import { collidingAddresses, collidingSlotKeys } from '../support/colliding-keys.ts'
import {
  expectEqualInParallel,
  fillHeader,
  makeBlock,
  runBoth,
  sidesOf,
} from '../support/hand-made-block.ts'
import { compareAny } from '../support/oracle.ts'
import { type Actor, actors } from '../support/random-world.ts'
import { strictSuite } from '../support/strict-suite.ts'
import { logged, named, turnsOf, visit } from './pitfall-blocks.ts'
import { chain, slowStage } from './slow-counter.ts'

const [alice, bob, carol, dave] = actors

const suite = strictSuite({ accounts: slowStage })

describe('memory used again', () => {
  it('13. block n+1 starts on what block n left, and leaves the results of block n alone', async () => {
    const sides = await sidesOf(suite.world)
    const nonces = new Map<Actor, bigint>()
    const kept: { result: unknown; copy: unknown }[] = []
    for (let number = 20n; number < 26n; number++) {
      const turns = turnsOf(Number(number))
      const plan = { ...chain(8, turns), number, coinbase: carol.address }
      const block = makeBlock(suite.world.common, plan, nonces)
      const run = await runBoth(suite.executor, sides, block)
      expect(run.differences).toEqual([])
      const { receipts, logsBloom, stateRoot, gasUsed } = run.result!
      const result = { receipts, logsBloom, stateRoot, gasUsed }
      kept.push({ result, copy: structuredClone(result) })
    }
    for (const { result, copy } of kept) {
      expect(
        compareAny(JSON.stringify(copy, plain), JSON.stringify(result, plain), 'kept'),
      ).toEqual([])
    }
  })

  it("13. block n+1 with another state waits its turn, and bytes of results are nobody else's", async () => {
    const { runBlock } = await import('@ethereumjs/vm')
    const plans = [0, 1, 2, 3].map((round) => chain(8, turnsOf(round)))
    const blocks = plans.map((plan) => makeBlock(suite.world.common, plan))
    // All at once on one executor, and each spoils the bytes that it gets.
    const ours = await Promise.all(
      blocks.map(async (block) => {
        const vm = await suite.world.vm()
        const { results, stateRoot, logsBloom } = await suite.executor.runBlock(vm, {
          ...fillHeader,
          block,
        })
        const root = stateRoot.slice()
        const gas = results.map(({ totalGasSpent }) => totalGasSpent)
        for (const { execResult, bloom } of results) {
          execResult.returnValue.fill(0xff)
          bloom.bitvector.fill(0xff)
          for (const [address, topics, data] of execResult.logs ?? []) {
            for (const bytes of [address, ...topics, data]) bytes.fill(0xff)
          }
        }
        logsBloom.fill(0xff)
        return { root, gas }
      }),
    )
    for (const [index, block] of blocks.entries()) {
      const stock = await runBlock(await suite.world.vm(), { ...fillHeader, block })
      expect(ours[index]!.root).toEqual(stock.stateRoot)
      expect(ours[index]!.gas).toEqual(stock.results.map(({ totalGasSpent }) => totalGasSpent))
    }
  })

  it('20. a cached code does not outlive its version: the same places hold other code in other blocks', async () => {
    for (let round = 0; round < 8; round++) {
      // Equal but for one byte, so that all lies where the former block's lay.
      const runtime = assemble([round + 1, 0, 'MSTORE', 32, 0, 'RETURN'])
      const made = named('nothing yet')
      const turns = turnsOf(round)
      const run = await expectEqualInParallel(suite.executor, suite.world, {
        transactions: [
          { from: alice, data: deployer(runtime) },
          visit(bob, made, turns()),
          { from: carol, data: deployer(runtime, [1, 1, 'SSTORE']) },
          visit(dave, createdBy(alice), turns()),
          visit(bob, createdBy(carol), turns()),
        ],
      })
      expect([3, 4].map((index) => logged(run, index)[4])).toEqual([
        BigInt(round + 1),
        BigInt(round + 1),
      ])
    }
  })

  it('20. a cached code does not outlive its version: what the block region held is forgotten', () => {
    const region = SharedRegion.create(1 << 16)
    const codes = new CodeCache()
    const write = (byte: number): void => {
      region.words[100] = 1
      region.bytes[101 * 4] = byte
    }
    write(1)
    expect([...codes.ofBlock(region, 100)]).toEqual([1])
    codes.forgetBlock()
    write(2)
    expect([...codes.ofBlock(region, 100)]).toEqual([2])
    expect([...codes.ofState(region, 100)]).toEqual([2])
    codes.forgetState()
    write(3)
    expect([...codes.ofState(region, 100)]).toEqual([3])
  })

  it('20. an id computed from a hash: keys with one hash have two records, always the same two', () => {
    const seed = 12345
    const state = SharedRegion.create(1 << 20)
    const buckets = new Int32Array(new SharedArrayBuffer(16))
    const newTable = (): LocationTable =>
      new LocationTable(buckets, seed, state, new RegionAllocator(state), nativeAtomics)
    const table = newTable()
    const addresses = collidingAddresses(seed)
    const accounts = addresses.map((address) => table.account(address))
    const hashes = accounts.map((record) => state.words[record + ACCOUNT.HASH])
    expect(hashes[0]).toBe(hashes[1])
    expect(accounts[0]).not.toBe(accounts[1])

    const owner = accounts[0]!
    const keys = collidingSlotKeys(seed, owner)
    const slots = keys.map((key) => table.slot(owner, key))
    expect(state.words[slots[0]! + SLOT.HASH]).toBe(state.words[slots[1]! + SLOT.HASH])
    expect(slots[0]).not.toBe(slots[1])
    // Another account's slot of the same key is another one, too.
    expect(slots).not.toContain(table.slot(accounts[1]!, keys[0]))

    const again = newTable()
    expect(addresses.map((address) => again.account(address))).toEqual(accounts)
    expect(keys.map((key) => again.slot(owner, key))).toEqual(slots)
  })
})

/** JSON for results with big integers and bytes. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

function createdBy(actor: Actor): Address {
  return new Address(generateAddress(actor.address.bytes, new Uint8Array(0)))
}
