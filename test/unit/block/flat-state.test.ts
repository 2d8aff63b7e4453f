// Blocks on a flat state give what stock gives on its MerkleStateManager: by stock's code, by workers that
// read the state's memory, and by both in turn.
// Authority on blocks over flat states; what the state itself does is test/unit/state's matter.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Common } from '@ethereumjs/common'
import { bytesToHex, hexToBytes } from '@ethereumjs/util'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'
import { describe, expect, it, vi } from 'vitest'
import { BaseServer } from '../../../src/block/base-server.ts'
import { ParallelError } from '../../../src/errors.ts'
import type { ParallelExecutor } from '../../../src/index.ts'
import { FLAT_EPOCH } from '../../../src/memory/flat-layout.ts'
import { createFlatState } from '../../../src/state/create-flat-state.ts'
import type { FlatStateOptions } from '../../../src/state/flat-options.ts'
import { FlatState, flatDataOf } from '../../../src/state/flat-state.ts'
import { FlatStore } from '../../../src/state/flat-store.ts'
import { deployer } from '../../support/assembler.ts'
import {
  type BlockPlan,
  fillHeader,
  makeBlock,
  richActors,
  runBoth,
  type Sides,
} from '../../support/hand-made-block.ts'
import { loadMainnetBlock, type MainnetBlock } from '../../support/mainnet.ts'
import { compareResults } from '../../support/oracle.ts'
import { type Actor, actors, contracts, ether, numberWord } from '../../support/random-world.ts'
import { loggingCounterCode } from '../../support/small-contracts.ts'
import { type AccountRecords, loadAccounts } from '../../support/state-template.ts'
import { strictExecutor } from '../../support/strict-executor.ts'
import { strictSuite } from '../../support/strict-suite.ts'

const [alice, bob, carol, dave] = actors
const { counter } = contracts
const records: AccountRecords = {
  [counter.toString()]: {
    code: loggingCounterCode,
    nonce: 1n,
    storage: { '0x00': '0x05', '0x01': '0x06' },
  },
}
const suite = strictSuite({ accounts: records })
const mainnet = new URL('../../fixtures/mainnet/', import.meta.url)
/** Those that do not take long: of four hardforks, before Byzantium and after Cancun among them. */
const blocks = ['4370000', '19426587', '19933122']

async function flatVm(block: MainnetBlock): Promise<VM> {
  const { common, blockchain, stateManager } = await block.makeVm()
  const flat = await createFlatState({ common: common as Common })
  const root = await flat.importAlloc(block.preState)
  expect(root).toEqual(await stateManager.getStateRoot())
  return createVM({ common, blockchain, stateManager: flat })
}

/** Stock's manager on one side, a flat state on the other. */
async function flatSides(
  options: Pick<FlatStateOptions, 'store' | 'memoryBytes'> = {},
): Promise<Sides> {
  const stock = await suite.world.vm()
  const { common, blockchain } = await suite.world.vm()
  const stateManager = await createFlatState({ common, ...options })
  await loadAccounts(Object.assign(stateManager, { flush: async () => {} }) as never, {
    ...richActors,
    ...records,
  })
  delete (stateManager as { flush?: unknown }).flush
  expect(await stateManager.getStateRoot()).toEqual(await stock.stateManager.getStateRoot())
  return { stock, ours: await createVM({ common, blockchain, stateManager }) }
}

function busyPlan(number: bigint): BlockPlan {
  return {
    number,
    transactions: [
      { from: alice, to: counter },
      { from: bob, to: dave.address, value: ether },
      { from: alice, to: counter },
      { from: carol, data: deployer(hexToBytes(loggingCounterCode), [7, 5, 'SSTORE']), value: 3n },
      { from: bob, to: carol.address, value: number },
      { from: carol, to: counter },
    ],
    withdrawals: [{ address: dave.address, amount: 3n }],
  }
}

