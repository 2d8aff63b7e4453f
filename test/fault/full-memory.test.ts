// Shared memory that is too small for a block: it is finished by stock's code, and the report says so.
// Authority on both limits, at every part of a block that takes memory; the limits here are the least.
// It must not depend on how much a block takes exactly: blocks are far beyond the limit, or grow to it.
import { Address } from '@ethereumjs/util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParallelExecutor } from '../../src/index.ts'
import { assemble, assembleHex } from '../support/assembler.ts'
import {
  type BlockPlan,
  fillHeader,
  makeBlock,
  makeWorld,
  runBoth,
  sidesOf,
  type World,
} from '../support/hand-made-block.ts'
import { type Actor, actors, contracts, numberWord } from '../support/random-world.ts'
import { strictExecutor } from '../support/strict-executor.ts'

const { reader, creator } = contracts

/** Looks at the balances of as many absent accounts. */
const lookerCode = assembleHex(
  [0, 'CALLDATALOAD', { label: 'loop' }, 'DUP1', 'CALLER', 'ADD', 'BALANCE', 'POP'],
  [1, 'SWAP1', 'SUB', 'DUP1', { to: 'loop' }, 'JUMPI'],
)
const returnerCode = assembleHex([20_000, 0, 'RETURN'])

let world: World
let executor: ParallelExecutor

beforeAll(async () => {
  world = await makeWorld({
    accounts: {
      [reader.toString()]: { code: lookerCode },
      [creator.toString()]: { code: returnerCode },
    },
  })
  executor = await strictExecutor({ fallback: true, maxBlockMiB: 1, maxStateMiB: 1 })
})
afterAll(() => executor?.close())

const full: Record<string, BlockPlan> = {
  'transactions that do not fit themselves': {
    transactions: Array.from({ length: 12 }, (_, index) => ({
      from: actors[index % 8]!,
      to: actors[9]!.address,
      data: new Uint8Array(100_000).fill(0),
      gasLimit: 1_100_000n,
    })),
  },
  'code created': {
    transactions: Array.from({ length: 60 }, (_, index) => ({
      from: actors[index % 8]!,
      data: assemble(20_000, 0, 'RETURN'),
      gasLimit: 5_000_000n,
    })),
    gasLimit: 400_000_000n,
  },
  'accounts looked at': {
    transactions: Array.from({ length: 2 }, (_, index) => ({
      from: actors[index]!,
      to: reader,
      data: numberWord(4_000),
      gasLimit: 12_000_000n,
    })),
    gasLimit: 100_000_000n,
  },
  'values returned': {
    transactions: Array.from({ length: 60 }, (_, index) => ({
      from: actors[index % 8]!,
      to: creator,
    })),
    gasLimit: 100_000_000n,
  },
}

describe('a block that is too large for shared memory', () => {
  for (const [what, plan] of Object.entries(full)) {
    it(`because of ${what}: is equal, reports it, and the next block runs in parallel`, async () => {
      const sides = await sidesOf(world)
      const nonces = new Map<Actor, bigint>()
      const run = await runBoth(executor, sides, makeBlock(world.common, plan, nonces))
      expect(run.differences).toEqual([])
      expect(run.report?.mode).toBe('parallel')
      expect(run.report?.incidents.join()).toMatch(/memory is full.*maxStateMiB or maxBlockMiB/)
      expect(run.report?.fallbackFrom).toBeLessThan(plan.transactions.length)
      const small = {
        number: 21n,
        transactions: actors.slice(0, 4).map((from) => ({ from, to: actors[9]!.address })),
      }
      const next = await runBoth(executor, sides, makeBlock(world.common, small, nonces))
      expect(next.differences).toEqual([])
      expect(next.report).toMatchObject({ mode: 'parallel', incidents: [] })
    })

    it(`because of ${what}: is refused where the fallback is off`, async () => {
      const strict = await strictExecutor({ maxBlockMiB: 1, maxStateMiB: 1 })
      try {
        const vm = await world.vm()
        const root = await vm.stateManager.getStateRoot()
        const block = makeBlock(world.common, plan)
        await expect(strict.runBlock(vm, { ...fillHeader, block })).rejects.toMatchObject({
          code: 'FALLBACK_DISABLED',
          cause: { code: 'STORE_FULL' },
        })
        expect(await vm.stateManager.getStateRoot()).toEqual(root)
      } finally {
        await strict.close()
      }
    })
  }

  it('at its very end, by withdrawals to many: is equal', async () => {
    for (const looks of [1_300, 1_350, 1_400]) {
      const sides = await sidesOf(world)
      const plan: BlockPlan = {
        transactions: actors.slice(0, 4).map((from) => ({
          from,
          to: reader,
          data: numberWord(looks),
          gasLimit: 6_000_000n,
        })),
        withdrawals: Array.from({ length: 400 }, (_, index) => ({
          address: new Address(numberWord(1_000_000 + index).slice(12)),
          amount: 1n,
        })),
      }
      const run = await runBoth(executor, sides, makeBlock(world.common, plan))
      expect(run.differences, `${looks} looks`).toEqual([])
    }
  })

  it('by growing from block to block: what is kept is forgotten in time', async () => {
    const sides = await sidesOf(world)
    const nonces = new Map<Actor, bigint>()
    for (let number = 20n; number < 32n; number++) {
      const plan: BlockPlan = {
        number,
        transactions: actors.slice(0, 3).map((from) => ({
          from,
          to: reader,
          data: numberWord(300 + Number(number)),
          gasLimit: 2_000_000n,
        })),
      }
      const run = await runBoth(executor, sides, makeBlock(world.common, plan, nonces))
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })
})