describe('a flat state', () => {
  it.each(blocks)('runs mainnet block %s as stock does', async (name) => {
    const file = await loadMainnetBlock(new URL(`${name}.json.gz`, mainnet).pathname)
    const expected = await runBlock(await file.makeVm(), { ...file.runOptions, block: file.block })
    const byStock = await runBlock(await flatVm(file), {
      ...file.runOptions,
      block: file.freshBlock(),
    })
    expect(compareResults(expected, byStock)).toEqual([])
    const serve = vi.spyOn(BaseServer.prototype, 'serve')
    const vm = await flatVm(file)
    const root = await vm.stateManager.getStateRoot()
    for (let round = 0; round < 3; round++) {
      await vm.stateManager.setStateRoot(root)
      const ours = await suite.executor.runBlock(vm, {
        ...file.runOptions,
        block: file.freshBlock(),
      })
      expect(compareResults(expected, ours)).toEqual([])
      if (file.isPreByzantium) continue
      expect(ours.parallel.mode).toBe('parallel')
    }
    // The workers found everything themselves.
    expect(serve).not.toHaveBeenCalled()
    serve.mockRestore()
  })

  it('is as before a block that could not be stored, which can run again', async () => {
    const path = mkdtempSync(join(tmpdir(), 'flat-block-'))
    try {
      const sides = await flatSides({ store: { path } })
      const nonces = new Map<Actor, bigint>()
      for (let number = 20n; number < 23n; number++) {
        const plan = busyPlan(number)
        const { stateManager } = sides.ours
        const before = await stateManager.getStateRoot()
        const full = new ParallelError('STORE_WRITE_FAILED', 'the disk is full')
        const save = vi.spyOn(FlatStore.prototype, 'save').mockImplementation(() => {
          throw full
        })
        const failed = suite.executor.runBlock(sides.ours, {
          ...fillHeader,
          block: makeBlock(suite.world.common, plan, new Map(nonces)),
        })
        await expect(failed).rejects.toBe(full)
        save.mockRestore()
        expect(await stateManager.getStateRoot()).toEqual(before)
        const block = makeBlock(suite.world.common, plan, nonces)
        expect((await runBoth(suite.executor, sides, block)).differences).toEqual([])
      }
      await (sides.ours.stateManager as FlatState).close()
    } finally {
      rmSync(path, { recursive: true, force: true })
    }
  })

  it('is right where it lies on disk', async () => {
    const path = mkdtempSync(join(tmpdir(), 'flat-block-'))
    try {
      const sides = await flatSides({ store: { path }, memoryBytes: 65_536 })
      const nonces = new Map<Actor, bigint>()
      for (let number = 20n; number < 25n; number++) {
        const plan = busyPlan(number)
        const refused = {
          ...plan,
          transactions: [...plan.transactions, { from: dave, nonce: 99n }],
        }
        const bad = makeBlock(suite.world.common, refused, new Map(nonces))
        expect((await runBoth(suite.executor, sides, bad)).differences).toEqual([])
        const block = makeBlock(suite.world.common, plan, nonces)
        const run = await runBoth(suite.executor, sides, block)
        expect(run.differences, `block ${number}`).toEqual([])
        expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
      }
      const { stateManager, common } = sides.ours
      const root = await stateManager.getStateRoot()
      await (stateManager as FlatState).close()
      const again = await createFlatState({ common, store: { path }, memoryBytes: 65_536 })
      expect(await again.getStateRoot()).toEqual(root)
      await again.close()
    } finally {
      rmSync(path, { recursive: true, force: true })
    }
  })

  it('is right for two executors in turn, for stock between them, and after a refused block', async () => {
    const sides = await flatSides()
    const other = await strictExecutor()
    const stock: Pick<ParallelExecutor, 'runBlock'> = {
      runBlock: (vm, options) => runBlock(vm, options) as never,
    }
    const runners = [suite.executor, other, stock]
    const nonces = new Map<Actor, bigint>()
    try {
      for (let number = 20n; number < 28n; number++) {
        const run = runners[Number(number % 3n)]!
        const plan = busyPlan(number)
        const refused = {
          ...plan,
          transactions: [...plan.transactions, { from: dave, nonce: 99n }],
        }
        const bad = makeBlock(suite.world.common, refused, new Map(nonces))
        const badRun = await runBoth(run, sides, bad)
        expect(badRun.differences).toEqual([])
        expect(badRun.error).toBeDefined()
        const good = await runBoth(run, sides, makeBlock(suite.world.common, plan, nonces))
        expect(good.differences, `block ${number}`).toEqual([])
      }
    } finally {
      await other.close()
    }
  })

  it('is right where listeners look at it, and copy it, while workers run', async () => {
    const sides = await flatSides()
    const seen: unknown[][] = [[], []]
    for (const [i, vm] of [sides.stock, sides.ours].entries()) {
      vm.events.on('afterTx', (event, done) => {
        const look = async (): Promise<void> => {
          const account = await vm.stateManager.getAccount(event.transaction.getSenderAddress())
          const stored = await vm.stateManager.getStorage(counter, numberWord(0))
          seen[i]!.push([account?.nonce, account?.balance, stored])
        }
        look().then(() => done?.(), done)
      })
    }
    const nonces = new Map<Actor, bigint>()
    for (const number of [20n, 21n]) {
      const block = makeBlock(suite.world.common, busyPlan(number), nonces)
      expect((await runBoth(suite.executor, sides, block)).differences).toEqual([])
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[0]).toHaveLength(2 * busyPlan(20n).transactions.length)
  })

  it('is right with a listener that comes when code of it is known from blocks before', async () => {
    const sides = await flatSides()
    const nonces = new Map<Actor, bigint>()
    for (const number of [20n, 21n, 22n, 23n]) {
      // From here on the state is written as the block goes, and workers do not have it.
      if (number === 23n) sides.ours.events.on('afterTx', (_, done) => done?.())
      const block = makeBlock(suite.world.common, busyPlan(number), nonces)
      const run = await runBoth(suite.executor, sides, block)
      expect(run.differences).toEqual([])
      expect(run.report).toMatchObject({ mode: 'parallel', incidents: [] })
    }
  })

  it.each(['from the start', 'midway'])(
    'is not read by workers while it is written for listeners, who come %s',
    async (moment) => {
      const { ours, stock } = await flatSides()
      const block = makeBlock(suite.world.common, busyPlan(20n))
      const expected = await runBlock(stock, { ...fillHeader, block })
      const data = flatDataOf(ours.stateManager)!
      const isHidden = (): boolean => (data.region.words[FLAT_EPOCH]! & 1) === 1
      const hidden: boolean[] = []
      const listen = (): void => {
        ours.events.on('afterTx', (_, done) => {
          // Copies go to another state for a moment, and must not end what is hidden for the block.
          const look = ours.stateManager.shallowCopy().getStateRoot()
          look.then(() => hidden.push(isHidden())).then(() => done?.(), done)
        })
      }
      if (moment === 'from the start') listen()
      const run = await suite.executor.runBlock(ours, {
        ...fillHeader,
        block,
        onTransaction: ({ index }) => {
          if (index === 0 && moment === 'midway') listen()
        },
      })
      expect(compareResults(expected, run)).toEqual([])
      const heard = block.transactions.length - (moment === 'midway' ? 1 : 0)
      expect(hidden).toEqual(Array.from({ length: heard }, () => true))
      expect(isHidden()).toBe(false)
    },
  )

  it('can be copied, and the copy changed and hashed, while workers read it', async () => {
    const sides = await flatSides()
    const { ours, stock } = sides
    const before = await ours.stateManager.getStateRoot()
    const block = makeBlock(suite.world.common, busyPlan(20n))
    const expected = await runBlock(stock, { ...fillHeader, block })
    const roots: Uint8Array[] = []
    const run = await suite.executor.runBlock(ours, {
      ...fillHeader,
      block,
      onTransaction: async () => {
        const copy = ours.stateManager.shallowCopy()
        await copy.putStorage(counter, numberWord(0), Uint8Array.of(77))
        await copy.putAccount(alice.address, undefined)
        roots.push(await copy.getStateRoot())
      },
    })
    expect(compareResults(expected, run)).toEqual([])
    expect(run.parallel).toMatchObject({ mode: 'parallel', incidents: [] })
    // What is committed did not change meanwhile.
    expect(new Set(roots.map(bytesToHex)).size).toBe(1)
    const copy = ours.stateManager.shallowCopy()
    await copy.setStateRoot(before)
    await copy.putStorage(counter, numberWord(0), Uint8Array.of(77))
    await copy.putAccount(alice.address, undefined)
    expect(await copy.getStateRoot()).toEqual(roots[0])
  })

  it('is asked as any state manager where somebody has changed it', async () => {
    const make = async (): Promise<FlatState> => {
      const { common } = await suite.world.vm()
      return await createFlatState({ common })
    }
    class Other extends FlatState {}
    expect(flatDataOf(await make())).toBeDefined()
    expect(flatDataOf((await make()).shallowCopy())).toBeUndefined()
    expect(flatDataOf(new Proxy(await make(), {}))).toBeUndefined()
    expect(flatDataOf(Object.create(Other.prototype))).toBeUndefined()
    const own = await make()
    own.getAccount = FlatState.prototype.getAccount.bind(own)
    expect(flatDataOf(own)).toBeUndefined()
    expect(flatDataOf(own, ['getAccount'])).toBeDefined()
  })
})
